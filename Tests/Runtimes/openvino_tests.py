"""OpenVINO keeps the state itself: variables in place of the inputs and outputs of a cached model."""

import subprocess
import sys
import unittest

import numpy as np

from support import CORPUS, ROOT, Cases, arrays, cached_model, for_each, manifest, recording
from support import schedule_text, scratch_folder

EXAMPLE = ROOT / "examples" / "openvino" / "stateful_host.py"
sys.path.insert(0, str(EXAMPLE.parent))
from stateful_host import Request, StatefulModel, denoise  # noqa: E402

SCHEDULES = {
    "wan": schedule_text(
        ("blocks[0-1]", "warmup_steps 2", "refresh every 3"), ("blocks[3..]", "refresh every 2")),
    "hunyuan": schedule_text(
        ("dual[0..]", "warmup_steps 2", "refresh every 3"),
        ("single[1..]", "refresh every 2"), adapter="hunyuan"),
}
SCHEDULES["wan_dyn"] = SCHEDULES["wan"]


def stateful(name):
    path = cached_model(name, SCHEDULES[name], "--target", "openvino")
    return path, StatefulModel(path, INFERENCE_PRECISION_HINT="f32", INFERENCE_NUM_THREADS=1)


class StatefulTests(Cases):
    @for_each(*[(name,) for name in SCHEDULES])
    def test_variables_give_the_latents_of_ditcache(self, name):
        trajectory = CORPUS / f"{name.removesuffix('_dyn')}_traj.npz"
        path, model = stateful(name)
        expected = recording(path, trajectory)
        record = denoise(model, arrays(trajectory), "hidden_states", "timestep", branch=Request,
                         on_step=lambda *_: None)
        np.testing.assert_array_equal(record["computed"], expected["computed"])
        self.assertTrue(0 < record["computed"].sum() < record["computed"].size)
        self.assertNear(record["latents"], expected["latents"], 5e-5)

    def test_only_flags_controls_and_own_inputs_are_left_to_feed(self):
        _, model = stateful("wan")
        names = {port.any_name for port in model.compiled.inputs}
        self.assertEqual(names, {
            "hidden_states", "timestep", "encoder_hidden_states", *model.manifest["controls"],
            *model.flags})
        self.assertEqual(len(model.flags), 2)
        variables = {variable.name for variable in Request(model).request.query_state()}
        self.assertEqual(len(variables), len(model.manifest["state"]) - len(model.flags))

    def test_requests_share_nothing_and_reset_forgets(self):
        _, model = stateful("wan")
        inputs = arrays(CORPUS / "wan_traj.npz")
        feeds = {"hidden_states": inputs["initial_noise"], "timestep": np.float32([500]),
                 "encoder_hidden_states": inputs["text/encoder_hidden_states"]}
        one, other = Request(model), Request(model)
        self.assertTrue(one(feeds, 0, [1, 0])[1].all())
        self.assertFalse(one(feeds, 3, [1, 0])[1].all())
        self.assertTrue(other(feeds, 3, [1, 0])[1].all())
        one.reset()
        self.assertTrue(one(feeds, 3, [1, 0])[1].all())

    def test_a_schedule_that_averages_states_is_refused(self):
        schedule = (ROOT / "Tests" / "ReplayTests" / "Schedules" / "wan_tgate.dcs").read_text()
        path = cached_model("wan", schedule, "--target", "openvino")
        self.assertIn("dropped", manifest(path)["branches"])
        with self.assertRaises(SystemExit):
            StatefulModel(path)

    def test_the_command_line_gives_the_same_latents(self):
        path, _ = stateful("wan")
        expected = recording(path, CORPUS / "wan_traj.npz")
        result = scratch_folder() / "result.npz"
        done = subprocess.run(
            [sys.executable, EXAMPLE, path, CORPUS / "wan_traj.npz", result], capture_output=True,
            text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("% of calls computed", done.stdout)
        self.assertNear(arrays(result)["latents"], expected["latents"], 5e-5)


if __name__ == "__main__":
    unittest.main()
