"""Every command that the README shows, run as it stands there, prints what stands there."""

import os
import re
import shlex
import subprocess
import unittest

from support import DITCACHE, ROOT, scratch_folder

MISTAKE = """\
schedule later for any {
  steps 50
  cache blocks[2..] {
    keep delta
    warmup_steps 6
    refresh evry 3
  }
}
"""
# What another machine, or another hour, prints otherwise.
MEASURED = re.compile(
    r"(wall time|uncached |speed-up|relative L1|PSNR) +[\d.]+|[\d.]+ s\b|memory [\d.]+")


def blocks():
    """The commands of each console block with the lines shown below them."""
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        command, shown = re.fullmatch(r"\$ ((?:.*\\\n)*.*)\n((?s:.*))", block).groups()
        yield command.replace("\\\n", " "), shown


class ReadmeTests(unittest.TestCase):
    maxDiff = None

    def test_commands_print_what_is_shown(self):
        folder = scratch_folder()
        (folder / "examples").symlink_to(ROOT / "examples")
        (folder / "wrong.dcs").write_text(MISTAKE)
        for command, shown in blocks():
            with self.subTest(command):
                name, *arguments = shlex.split(command)
                self.assertEqual(name, "ditcache")
                done = subprocess.run(
                    # Without a search path there is no ffmpeg, which would add a line.
                    [DITCACHE, *arguments], cwd=folder, text=True, timeout=120,
                    env={**os.environ, "PATH": ""},
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                printed, expected = MEASURED.sub("#", done.stdout), MEASURED.sub("#", shown)
                if expected.startswith("…\n"):
                    expected = expected.removeprefix("…\n")
                    printed = printed[-len(expected):]
                self.assertEqual(printed, expected)


if __name__ == "__main__":
    unittest.main()
