"""Writes cases.json beside this script: the single-node cases of ONNX's own backend tests.

Made with onnx 1.23, numpy 2.4.6 and Python 3.11. Of every operator of `OperatorTable.standard` the
smallest cases whose element types ditcache has are taken. One line is one case;
tensors are [data type of onnx.TensorProto, dimensions, base64 of the little-endian elements].
"""

import base64
import json
import os
import re
import warnings

import numpy as np
import onnx
from onnx import AttributeProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

here = os.path.dirname(os.path.abspath(__file__))
table_file = "../../../Sources/Operators/OperatorTable+Standard.swift"
oldest_opset = 7
newest_opset = 24
largest_case = 16_000
cases_per_operator = 20
codes = {
    "float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7,
    "bool": 9, "float16": 10, "float64": 11, "uint32": 12, "uint64": 13, "bfloat16": 16,
}  # fmt: skip


class Unusable(Exception):
    """A case that ditcache has no types or attributes for."""


def tensor(value):
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    array = np.asarray(value)
    if array.dtype.name not in codes:
        raise Unusable(array.dtype)
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return [codes[array.dtype.name], list(array.shape), data]


def attribute(a):
    if a.type == AttributeProto.INT:
        return {"int": a.i}
    if a.type == AttributeProto.INTS:
        return {"ints": list(a.ints)}
    if a.type == AttributeProto.FLOAT:
        return {"float": a.f}
    if a.type == AttributeProto.FLOATS:
        return {"floats": list(a.floats)}
    if a.type == AttributeProto.STRING:
        return {"string": a.s.decode()}
    if a.type == AttributeProto.TENSOR:
        return {"tensor": tensor(a.t)}
    raise Unusable(a.type)


def case(test, operators):
    graph = test.model.graph
    opsets = [o.version for o in test.model.opset_import if o.domain in ("", "ai.onnx")]
    if len(graph.node) != 1 or graph.node[0].op_type not in operators or len(opsets) != 1:
        raise Unusable(test.name)
    node = graph.node[0]
    known = onnx.defs.get_schema(node.op_type, newest_opset).attributes
    if opsets[0] < oldest_opset or any(a.name not in known for a in node.attribute):
        raise Unusable(test.name)
    (inputs, outputs), *_ = test.data_sets
    feeds = dict(zip([i.name for i in graph.input], inputs))
    golden = dict(zip([o.name for o in graph.output], outputs))
    result = {
        "name": test.name.removeprefix("test_"),
        "op": node.op_type,
        "opset": min(opsets[0], newest_opset),
        "rtol": test.rtol,
        "atol": test.atol,
        "attributes": {a.name: attribute(a) for a in node.attribute},
        "inputs": [tensor(feeds[i]) if i else None for i in node.input],
        "outputs": [tensor(golden[o]) if o else None for o in node.output],
    }
    if len(line(result)) > largest_case:
        raise Unusable("large")
    return result


def line(case):
    return json.dumps(case, separators=(",", ":"))


def main():
    warnings.simplefilter("ignore")
    with open(os.path.join(here, table_file)) as table:
        operators = {n.removesuffix("Operator") for n in re.findall(r"(\w+)\.self", table.read())}
    found = {}
    for test in collect_testcases(None):
        try:
            usable = case(test, operators)
        except (Unusable, KeyError):
            continue
        found.setdefault(usable["op"], []).append(usable)
    lines = []
    for _, cases in sorted(found.items()):
        smallest = sorted(cases, key=lambda c: (len(line(c)), c["name"]))[:cases_per_operator]
        lines += [line(c) for c in sorted(smallest, key=lambda c: c["name"])]
    with open(os.path.join(here, "cases.json"), "w") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")


main()
