"""Every model of the corpus: our numbers, what a rewrite leaves valid, and what unwrap restores."""

import hashlib
import unittest

import numpy as np
import onnx

from support import CORPUS, MAIN_MODELS, Cases, arrays, cached_model, ditcache, for_each, golden
from support import onnx_runtime, recording, schedule_text, scratch_folder

GOLDENS = [(name, path) for name in MAIN_MODELS
           for path in sorted({CORPUS / f"{name}.npz", *CORPUS.glob(f"{name}__*.npz")})]
SCHEDULE = schedule_text(("stack", "warmup_steps 2", "refresh every 3"))
CONVENTIONS = [("optional",), ("required",)]


class NumberTests(Cases):
    @for_each(*[(path.stem, name, path) for name, path in GOLDENS])
    def test_golden_outputs(self, _, name, path):
        ditcache("run", CORPUS / f"{name}.onnx", "--golden", path, "--tolerance", "1e-4")

    # ONNX Runtime refuses HunyuanVideo's export: it has no Where on bool.
    @for_each(*[(path.stem, name, path) for name, path in GOLDENS if name.startswith("wan")])
    def test_onnx_runtime_agrees(self, _, name, path):
        model, folder = CORPUS / f"{name}.onnx", scratch_folder()
        feeds, _ = golden(path)
        np.savez(folder / "feeds.npz", **feeds)
        ditcache("run", model, "--input", folder / "feeds.npz", "--output", folder / "results.npz")
        ours = arrays(folder / "results.npz")
        for output, value in onnx_runtime(model)(feeds).items():
            self.assertNear(ours[output], value, 1e-5)

    @for_each(("wan", "wan_traj", 5e-5), ("wan_dyn", "wan_traj_cfg", 5e-5),
              ("hunyuan", "hunyuan_traj", 5e-4))
    def test_uncached_trajectory(self, model, trajectory, tolerance):
        path = CORPUS / f"{trajectory}.npz"
        recorded, expected = recording(CORPUS / f"{model}.onnx", path), arrays(path)
        self.assertNear(recorded["model_out"][:, 0], expected["model_out"], tolerance)
        self.assertNear(recorded["latents"], expected["latents"], tolerance)
        self.assertNear(recorded["final"], expected["final"], tolerance)


class RewriteTests(Cases):
    @for_each(*[(name, *state) for name in MAIN_MODELS for state in CONVENTIONS])
    def test_onnx_checker_accepts_the_cached_model(self, name, state):
        onnx.checker.check_model(
            str(cached_model(name, SCHEDULE, "--state", state)), full_check=True)

    @for_each(*[(name,) for name in MAIN_MODELS])
    def test_h1_the_check_of_the_tool_itself_passes(self, name):
        cached_model(name, SCHEDULE, "--check")

    @for_each(*[(name, *state) for name in MAIN_MODELS for state in CONVENTIONS])
    def test_unwrap_restores_every_byte(self, name, state):
        self.assert_unwraps(name, cached_model(name, SCHEDULE, "--state", state))

    @for_each(*[(name,) for name in MAIN_MODELS if name.startswith("hunyuan")])
    def test_unwrap_undoes_what_a_target_changed(self, name):
        self.assert_unwraps(name, cached_model(name, SCHEDULE, "--target", "onnxruntime"))

    @for_each(("wan",), ("hunyuan_ext",))
    def test_i9_rewriting_twice_gives_the_same_bytes(self, name):
        first, second = (cached_model.__wrapped__(name, SCHEDULE) for _ in range(2))
        self.assertEqual(digest(first), digest(second))

    def assert_unwraps(self, name, cached):
        restored = cached.parent / "restored.onnx"
        done = ditcache("unwrap", cached, "-o", restored)
        self.assertEqual(digest(restored), digest(CORPUS / f"{name}.onnx"))
        self.assertIn("identical", done.stdout)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    unittest.main()
