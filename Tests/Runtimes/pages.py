"""What the tests of HTML reports share."""

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

EMPTY = {"meta", "img", "br"}


class _Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.links, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        if tag not in EMPTY:
            self.open.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.text += data


def check_page(path):
    """Asserts that a page is well-formed and needs nothing from outside; returns its text."""
    source = path.read_text()
    page = _Balance()
    page.feed(source)
    assert not page.open, f"left open: {page.open}"
    assert "<script" not in source and "url(" not in source and "@import" not in source
    for link in page.links:
        assert link.startswith("data:image/png;base64,"), link[:80]
        assert base64.b64decode(link.split(",", 1)[1]).startswith(b"\x89PNG\r\n")
    for drawing in re.findall(r"<svg.*?</svg>", source, re.DOTALL):
        ElementTree.fromstring(drawing)
        assert "nan" not in drawing.replace("<title>", "").lower().split("d=")[0]
    return page.text
