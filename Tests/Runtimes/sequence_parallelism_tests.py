"""Sequence parallelism: the simulation's costs and table, and decisions that are equal on all ranks."""

import re
import subprocess
import sys
import unittest

import numpy as np

from support import CORPUS, LATENTS, ROOT, TIMESTEP, CachedModel, Cases, arrays, cached_model
from support import conditioning, copy_model, ditcache, manifest, scratch_folder

EXAMPLE = ROOT / "examples" / "sequence-parallelism" / "simulate.py"
ARTICLE = ROOT / "Sources" / "DiTCache" / "DiTCache.docc" / "SequenceParallelism.md"
sys.path.insert(0, str(EXAMPLE.parent))
import simulate  # noqa: E402

ADAPTIVE = """
schedule adaptive for wan {
  steps 12
  cache blocks[1..] {
    keep delta
    refresh unless relative_l1(residual(blocks[0]), since: last_computed) < 0.5
  }
}
"""


def printed(*options):
    return subprocess.run(
        [sys.executable, EXAMPLE, *options], capture_output=True, text=True, check=True).stdout


class SimulationTests(Cases):
    def test_costs_are_those_of_the_cost_sheet(self):
        folder = scratch_folder()
        rules = folder / "all.dcs"
        rules.write_text("schedule all for any {\n  steps 12\n  cache stack {\n    keep delta\n"
                         "    refresh every 2\n  }\n}\n")
        path = folder / "cached.onnx"
        ditcache("rewrite", copy_model("hunyuan", folder), "--schedule", rules, "-o", path,
                 "--state", "required")
        facts = manifest(path)
        shapes = [[int(size) for size in slot["shape"]] for slot in facts["state"]
                  if not slot["isValidity"]]
        (_, video, width), (_, text, _), _ = shapes
        for site, kind in zip(facts["sites"], ("dual", "single"), strict=True):
            flops = simulate.block_flops(video, text, width, kind, mlp=3) * site["blocks"]
            self.assertEqual(flops, site["flops"])

    def test_the_schedule_is_the_one_that_ships(self):
        text = (ROOT / "Sources/Catalogue/schedules/profiling-hunyuan.dcs").read_text()

        def size(pattern):
            blocks = re.search(pattern, text).group(1)
            spans = [part.split("-") for part in blocks.split(", ")]
            return sum(int(span[-1]) - int(span[0]) + 1 for span in spans)

        self.assertEqual(size(r"single\[(.*?)\]"), simulate.CACHED_SINGLE)
        self.assertEqual(size(r"dual\[(.*?)\]"), simulate.CACHED_DUAL)
        refreshed = re.search(r"refresh at \[(.*?)\]", text).group(1).split(",")
        self.assertEqual(6 + len(refreshed), simulate.COMPUTED_STEPS)
        self.assertEqual(6 + len(range(6, 50, 6)), simulate.COMPUTED_STEPS)

    def test_the_article_shows_what_the_script_prints(self):
        article = ARTICLE.read_text()
        self.assertIn(printed(), article)
        self.assertIn(printed("--efficiency"), article)

    def test_where_nothing_is_serial_caching_does_not_change_scaling(self):
        machine = simulate.Machine(rate=3e14, link=1e10, latency=0, serial=0)
        for panel in simulate.PANELS:
            alone = machine.speedup(panel, 1)
            for devices in (2, 4, 8):
                self.assertAlmostEqual(machine.speedup(panel, devices), alone, places=3)
                self.assertLess(machine.speedup(panel, devices, exchanges=False), alone)

    def test_one_device_exchanges_nothing_and_more_send_less_each(self):
        sent = [simulate.exchange_seconds(1000, devices, 1e9, 0) for devices in (1, 2, 4, 8)]
        self.assertEqual(sent[0], 0)
        self.assertEqual(sorted(sent[1:], reverse=True), sent[1:])
        # Queries, keys, values and outputs: half of half the tokens leave each of two devices.
        self.assertAlmostEqual(sent[1], 4 * 250 * simulate.WIDTH * 2 / 1e9)


class RankTests(Cases):
    """Two ranks run the same file on different parts of the data, as ranks do."""

    def decisions(self, is_led):
        inputs = arrays(CORPUS / "wan_traj.npz")
        path = cached_model("wan", ADAPTIVE, "--target", "onnxruntime")
        ranks = [CachedModel(path, "onnxruntime") for _ in range(2)]
        noise = np.random.default_rng(3).standard_normal(inputs["initial_noise"].shape, np.float32)
        latents = [inputs["initial_noise"], noise]
        # The second part of the data changes three times as fast.
        sigmas, speeds, computed = inputs["sigmas"], (1, 3), []
        for step, timestep in enumerate(inputs["timesteps"]):
            flags = []
            for rank, branch in enumerate(ranks):
                feeds = {LATENTS: latents[rank], **conditioning(inputs),
                         TIMESTEP: np.full(1, timestep, np.float32)}
                override = np.where(flags[0], 1, 2) if is_led and rank else 0
                velocity = branch(feeds, step, override=override)
                latents[rank] = latents[rank] + speeds[rank] * (
                    sigmas[step + 1] - sigmas[step]) * velocity
                flags.append(branch.computed)
            computed.append(flags)
        return np.array(computed)

    def test_alone_they_disagree_and_led_they_agree(self):
        alone, led = self.decisions(False), self.decisions(True)
        self.assertTrue((alone[:, 0] != alone[:, 1]).any())
        np.testing.assert_array_equal(led[:, 0], led[:, 1])
        np.testing.assert_array_equal(led[:, 0], alone[:, 0])
        self.assertTrue(0 < led.sum() < led.size)


if __name__ == "__main__":
    unittest.main()
