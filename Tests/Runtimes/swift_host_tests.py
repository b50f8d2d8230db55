"""The Swift package that embeds the library: the latents of each step, from a loop people copy.

Building it takes minutes: it belongs to `Tests/run --full`.
"""

import os
import subprocess
import unittest

import numpy as np

from support import CORPUS, ROOT, Cases, arrays, cached_model, copy_model, for_each, recording
from support import schedule_text, scratch_folder

PACKAGE = ROOT / "examples" / "SwiftHost"
SCHEDULE = schedule_text(
    ("blocks[0-1]", "warmup_steps 2", "refresh every 3"), ("blocks[3..]", "refresh every 2"))
LED = (ROOT / "Tests" / "ReplayTests" / "Schedules" / "wan_easycache_cfg.dcs").read_text()


def setUpModule():
    global HOST
    if os.environ.get("DITCACHE_TESTS") not in ("full", "long"):
        raise unittest.SkipTest("building the package belongs to Tests/run --full")
    build = ["swift", "build", "-c", "release", "--package-path", PACKAGE]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    HOST = subprocess.run(
        [*build, "--show-bin-path"], check=True, capture_output=True, text=True
    ).stdout.strip() + "/SwiftHost"


def host(*arguments):
    return subprocess.run(
        [HOST, *map(str, arguments)], capture_output=True, text=True, timeout=120)


class SwiftHostTests(Cases):
    @for_each(("one_call", SCHEDULE, None), ("two_calls", SCHEDULE, 3), ("led", LED, 3))
    def test_steps_are_those_of_the_command(self, _, schedule, guidance):
        inputs = arrays(CORPUS / "wan_traj.npz")
        if guidance:
            inputs["guidance_scale"] = np.float32(guidance)
        folder = scratch_folder()
        np.savez(folder / "inputs.npz", **inputs)
        model = cached_model("wan", schedule)
        done = host(model, folder / "inputs.npz", folder / "steps")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        expected = recording(model, folder / "inputs.npz")
        for step, latents in enumerate(expected["latents"][1:]):
            self.assertNear(np.load(folder / "steps" / f"step-{step}.npy"), latents, 1e-5)
        lines = [f"step {step} computed {flags.sum()} of {flags.size}"
                 for step, flags in enumerate(expected["computed"])]
        self.assertEqual(done.stdout.splitlines(), lines)

    def test_what_does_not_fit_is_said(self):
        model = copy_model("wan", scratch_folder())
        done = host(model, CORPUS / "wan_traj.npz", scratch_folder() / "steps")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the model has no cache", done.stdout)
        short = arrays(CORPUS / "wan_traj.npz")
        short["sigmas"], short["timesteps"] = short["sigmas"][1:], short["timesteps"][1:]
        path = scratch_folder() / "short.npz"
        np.savez(path, **short)
        done = host(cached_model("wan", SCHEDULE), path, scratch_folder() / "steps")
        self.assertEqual(done.returncode, 1)
        self.assertIn("12 steps, not 11", done.stdout)


if __name__ == "__main__":
    unittest.main()
