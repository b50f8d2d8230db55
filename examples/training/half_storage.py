"""Store the large float32 weights of an ONNX model as float16, and compute in float32 as before.

Every float32 initializer of at least MINIMUM_ELEMENTS values is kept as a float16 initializer
`NAME.half`, and one Cast node `cast_NAME` at the head of the graph makes the float32 tensor `NAME`
again, so that no other node changes. The all-zero tensors into which the exporter scatters rotary
embeddings, one for every attention, become one shared float32 tensor. Everything else in the file
(metadata, name scopes, other nodes) stays as it is.

    python half_storage.py INPUT.onnx OUTPUT.onnx
"""

import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

MINIMUM_ELEMENTS = 1024


def is_large_weight(tensor: onnx.TensorProto, values: numpy.ndarray) -> bool:
    """Whether `tensor` is worth halving: float32, large, not all zero, in float16's range."""
    return (
        tensor.data_type == TensorProto.FLOAT
        and values.size >= MINIMUM_ELEMENTS
        and 0 < numpy.abs(values).max() <= numpy.finfo(numpy.float16).max
    )


def with_half_storage(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of `model` whose large float32 initializers are stored as float16."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    declared = {value.name for value in graph.value_info}
    kept, casts, zeros, replaced = [], [], {}, {}
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.size >= MINIMUM_ELEMENTS and not values.any():
            first = zeros.setdefault((tensor.data_type, values.shape), tensor.name)
            if first != tensor.name:
                replaced[tensor.name] = first
                continue
        if not is_large_weight(tensor, values):
            kept.append(tensor)
            continue
        stored = f"{tensor.name}.half"
        kept.append(numpy_helper.from_array(values.astype(numpy.float16), stored))
        casts.append(
            helper.make_node(
                "Cast", [stored], [tensor.name], name=f"cast_{tensor.name}", to=TensorProto.FLOAT
            )
        )
        if tensor.name not in declared:
            graph.value_info.append(
                helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, list(tensor.dims))
            )
    for node in graph.node:
        node.input[:] = [replaced.get(name, name) for name in node.input]
    nodes = casts + list(graph.node)
    del graph.initializer[:]
    del graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(result)
    return result


if __name__ == "__main__":
    source, target = sys.argv[1:]
    onnx.save(with_half_storage(onnx.load(source)), target)
