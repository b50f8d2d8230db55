"""Export any diffusers transformer to ONNX, at the size of example inputs from a file.

    python export_any.py model.onnx inputs.npz --class FluxTransformer2DModel \\
        --checkpoint black-forest-labs/FLUX.1-dev
    python export_any.py tiny.onnx inputs.npz --class DiTTransformer2DModel \\
        --config config.json --dtype float32           # random weights, no download

The arrays of `inputs.npz` are named as the arguments of the model's `forward`; float arrays take the
type of the weights. All axes are fixed unless `--free INPUT.AXIS=NAME` frees one, for which the
example needs more than one element.
"""

import json

import diffusers
import numpy
import torch

import exporting


def example(model: torch.nn.Module, arguments) -> exporting.Export:
    """The arrays of the file and the axes of --free."""
    inputs = {}
    for name, array in numpy.load(arguments.inputs).items():
        tensor = torch.from_numpy(array)
        inputs[name] = tensor.to(exporting.DTYPES[arguments.dtype]) if array.dtype.kind == "f" else tensor
    free: dict[str, dict[int, str]] = {}
    for entry in arguments.free:
        place, name = entry.split("=")
        argument, axis = place.rsplit(".", 1)
        free.setdefault(argument, {})[int(axis)] = name
    return exporting.Export(model, inputs, free)


def main() -> None:
    parser = exporting.options(__doc__, None)
    parser.add_argument("inputs", help="example inputs, .npz")
    parser.add_argument("--class", dest="model_class", required=True, help="a class of diffusers")
    parser.add_argument("--config", help="a JSON file of constructor arguments, for random weights")
    parser.add_argument("--free", action="append", default=[], metavar="INPUT.AXIS=NAME")
    arguments = parser.parse_args()
    tiny = {}
    if arguments.config:
        arguments.tiny = True
        with open(arguments.config) as file:
            tiny = json.load(file)
    elif not arguments.checkpoint:
        parser.error("pass --checkpoint or --config")
    model_class = getattr(diffusers, arguments.model_class)
    exporting.write(example(exporting.load(model_class, arguments, tiny), arguments), arguments)


if __name__ == "__main__":
    main()
