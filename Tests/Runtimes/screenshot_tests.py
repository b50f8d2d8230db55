"""Reports as a browser shows them; in the long tier, where Chromium is installed."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

import numpy as np

from support import CORPUS, ditcache, scratch_folder

CHROMIUM = shutil.which("chromium")


def screenshot(page):
    """A picture of a page, 1,080 × 1,600, as PNG."""
    picture = page.with_suffix(".screenshot.png")
    subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--window-size=1080,1600", f"--screenshot={picture}", page.resolve().as_uri()],
        check=True, capture_output=True, timeout=120)
    return picture.read_bytes()


@unittest.skipUnless(
    os.environ.get("DITCACHE_TESTS") == "long" and CHROMIUM, "the long tier, with Chromium")
class ScreenshotTests(unittest.TestCase):
    def test_reports_show_something(self):
        folder = scratch_folder()
        blank = folder / "blank.html"
        blank.write_text("<!DOCTYPE html><title>blank</title>")
        empty = len(screenshot(blank))
        inputs = CORPUS / "wan_traj.npz"
        mask = np.zeros((3, 8, 12), bool)
        mask[:, 2:6, 4:9] = True
        np.save(folder / "mask.npy", mask)
        ditcache("profile", CORPUS / "wan.onnx", "--inputs", inputs, "--masks",
                 folder / "mask.npy", "-o", folder / "profile")
        ditcache("evaluate", CORPUS / "wan.onnx", "--schedule",
                 folder / "profile" / "profiled.dcs", "--inputs", inputs, "-o", folder / "evaluate")
        ditcache("sample", CORPUS / "wan.onnx", "--schedule",
                 folder / "profile" / "profiled.dcs", "--inputs", inputs, "--html",
                 folder / "sample.html")
        ditcache("tune", CORPUS / "wan.onnx", "--at-least", "psnr=10", "--budget", "30", "--inputs",
                 inputs, "--held-out", inputs, "-o", folder / "tune")
        for page in ("profile/profile.html", "evaluate/evaluation.html", "sample.html",
                     "tune/tune.html"):
            picture = screenshot(folder / page)
            self.assertEqual(picture[16:24], (1080).to_bytes(4) + (1600).to_bytes(4))
            # A page that shows nothing compresses to next to nothing.
            self.assertGreater(len(picture), 4 * empty)
            keep = os.environ.get("DITCACHE_SCREENSHOTS")
            if keep:
                (Path(keep) / f"{Path(page).stem}.png").write_bytes(picture)


if __name__ == "__main__":
    unittest.main()
