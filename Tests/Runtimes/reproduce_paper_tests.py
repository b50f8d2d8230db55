"""`examples/reproduce-paper`: its schedules fit the example models, its table of ratios is NumPy's."""

import sys
import unittest

import numpy as np

from support import ROOT, Cases, arrays, ditcache, scratch_folder

FOLDER = ROOT / "examples" / "reproduce-paper"
sys.path.insert(0, str(FOLDER))

import catalogue  # noqa: E402
import magnitudes  # noqa: E402
import schedules  # noqa: E402

BLOCKS = {"wan_video": 12, "hunyuan_video": 12, "dit_image": 10}
PROMPTS = {"dit_image": "red-circle"}
VIDEO = "background:checker background:red first:circle first:yellow first:left"


def model(name):
    return ROOT / "examples" / "models" / f"{name}.onnx"


class ReproducePaperTests(Cases):
    def test_every_schedule_fits_its_model(self):
        for name, count in BLOCKS.items():
            folder = scratch_folder()
            texts = schedules.profiled([0, 1, 4, 7], [2, 3, 5, 6], 50)
            texts |= catalogue.thresholds(name, [1.0] * 50, 50) | catalogue.fixed(name, count, 50)
            self.assertGreater(len(texts), 25)
            for label, text in texts.items():
                with self.subTest(model=name, schedule=label):
                    path = folder / f"{label}.schedule.dcs"
                    path.write_text(text)
                    ditcache("rewrite", model(name), "--schedule", path, "--steps", 50, "--dry-run")

    def test_fixed_schedules_compute_about_half(self):
        """Of the calls of their sites; those that leave parts of a model alone compute more of it."""
        folder = scratch_folder()
        for label, text in catalogue.fixed("wan_video", 12, 10).items():
            path, record = folder / f"{label}.schedule.dcs", folder / "record.npz"
            path.write_text(text)
            ditcache(
                "sample", model("wan_video"), "--schedule", path, "--prompt", VIDEO, "--steps", 10,
                "--no-baseline", "--record", record)
            with self.subTest(schedule=label):
                share = arrays(record)["computed"].mean()
                self.assertTrue(0.35 <= share <= 0.75, share)

    def test_ratios_are_those_of_the_recorded_norms(self):
        folder = scratch_folder()
        for name in BLOCKS:
            path, record = folder / f"{name}.dcs", folder / f"{name}.npz"
            path.write_text(magnitudes.text(name))
            ditcache(
                "sample", model(name), "--schedule", path, "--no-baseline", "--steps", 6,
                "--prompt", PROMPTS.get(name, VIDEO), "--record", record)
            metric = arrays(record)["metric"].astype(np.float64).reshape(6, -1).mean(1)
            table = magnitudes.ratios(record)
            self.assertNear(table, [1.0, *metric[2:], metric[-1]], 1e-6)
            self.assertTrue(all(0.5 < ratio < 2 for ratio in table))


if __name__ == "__main__":
    unittest.main()
