"""Cached models in ONNX Runtime and OpenVINO: the same numbers, and skipped blocks stay skipped."""

import json
import time
import unittest

import numpy as np
import onnx

from replay import replace_bool_where
from support import CORPUS, LATENTS, ROOT, RUNTIMES, TIMESTEP, CachedModel, Cases, arrays
from support import cached_model, conditioning, denoise, distance, for_each, golden, manifest
from support import onnx_runtime, open_vino, recording, schedule_text, scratch_folder

# On both models steps 0-2, 5, 8 and 11 compute, the others reuse.
COMPUTED, REUSED = 5, 4
CLAUSES = ("warmup_steps 2", "refresh every 3")
SITES = {"wan": "blocks[1-4]", "hunyuan": "dual[0..] + single[1..]"}

BOTH = [(runtime, model) for runtime in RUNTIMES for model in SITES]
MORE = [(runtime, model) for runtime in RUNTIMES for model in (
    "wan", "wan_dyn", "wan_opset23", "wan_ts17", "hunyuan", "hunyuan_dyn", "hunyuan_opset23")]


def cached(model, runtime):
    family = model.split("_")[0]
    schedule = schedule_text((SITES[family], *CLAUSES), adapter=family)
    return cached_model(model, schedule, "--target", runtime)


def original(model):
    """A corpus model in ONNX Runtime, without cache."""
    proto = onnx.load(CORPUS / f"{model}.onnx")
    if model.startswith("hunyuan"):
        replace_bool_where(proto)
    run = onnx_runtime(proto)
    return lambda feeds: next(iter(run(feeds).values()))


def moved(feeds):
    """The same call with other latents."""
    return {**feeds, LATENTS: feeds[LATENTS][..., ::-1].copy()}


class TrajectoryTests(Cases):
    @for_each(*BOTH)
    def test_each_step_agrees_with_ditcache(self, runtime, model):
        path, trajectory = cached(model, runtime), CORPUS / f"{model}_traj.npz"
        recorded = recording(path, trajectory)
        outputs, _ = denoise(
            CachedModel(path, runtime), arrays(trajectory), fed_latents=recorded["latents"])
        for step, output in enumerate(outputs):
            self.assertNear(output, recorded["model_out"][step, 0], 1e-5)

    @for_each(*BOTH)
    def test_the_trajectory_agrees_with_ditcache(self, runtime, model):
        path, trajectory = cached(model, runtime), CORPUS / f"{model}_traj.npz"
        recorded = recording(path, trajectory)
        _, latents = denoise(CachedModel(path, runtime), arrays(trajectory))
        self.assertNear(latents, recorded["latents"], 5e-5)


    @for_each(*[(runtime,) for runtime in RUNTIMES])
    def test_batched_guidance_agrees_with_ditcache(self, runtime):
        path, trajectory = cached("wan_dyn", runtime), CORPUS / "wan_traj_cfg.npz"
        recorded, branch = recording(path, trajectory), CachedModel(path, runtime)

        inputs = arrays(trajectory)
        for step, timestep in enumerate(inputs["timesteps"]):
            latents = recorded["latents"][step]
            output = branch({
                LATENTS: np.concatenate([latents, latents]),
                TIMESTEP: np.full(2, timestep, np.float32), **conditioning(inputs)}, step)
            self.assertNear(output, recorded["model_out"][step, 0], 1e-5)
        self.assertEqual(recorded["computed"].sum(), 6)


