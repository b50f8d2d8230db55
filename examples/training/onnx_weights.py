"""The weights of an exported model, by PyTorch's names.

The exporter keeps the names of all parameters but those of linear layers, whose matrices it transposes:
a product whose sum with `NAME.bias` follows is that of `NAME.weight`.
"""

import numpy
import onnx
import torch
from onnx import numpy_helper


def state_dict(path: str) -> dict[str, torch.Tensor]:
    """Everything that looks like a parameter; `load_state_dict` says what is missing."""
    graph = onnx.load(path).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] == f"{node.output[0]}.half":
            values[node.output[0]] = values[node.input[0]].astype(numpy.float32)
    products = {
        node.output[0]: node.input[1]
        for node in graph.node
        if node.op_type == "MatMul" and node.input[1] in values
    }
    for node in graph.node:
        if node.op_type == "Add":
            bias = [name for name in node.input if name.endswith(".bias")]
            product = [name for name in node.input if name in products]
            if bias and product:
                matrix = values[products[product[0]]]
                values[bias[0].removesuffix("bias") + "weight"] = matrix.T
    return {name: torch.from_numpy(numpy.array(value)) for name, value in values.items()}
