"""Writes cases.tar.xz beside this script: ONNX's own node cases, and those of own_cases.py.

Made with the packages of Tests/Runtimes/requirements.txt. A case is a model `NAME.onnx` and a file
`NAME.safetensors` with a tensor `in/VALUE` for each input and `out/VALUE` for each output; element
i of a sequence is `in/VALUE/i`, and `in/VALUE/sequence` holds the number of elements. An optional
without contents has no tensor.

All cases are taken whose operators, those of subgraphs and functions included, are none of
`left_out`, whose element types ditcache has, and which ONNX's checker accepts at an operator set
that ditcache reads. Standard output says how many others there are, and why.
"""

import collections
import io
import json
import lzma
import os
import tarfile
import warnings

import ml_dtypes
import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

import own_cases

here = os.path.dirname(os.path.abspath(__file__))
archive = os.path.join(here, "cases.tar.xz")
oldest_opset = 7
newest_opset = 24
newest_ir = 13
largest_case = 200_000
names = {
    "float32": "F32", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16",
    "int32": "I32", "int64": "I64", "bool": "BOOL", "float16": "F16", "float64": "F64",
    "uint32": "U32", "uint64": "U64", "bfloat16": "BF16",
}  # fmt: skip
left_out = {
    "training": """Adagrad Adam Momentum Gradient""",
    "recurrent networks": """GRU LSTM RNN""",
    "text": """LabelEncoder RegexFullMatch StringConcat StringNormalizer StringSplit
        TfIdfVectorizer""",
    "decision trees and feature tables": """ArrayFeatureExtractor Binarizer TreeEnsemble""",
    "detection": """DeformConv MaxUnpool NonMaxSuppression RoiAlign""",
    "local response normalisation": """LRN""",
    "determinants": """Det""",
    "spatial transformers": """AffineGrid GridSample""",
    "overlapping patches": """Col2Im""",
    "random numbers": """Bernoulli RandomNormal RandomNormalLike RandomUniform RandomUniformLike""",
    "pictures and sound": """ImageDecoder MelWeightMatrix STFT BlackmanWindow HammingWindow
        HannWindow""",
}
reasons = {operator: reason for reason, text in left_out.items() for operator in text.split()}


class Unusable(Exception):
    """A case that is left out, and why."""


def tensor(value):
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    array = np.asarray(value)
    if array.dtype.name not in names:
        raise Unusable(f"elements of type {array.dtype.name}")
    return np.ascontiguousarray(array).reshape(array.shape)


def pack(tensors):
    """The bytes of a safetensors file, https://github.com/huggingface/safetensors#format."""
    header, data = {}, b""
    for key, array in tensors.items():
        bytes_ = array.tobytes()
        header[key] = {
            "dtype": names[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(bytes_)],
        }
        data += bytes_
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def store(tensors, key, value):
    if value is None:
        return
    if isinstance(value, (list, tuple)):
        tensors[f"{key}/sequence"] = np.array(len(value), dtype=np.int64)
        for position, element in enumerate(value):
            store(tensors, f"{key}/{position}", element)
        return
    tensors[key] = tensor(value)


def nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from nodes(inner)


def lowered(model):
    """The model at an operator set that ditcache reads; the meaning of its nodes is the same."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    model.ir_version = min(model.ir_version, newest_ir)
    for opset in model.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            raise Unusable(f"domain {opset.domain}")
        if opset.version < oldest_opset:
            raise Unusable("operator sets before 7")
        opset.version = min(opset.version, newest_opset)
    for node in nodes(model.graph):
        try:
            schema = onnx.defs.get_schema(node.op_type, newest_opset)
        except onnx.defs.SchemaError:
            raise Unusable(f"operators newer than operator set {newest_opset}") from None
        if any(a.name not in schema.attributes for a in node.attribute):
            raise Unusable(f"attributes newer than operator set {newest_opset}")
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception:
        raise Unusable("models that the checker refuses at the operator set") from None
    return model


def case(test):
    for node in nodes(test.model.graph):
        if node.op_type in reasons:
            raise Unusable(reasons[node.op_type])
    if test.name.startswith(("test_nllloss", "test_sce")):
        raise Unusable("training")
    model = lowered(test.model)
    for node in nodes(model.graph):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                tensor(attribute.t)
            if node.op_type == "Constant" and attribute.name in ("value_string", "value_strings"):
                raise Unusable("elements of type str")
            if attribute.name == "to" and attribute.i not in code_names:
                raise Unusable("casts to types that ditcache lacks")
    (inputs, outputs), *_ = test.data_sets
    tensors = {}
    for value, data in zip(model.graph.input, inputs):
        store(tensors, f"in/{value.name}", data)
    for value, data in zip(model.graph.output, outputs):
        store(tensors, f"out/{value.name}", data)
    if (test.rtol, test.atol) != (1e-3, 1e-7):
        tensors["tolerance"] = np.array([test.rtol, test.atol])
    model, data = model.SerializeToString(deterministic=True), pack(tensors)
    if len(model) + len(data) > largest_case:
        raise Unusable(f"more than {largest_case} bytes")
    return model, data


code_names = {
    onnx.helper.np_dtype_to_tensor_dtype(np.dtype(getattr(ml_dtypes, n, n))) for n in names
}


def plain(name, size):
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def write(files):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    with lzma.open(archive, "wb", format=lzma.FORMAT_XZ, filters=filters) as compressed:
        with tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for suffix in ("onnx", "safetensors"):
                for name, data in files:
                    if name.endswith(suffix):
                        tar.addfile(plain(name, len(data)), io.BytesIO(data))


def main():
    warnings.simplefilter("ignore")
    counts = collections.Counter()
    taken = []
    for test in collect_testcases(None):
        try:
            model, data = case(test)
        except Unusable as reason:
            counts[str(reason)] += 1
            continue
        name = test.name.removeprefix("test_")
        taken.append((model, name, data))
    for name, model, feeds, results in own_cases.all_cases():
        tensors = {f"in/{n}": tensor(v) for n, v in feeds.items()}
        tensors |= {f"out/{n}": tensor(v) for n, v in results.items()}
        tensors["tolerance"] = own_cases.TOLERANCE
        taken.append((model.SerializeToString(deterministic=True), name, pack(tensors)))
    taken.sort(key=lambda item: item[1])
    files = []
    for model, name, data in taken:
        files += [(f"{name}.onnx", model), (f"{name}.safetensors", data)]
    write(files)
    print(f"{len(taken)} cases, {os.path.getsize(archive)} bytes")
    for reason, count in counts.most_common():
        print(f"{count} left out: {reason}")


main()