class ReuseTests(Cases):
    @for_each(*MORE)
    def test_the_second_of_two_steps_reuses(self, runtime, model):
        feeds, _ = golden(CORPUS / f"{model}.npz")
        branch = CachedModel(cached(model, runtime), runtime)
        first = branch(feeds, COMPUTED)
        self.assertTrue(branch.computed.all())
        second = branch(feeds, REUSED)
        self.assertFalse(branch.computed.any())
        self.assertNear(first, second, 1e-4)

    @for_each(*MORE)
    def test_a_fresh_state_computes_whatever_is_asked(self, runtime, model):
        feeds, expected = golden(CORPUS / f"{model}.npz")
        branch = CachedModel(cached(model, runtime), runtime)
        output = branch(feeds, REUSED, override=2)
        self.assertTrue(branch.computed.all())
        self.assertNear(output, next(iter(expected.values())), 1e-4)

    @for_each(*BOTH)
    def test_override_beats_the_schedule(self, runtime, model):
        feeds, _ = golden(CORPUS / f"{model}.npz")
        branch = CachedModel(cached(model, runtime), runtime)
        branch(feeds, COMPUTED)
        reused = branch(moved(feeds), COMPUTED, override=2)
        self.assertFalse(branch.computed.any())
        computed = branch(moved(feeds), REUSED, override=1)
        self.assertTrue(branch.computed.all())
        expected = original(model)(moved(feeds))
        self.assertNear(computed, expected, 1e-5)
        self.assertGreater(distance(reused, expected), 1e-2)

    @for_each(*BOTH)
    def test_the_state_is_read_by_reused_steps_alone(self, runtime, model):
        feeds, _ = golden(CORPUS / f"{model}.npz")
        branch = CachedModel(cached(model, runtime), runtime)
        branch(feeds, COMPUTED)
        honest = dict(branch.state)
        noise = np.random.default_rng(1)
        poisoned = {
            name: value if value.dtype == bool else
            value + noise.standard_normal(value.shape, np.float32)
            for name, value in honest.items()}
        outputs = {}
        for step in (COMPUTED, REUSED):
            for number, state in enumerate((honest, poisoned)):
                branch.state = dict(state)
                outputs[step, number] = branch(feeds, step)
        np.testing.assert_array_equal(outputs[COMPUTED, 0], outputs[COMPUTED, 1])
        self.assertGreater(distance(outputs[REUSED, 0], outputs[REUSED, 1]), 1e-2)

    @for_each(*[(runtime,) for runtime in RUNTIMES])
    def test_a_state_of_another_shape_is_not_used(self, runtime):
        branch = CachedModel(cached("wan_dyn", runtime), runtime)
        branch(golden(CORPUS / "wan_dyn.npz")[0], COMPUTED)
        feeds, expected = golden(CORPUS / "wan_dyn__b1f3h8w12l7.npz")
        output = branch(feeds, REUSED)
        self.assertTrue(branch.computed.all())
        self.assertNear(output, next(iter(expected.values())), 1e-4)
        branch(feeds, REUSED)
        self.assertFalse(branch.computed.any())

    @for_each(*[(model,) for model in SITES])
    def test_onnx_runtime_runs_fewer_kernels_on_a_reused_step(self, model):
        path = cached(model, "onnxruntime")
        feeds, _ = golden(CORPUS / f"{model}.npz")
        products = {}
        for step in (COMPUTED, REUSED):
            branch = CachedModel(path, "onnxruntime")
            branch(feeds, COMPUTED)
            branch.run = onnx_runtime(
                path, enable_profiling=True, profile_file_prefix=str(scratch_folder() / "profile"))
            branch(feeds, step)
            with open(branch.run.session.end_profiling()) as file:
                products[step] = sum(
                    event.get("args", {}).get("op_name") in ("MatMul", "Gemm", "FusedMatMul")
                    and event["name"].endswith("_kernel_time") for event in json.load(file))
        self.assertLess(products[REUSED], products[COMPUTED] / 2)


    # The trained example model: 12 blocks, large enough that they are nearly all of a call.
    @for_each(*[(runtime,) for runtime in RUNTIMES])
    def test_a_reused_step_takes_a_fraction_of_the_time(self, runtime):
        path = cached_model(
            "wan_video", schedule_text(("stack", *CLAUSES)), "--target", runtime,
            source=ROOT / "examples" / "models")
        branch, noise = CachedModel(path, runtime), np.random.default_rng(1)
        feeds = {
            LATENTS: noise.standard_normal((1, 3, 8, 32, 32), np.float32),
            TIMESTEP: np.float32([500]),
            "encoder_hidden_states": noise.standard_normal((1, 8, 64), np.float32)}
        fastest = {}
        for step in (COMPUTED, REUSED):
            branch(feeds, step)
            durations = []
            for _ in range(4):
                begun = time.perf_counter()
                branch(feeds, step)
                durations.append(time.perf_counter() - begun)
            fastest[step] = min(durations)
        self.assertLess(fastest[REUSED], fastest[COMPUTED] / 3)


class ConventionTests(Cases):
    @for_each(("wan",), ("wan_dyn",), ("hunyuan",), ("hunyuan_opset23",))
    def test_optional_state_leaves_the_original_call_as_it_was(self, model):
        feeds, expected = golden(CORPUS / f"{model}.npz")
        run = onnx_runtime(cached(model, "onnxruntime"))
        results = run(feeds)
        self.assertTrue(results["ditcache/computed"].all())
        for name, value in expected.items():
            self.assertNear(results[name], value, 1e-4)
        if model != "hunyuan_opset23":
            self.assertNear(results[name], original(model)(feeds), 1e-5)

    @for_each(("wan",), ("hunyuan",))
    def test_required_state_is_not_folded_away_by_openvino(self, model):
        path = cached(model, "openvino")
        ports = {name for port in open_vino(path).compiled.inputs for name in port.names}
        facts = manifest(path)
        needed = [*facts["controls"], *(slot["input"] for slot in facts["state"])]
        self.assertLessEqual(set(needed), ports)

    @for_each(("hunyuan",), ("hunyuan_dyn",), ("hunyuan_opset23",), ("hunyuan_ext",))
    def test_onnx_runtime_runs_what_it_refused(self, model):
        feeds, expected = golden(CORPUS / f"{model}.npz")
        with self.assertRaises(Exception):
            onnx_runtime(CORPUS / f"{model}.onnx")(feeds)
        results = onnx_runtime(cached(model, "onnxruntime"))(feeds)
        for name, value in expected.items():
            self.assertNear(results[name], value, 1e-4)


if __name__ == "__main__":
    unittest.main()
