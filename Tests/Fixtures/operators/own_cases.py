"""Cases that ONNX does not have, answered by ONNX Runtime with its optimisations off.

Operators of com.microsoft, quantised models, functions of a model, and inputs with defaults.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

FLOAT = TensorProto.FLOAT
TOLERANCE = np.array([1e-4, 2e-6])


def values(*shape, seed=0, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def answers(model, feeds):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))


def graph_model(nodes, feeds, outputs, weights=(), functions=(), opset=20, ir=8, domains=()):
    inputs = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for n, v in feeds.items()
    ]
    results = [helper.make_tensor_value_info(n, FLOAT, None) for n in outputs]
    graph = helper.make_graph(
        nodes, "own", inputs, results, [numpy_helper.from_array(v, n) for n, v in weights]
    )
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    return helper.make_model(
        graph, opset_imports=imports, ir_version=ir, functions=list(functions)
    )


def microsoft(op, feeds, outputs=("y",), **attributes):
    inputs = [name if value is not None else "" for name, value in feeds.items()]
    node = helper.make_node(op, inputs, list(outputs), domain="com.microsoft", **attributes)
    feeds = {n: v for n, v in feeds.items() if v is not None}
    model = graph_model([node], feeds, [o for o in outputs if o], domains=["com.microsoft"])
    return model, feeds


def microsoft_cases():
    x, y = values(2, 3, 4, seed=1), values(2, 4, 5, seed=2)
    yield "fused_matmul", microsoft("FusedMatMul", {"a": x, "b": y}, alpha=0.25)
    yield "fused_matmul_transposed", microsoft(
        "FusedMatMul", {"a": values(2, 4, 3, seed=1), "b": values(5, 4, seed=3)}, alpha=1.5,
        transA=1, transB=1)
    yield "quick_gelu", microsoft("QuickGelu", {"x": x})
    yield "quick_gelu_silu", microsoft("QuickGelu", {"x": x}, alpha=1.0)
    yield "fast_gelu", microsoft("FastGelu", {"x": x})
    yield "fast_gelu_bias", microsoft("FastGelu", {"x": x, "bias": values(4, seed=4)})
    yield "bias_gelu", microsoft("BiasGelu", {"x": x, "bias": values(4, seed=4)})
    yield "gelu", microsoft("Gelu", {"x": x})
    scale, shift, bias = values(4, seed=5), values(4, seed=6), values(4, seed=7)
    skip = values(2, 3, 4, seed=8)
    for name, tail in [("", {}), ("_bias", {"shift": shift, "bias": bias})]:
        yield "skip_layer_normalization" + name, microsoft(
            "SkipLayerNormalization", {"x": x, "skip": skip, "scale": scale, **tail},
            ("y", "", "", "sum"), epsilon=1e-6)
    for name, tail in [("", {}), ("_bias", {"bias": bias})]:
        yield "skip_simplified_layer_normalization" + name, microsoft(
            "SkipSimplifiedLayerNormalization", {"x": x, "skip": skip, "scale": scale, **tail},
            ("y", "", "", "sum"), epsilon=1e-6)
    yield "fused_gemm", microsoft(
        "FusedGemm", {"a": values(3, 4, seed=9), "b": values(5, 4, seed=10), "c": values(5)},
        transB=1, activation="Relu")
    yield "fused_conv", microsoft(
        "FusedConv", {"x": values(1, 2, 6, 6), "w": values(3, 2, 3, 3, seed=1), "b": values(3)},
        pads=[1, 1, 1, 1], activation="Relu")
    node = helper.make_node("SimplifiedLayerNormalization", ["x", "scale"], ["y"], epsilon=1e-6)
    feeds = {"x": x, "scale": scale}
    yield "simplified_layer_normalization", (graph_model([node], feeds, ["y"]), feeds)


class Samples(CalibrationDataReader):
    def __init__(self, shape):
        self.rest = iter([{"x": values(*shape, seed=s)} for s in range(4)])

    def get_next(self):
        return next(self.rest, None)


def quantised_cases():
    x = values(2, 3, 8, 8, seed=1)
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Reshape", ["r", "rows"], ["f"]),
        helper.make_node("MatMul", ["f", "w1"], ["m"]),
        helper.make_node("Gelu", ["m"], ["g"]),
        helper.make_node("MatMul", ["g", "w2"], ["y"]),
    ]
    weights = [
        ("w0", values(4, 3, 3, 3, seed=2, scale=0.3)), ("b0", values(4, seed=3)),
        ("rows", np.array([2, 32, 8], np.int64)), ("w1", values(8, 16, seed=4, scale=0.3)),
        ("w2", values(16, 8, seed=5, scale=0.3)),
    ]
    for name, by_channel in [("qdq", False), ("qdq_per_channel", True)]:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "a.onnx"), Path(folder, "b.onnx")
            model = graph_model(nodes, {"x": x}, ["y"], weights)
            source.write_bytes(model.SerializeToString())
            quantize_static(
                source, target, Samples(x.shape), quant_format=QuantFormat.QDQ,
                per_channel=by_channel)
            model.ParseFromString(target.read_bytes())
        yield name, (model, {"x": x})


def function_cases():
    x = values(2, 3, seed=1)
    imports = [helper.make_opsetid("", 20)]
    clamp = helper.make_function(
        "local", "Leaky", ["x"], ["y"],
        [helper.make_node("LeakyRelu", ["x"], ["y"])], imports, ["slope"])
    clamp.node[0].attribute.add(name="alpha", ref_attr_name="slope", type=1)
    inner = helper.make_function(
        "local", "Twice", ["x", "more"], ["y", "same"],
        [
            helper.make_node("Leaky", ["x"], ["t"], domain="local", slope=0.5),
            helper.make_node("Add", ["t", "x"], ["y"]),
            helper.make_node("Identity", ["x"], ["same"]),
        ],
        imports + [helper.make_opsetid("local", 1)])
    nodes = [
        helper.make_node("Leaky", ["x"], ["t"], domain="local", slope=0.25),
        helper.make_node("Twice", ["t"], ["u", "v"], domain="local"),
        helper.make_node("Mul", ["u", "v"], ["y"]),
    ]
    model = graph_model(
        nodes, {"x": x}, ["y"], functions=[clamp, inner], domains=["local"])
    yield "function", (model, {"x": x})
    branches = {
        f"{kind}_branch": helper.make_graph(
            [helper.make_node(op, ["x"], ["z"])], kind, [],
            [helper.make_tensor_value_info("z", FLOAT, None)])
        for kind, op in [("then", "Neg"), ("else", "Abs")]
    }
    choice = helper.make_function(
        "local", "Choice", ["x", "c"], ["y"],
        [
            helper.make_node("ReduceMax", ["c"], ["m"], keepdims=0),
            helper.make_node("Cast", ["m"], ["b"], to=TensorProto.BOOL),
            helper.make_node("If", ["b"], ["y"], **branches),
        ], imports)
    for name, number in [("function_if_then", 1.0), ("function_if_else", 0.0)]:
        feeds = {"x": x, "c": np.full([2], number, np.float32)}
        model = graph_model(
            [helper.make_node("Choice", ["x", "c"], ["y"], domain="local")], feeds, ["y"],
            functions=[choice], domains=["local"])
        yield name, (model, feeds)


def version_cases():
    """Inputs that are initializers as well, as files of IR version 3 list all of them."""
    x, w = values(2, 3, seed=1), values(3, 4, seed=2)
    for ir in range(3, 11):
        model = graph_model(
            [helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": x, "w": w}, ["y"],
            weights=[("w", w)], opset=7 if ir < 6 else 13, ir=ir)
        yield f"ir_{ir}", (model, {"x": x})


def all_cases():
    for prefix, cases in [
        ("microsoft_", microsoft_cases()), ("", quantised_cases()), ("", function_cases()),
        ("", version_cases()),
    ]:
        for name, (model, feeds) in cases:
            yield prefix + name, model, feeds, answers(model, feeds)
