"""The example host: nothing leaks from run to run, branch to branch or shape to shape.

One opened model in ONNX Runtime serves all runs of a test, and each is bit for bit what it is alone
on a model opened for it. Tests/ReplayTests does the same in ditcache's interpreter.
"""

import contextlib
import io
import unittest

import numpy as np

from form_tests import form
from support import CORPUS, LATENTS, ROOT, TIMESTEP, Cases, arrays, cached_model, conditioning
from support import for_each, manifest, onnx_runtime

import host

SCHEDULES = ROOT / "Tests" / "ReplayTests" / "Schedules"
FIXED = ["wan_profilingdit", "wan_taylorseer_attn_o1", "wan_deltadit"]
DECIDED = ["wan_teacache_ret", "wan_dbcache_taylor", "wan_adacache"]
GUIDED = ["wan_easycache_cfg", "wan_tgate"]
FORMS = [(name, "if") for name in FIXED + DECIDED + GUIDED] + [
    (name, "static") for name in FIXED + ["wan_tgate"]] + [
    (name, "split") for name in ["wan_deltadit", "wan_teacache_ret", "wan_dbcache_taylor",
                                 "wan_adacache", "wan_easycache_cfg"]]


class Stopped(Exception):
    pass


def opened(name, kind, model="wan"):
    """A cached model, opened anew."""
    text = (SCHEDULES / f"{name}.dcs").read_text()
    path = cached_model(model, text) if kind == "if" else form(model, text, kind)
    return host.Model(path, onnx_runtime, None if path.is_dir() else manifest(path))


def two_inputs(guided):
    """Inputs of two runs that have no number in common."""
    first = arrays(CORPUS / "wan_traj.npz")
    if guided:
        first["guidance_scale"] = np.float32(3)
    return first, {**first, "initial_noise": 0.5 - np.float32(0.75) * first["initial_noise"]}


def denoise(model, inputs):
    with contextlib.redirect_stdout(io.StringIO()):
        return host.denoise(model, inputs, LATENTS, TIMESTEP)


class IsolationTests(Cases):
    def assert_same(self, ours, due):
        for key, value in due.items():
            np.testing.assert_array_equal(ours[key], value, err_msg=key)

    @for_each(*FORMS)
    def test_generations_in_a_row_are_what_each_is_alone(self, name, kind):
        runs = two_inputs(guided=True)
        alone = [denoise(opened(name, kind), inputs) for inputs in runs]
        self.assertFalse(np.array_equal(alone[0]["final"], alone[1]["final"]))
        self.assertTrue(0 < alone[0]["computed"][1:].mean() < 1)
        model = opened(name, kind)
        for number in (0, 1, 1, 0):
            self.assert_same(denoise(model, runs[number]), alone[number])

    @for_each(*FORMS)
    def test_an_aborted_run_leaves_nothing_behind(self, name, kind):
        first, second = two_inputs(guided=True)
        model = opened(name, kind)
        running, left = model.file, [0]

        def failing(path):
            def run(feeds):
                left[0] -= 1
                if left[0] < 0:
                    raise Stopped
                return running(path)(feeds)
            return run

        model.file = failing
        for calls in (13, 14):
            left[0] = calls
            with self.assertRaises(Stopped):
                denoise(model, second)
        model.file = running
        self.assert_same(denoise(model, first), denoise(opened(name, kind), first))

    @for_each(*[(name, kind) for name, kind in FORMS if name not in GUIDED])
    def test_interleaved_branches_are_what_each_is_alone(self, name, kind):
        inputs, _ = two_inputs(guided=True)
        both = denoise(opened(name, kind), inputs)
        words = conditioning(inputs)
        for number, text in enumerate([{k: np.zeros_like(v) for k, v in words.items()}, words]):
            branch = host.Branch(opened(name, kind), number=1 - number)
            for step, timestep in enumerate(inputs["timesteps"]):
                feeds = {LATENTS: both["latents"][step], **text,
                         TIMESTEP: np.full(1, timestep, np.float32)}
                output, computed = branch(feeds, step, inputs["sigmas"][step:step + 2])
                np.testing.assert_array_equal(output, both["model_out"][step, number])
                np.testing.assert_array_equal(computed, both["computed"][step, number])

    @for_each(*[(name,) for name in FIXED + DECIDED])
    def test_one_branch_goes_through_shapes_each_as_if_it_were_alone(self, name):
        inputs = arrays(CORPUS / "wan_traj.npz")
        shapes = []
        for shape in ("b1f3h8w12l7", "b3f2h4w10l5"):
            stored = arrays(CORPUS / f"wan_dyn__{shape}.npz")
            feeds = {key[3:]: value for key, value in stored.items() if key.startswith("in/")}
            shapes.append([
                {**feeds, LATENTS: feeds[LATENTS] * np.float32(1 - step * step / 160),
                 TIMESTEP: np.full_like(feeds[TIMESTEP], timestep)}
                for step, timestep in enumerate(inputs["timesteps"])])

        def calls(branch, shape, count):
            return [branch(feeds, step, inputs["sigmas"][step:step + 2])
                    for step, feeds in enumerate(shapes[shape][:count])]

        due = [calls(host.Branch(opened(name, "if", "wan_dyn")), shape, 12) for shape in (0, 1)]
        branch = host.Branch(opened(name, "if", "wan_dyn"))
        # The first pass over a shape breaks off, so that the next one finds state of any kind.
        for shape, count in ((0, 7), (1, 12), (0, 7), (1, 12)):
            for own, alone in zip(calls(branch, shape, count), due[shape]):
                np.testing.assert_array_equal(own[0], alone[0])
                np.testing.assert_array_equal(own[1], alone[1])


if __name__ == "__main__":
    unittest.main()
