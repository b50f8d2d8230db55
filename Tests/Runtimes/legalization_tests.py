"""Models that a runtime refuses as they are, and runs after `rewrite --target`."""

import json
import unittest

import onnx
from onnx import helper

from support import CORPUS, CachedModel, Cases, ditcache, golden, onnx_runtime, schedule_text
from support import scratch_folder

SCHEDULE = schedule_text(("stack", "warmup_steps 1", "refresh every 2"))


def with_casts_in_norms(model):
    """`.float()` on float32, as in norms of code that computes them in float32 whatever comes in.

    The norm reads its input once directly, for the mean of squares, and once through the cast.
    """
    uses = {}
    for node in model.graph.node:
        for name in node.input:
            uses.setdefault(name, []).append(node)
    nodes = []
    for node in model.graph.node:
        nodes.append(node)
        for value in node.output:
            readers = uses.get(value, [])
            scaled = [n for n in readers if n.op_type == "Mul"]
            if any(n.op_type == "Pow" for n in readers) and scaled:
                cast = f"{value}/float"
                nodes.append(helper.make_node("Cast", [value], [cast], to=onnx.TensorProto.FLOAT))
                for reader in scaled:
                    reader.input[list(reader.input).index(value)] = cast
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return sum(node.op_type == "Cast" and node.output[0].endswith("/float") for node in nodes)


class LegalizationTests(Cases):
    def setUp(self):
        self.folder = scratch_folder()
        (self.folder / "schedule.dcs").write_text(SCHEDULE)

    def rewritten(self, path, *options):
        output = self.folder / "cached.onnx"
        report = ditcache("rewrite", path, "--schedule", self.folder / "schedule.dcs", "-o", output,
                          "--check", "--json", *options)
        return output, json.loads(report.stdout)

    def test_casts_that_onnx_runtimes_fusion_of_rms_norm_loses(self):
        model = onnx.load(CORPUS / "wan_ts17.onnx")
        casts = with_casts_in_norms(model)
        self.assertGreater(casts, 20)
        path = self.folder / "casts.onnx"
        onnx.save(model, path)
        onnx.checker.check_model(path, full_check=True)
        with self.assertRaisesRegex(Exception, "is not a graph input, initializer, or output"):
            onnx_runtime(path)
        output, report = self.rewritten(path, "--target", "onnxruntime")
        costs = {entry["rule"]: entry for entry in report["legalization"]}
        self.assertGreaterEqual(costs["redundant-cast"]["places"], casts)
        self.assertEqual(costs["redundant-cast"]["nodes"], -costs["redundant-cast"]["places"])
        feeds, expected = golden(CORPUS / "wan_ts17.npz")
        self.assertNear(
            CachedModel(output, "onnxruntime")(feeds, 0), next(iter(expected.values())), 1e-4)
        restored = self.folder / "restored.onnx"
        self.assertIn("identical", ditcache("unwrap", output, "-o", restored).stdout)
        self.assertEqual(restored.read_bytes(), path.read_bytes())

    def test_a_repaired_squeeze_needs_no_target(self):
        output, report = self.rewritten(CORPUS / "pixart.onnx")
        self.assertEqual([entry["rule"] for entry in report["legalization"]], ["invalid-squeeze"])
        onnx.checker.check_model(output, full_check=True)
        feeds, expected = golden(CORPUS / "pixart.npz")
        self.assertNear(
            CachedModel(output, "onnxruntime")(feeds, 0), next(iter(expected.values())), 1e-4)

    def test_weights_of_a_bfloat16_model_stay_as_they_are(self):
        output, report = self.rewritten(CORPUS / "wan_bf16.onnx", "--target", "onnxruntime")
        before, after = (
            {tensor.name: tensor.SerializeToString() for tensor in onnx.load(path).graph.initializer}
            for path in (CORPUS / "wan_bf16.onnx", output))
        self.assertEqual(before, {name: after[name] for name in before})
        cost = next(e for e in report["legalization"] if e["rule"] == "bfloat16-computation")
        self.assertGreater(cost["bytes"], 1_000_000)
        ports = onnx.load(output).graph
        types = {port.name: port.type.tensor_type.elem_type for port in [*ports.input, *ports.output]}
        self.assertEqual(types["hidden_states"], onnx.TensorProto.BFLOAT16)
        self.assertEqual(types["view_72"], onnx.TensorProto.BFLOAT16)

    def test_a_deleted_epsilon_is_a_warning(self):
        model = onnx.load(CORPUS / "dit.onnx")
        graph = model.graph
        output = graph.output[0].name
        for node in graph.node:
            for position, name in enumerate(node.output):
                if name == output:
                    node.output[position] = "raw"
        graph.node.extend([
            helper.make_node("Relu", ["raw"], ["positive"]),
            helper.make_node("ReduceSum", ["positive"], ["total"], keepdims=1),
            helper.make_node("Div", ["positive", "total"], [output], name="normalise")])
        path = self.folder / "sum.onnx"
        onnx.save(model, path)
        report = json.loads(ditcache("inspect", path, "--json").stdout)
        self.assertEqual(
            [(d["rule"], d["repaired"]) for d in report["defects"]], [("deleted-epsilon", False)])
        self.assertIn("optimize=False", ditcache("inspect", path).stdout)


if __name__ == "__main__":
    unittest.main()
