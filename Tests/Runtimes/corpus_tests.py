"""Every model of the corpus: looked at, run, cached, checked, legalised, run elsewhere, restored.

The schedule is one that any model takes: all blocks keep their delta, step 0 computes, and from
step 1 on every second step does.
"""

import hashlib
import json
import unittest

import onnx

from support import CORPUS, CachedModel, Cases, cached_model, copy_model, ditcache, for_each, golden
from support import manifest, schedule_text, scratch_folder

MODELS = [(path.stem,) for path in sorted(CORPUS.glob("*.onnx"))]
SCHEDULE = schedule_text(("stack", "warmup_steps 1", "refresh every 2"))
HALVES = [(model,) for model, in MODELS if model.endswith(("fp16", "bf16"))]
# Borders within what is fused in half types, where the model rounds.
BEFORE_GATES = """schedule before-gates for any {
  steps 12
  cache self_attention + cross_attention + mlp + parallel of blocks[0..] before gate {
    keep output
    refresh every 2
  }
}
"""
FIRST, COMPUTED, REUSED = 0, 1, 2


def tolerance(model):
    """max |a - b| to PyTorch's numbers, by the precision of the model."""
    return 1e-2 if model.endswith("fp16") else 5e-2 if model.endswith("bf16") else 1e-4


def agreement(model):
    """max |a - b| between runtimes.

    In half precision each operator rounds, and one other order of a sum can move a result to the
    next number of the type: 2^-10 of an output near 3 in float16, 2^-7 in bfloat16, some layers
    deep. That is what the golden tolerances are made for.
    """
    return tolerance(model) if model.endswith(("fp16", "bf16")) else 1e-5


class CorpusTests(Cases):
    def cached(self, model, *options):
        """The cached model, checked."""
        sizes = []
        if model == "wan_ts17_dyn":  # the legacy exporter fixed its 72 positions and its batch
            sizes = ["batch=1", "frames=3", "height=8", "width=12"]
        dims = [word for size in sizes for word in ("--dim", size)]
        return cached_model(model, SCHEDULE, "--check", *dims, *options)

    @for_each(*MODELS)
    def test_it_inspects(self, model):
        report = json.loads(ditcache("inspect", CORPUS / f"{model}.onnx", "--json").stdout)
        self.assertGreaterEqual(len(report["blocks"]), 6)
        self.assertEqual(set(report["targets"]), {"onnxruntime", "openvino", "onnx"})

    @for_each(*MODELS)
    def test_it_runs_as_in_pytorch(self, model):
        for options in [], ["--no-fusions"]:
            ditcache("run", CORPUS / f"{model}.onnx", "--golden", CORPUS / f"{model}.npz",
                     "--tolerance", tolerance(model), *options)

    @for_each(*MODELS)
    def test_all_blocks_are_cached_and_the_check_holds(self, model):
        path = self.cached(model)
        blocks = json.loads(
            ditcache("inspect", CORPUS / f"{model}.onnx", "--json").stdout)["blocks"]
        self.assertEqual(sum(s["blocks"] for s in manifest(path)["sites"]), len(blocks))

    @for_each(*HALVES)
    def test_modules_are_cached_before_their_gates_and_the_check_holds(self, model):
        for options in [], ["--bf16"]:
            path = cached_model(model, BEFORE_GATES, "--check", *options)
            self.assertGreaterEqual(len(manifest(path)["sites"]), 6)

    @for_each(*MODELS)
    def test_all_blocks_are_cached_with_required_state(self, model):
        path = self.cached(model, "--state", "required")
        graph = onnx.load(path, load_external_data=False).graph
        defaults = {tensor.name for tensor in graph.initializer}
        self.assertFalse(defaults & {port.name for port in graph.input})

    @for_each(*MODELS)
    def test_in_onnx_runtime_it_computes_and_reuses_as_here(self, model):
        self.compare(model, "onnxruntime")

    @for_each(*MODELS)
    def test_in_openvino_it_computes_and_reuses_as_here(self, model):
        self.compare(model, "openvino")

    def compare(self, model, runtime):
        path = self.cached(model, "--target", runtime)
        feeds, expected = golden(CORPUS / f"{model}.npz")
        there, here = CachedModel(path, runtime), CachedModel(path, "ditcache")
        first = there(feeds, FIRST)
        self.assertNear(first, next(iter(expected.values())), tolerance(model))
        self.assertNear(first, here(feeds, FIRST), agreement(model))
        for step in (COMPUTED, REUSED):
            self.assertNear(there(feeds, step), here(feeds, step), agreement(model))
            self.assertEqual(there.computed.all(), step == COMPUTED)
            self.assertEqual(there.computed.any(), step == COMPUTED)
            self.assertEqual(there.computed.tolist(), here.computed.tolist())

    @for_each(*MODELS)
    def test_the_original_comes_back(self, model):
        original = digest(copy_model(model, scratch_folder()))
        for options in ([], ["--state", "required"], ["--target", "onnxruntime"],
                        ["--target", "openvino"], ["--target", "onnx"]):
            path = self.cached(model, *options)
            output = path.with_name("unwrapped.onnx")
            self.assertIn("identical", ditcache("unwrap", path, "-o", output).stdout)
            self.assertEqual(digest(output), original)

    @for_each(*MODELS)
    def test_for_the_strict_standard_the_checker_accepts_it(self, model):
        onnx.checker.check_model(self.cached(model, "--target", "onnx"), full_check=True)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    unittest.main()
