"""The example host: the numbers of `ditcache sample`, from a loop that people copy."""

import subprocess
import sys
import unittest

import numpy as np

from support import CORPUS, ROOT, Cases, arrays, cached_model, for_each, recording, schedule_text
from support import scratch_folder

HOST = ROOT / "examples" / "onnxruntime" / "host.py"
SCHEDULE = schedule_text(
    ("blocks[0-1]", "warmup_steps 2", "refresh every 3"), ("blocks[3..]", "refresh every 2"))


def host(*arguments):
    return subprocess.run(
        [sys.executable, HOST, *map(str, arguments)], capture_output=True, text=True, timeout=120)


class HostTests(Cases):
    @for_each(("optional",), ("required",))
    def test_one_branch(self, state):
        self.assert_agrees(CORPUS / "wan_traj.npz", state)

    @for_each(("optional",), ("required",))
    def test_guidance_in_two_calls(self, state):
        inputs = arrays(CORPUS / "wan_traj.npz")
        inputs["guidance_scale"] = np.float32(3)
        path = scratch_folder() / "guided.npz"
        np.savez(path, **inputs)
        self.assert_agrees(path, state)

    def test_it_says_what_it_computes(self):
        result = scratch_folder() / "result.npz"
        done = host(cached_model("wan", SCHEDULE), CORPUS / "wan_traj.npz", result)
        lines = [line for line in done.stdout.splitlines() if line.startswith("step")]
        steps = [line.split(" s  ")[1] for line in lines]
        self.assertEqual(len(steps), 12)
        self.assertEqual(steps[0], "computed")
        self.assertEqual(steps[3], "reused")
        self.assertEqual(steps[4], "computed blocks.3-5")
        self.assertEqual(steps[5], "computed blocks.0-1")

    def test_it_computes_every_step_on_request(self):
        result = scratch_folder() / "result.npz"
        host(cached_model("wan", SCHEDULE), CORPUS / "wan_traj.npz", result, "--compute")
        self.assertTrue(arrays(result)["computed"].all())
        self.assertNear(
            arrays(result)["final"], arrays(CORPUS / "wan_traj.npz")["final"], 5e-5)

    def test_it_refuses_a_model_without_cache(self):
        done = host(
            CORPUS / "wan.onnx", CORPUS / "wan_traj.npz", scratch_folder() / "result.npz")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a cached model", done.stderr)

    def assert_agrees(self, inputs, state):
        model = cached_model("wan", SCHEDULE, "--state", state)
        result = scratch_folder() / "result.npz"
        done = host(model, inputs, result)
        self.assertEqual(done.returncode, 0, done.stderr)
        ours, expected = arrays(result), recording(model, inputs)
        np.testing.assert_array_equal(ours["computed"], expected["computed"])
        for key in ("model_out", "latents", "final"):
            self.assertNear(ours[key], expected[key], 1e-4 if "guided" in inputs.name else 2e-5)


if __name__ == "__main__":
    unittest.main()
