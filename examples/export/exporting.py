"""What the export scripts share: options, one call of torch.onnx.export, and a check of the file.

A model is written with weights beside it (`X.onnx`, `X.onnx.data`), traced on the CPU at the size of
the example inputs. The axes that a script names stay free, so that one file serves every size.
"""

import argparse
import functools
import os
import time
from dataclasses import dataclass

import torch

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
OPSETS = range(20, 24)
# torch.export takes an axis of one element for a fixed one.
BATCH = 2


@dataclass
class Export:
    """A model with example keyword arguments and the axes that stay free."""

    model: torch.nn.Module
    inputs: dict[str, torch.Tensor]
    free: dict[str, dict[int, str]]
    output: str = "sample"


def options(
    description: str, checkpoint: str, subfolder: str = "transformer"
) -> argparse.ArgumentParser:
    """The options of every script, with the defaults of --checkpoint and --subfolder."""
    parser = argparse.ArgumentParser(description=description.strip().splitlines()[0])
    parser.add_argument("output", help="where to write, X.onnx")
    parser.add_argument(
        "--checkpoint", default=checkpoint, help="a folder or hub name (default: %(default)s)")
    parser.add_argument("--subfolder", default=subfolder, help="(default: %(default)s)")
    parser.add_argument(
        "--tiny", action="store_true", help="random weights and a few small blocks; no download")
    parser.add_argument("--seed", type=int, default=0, help="of a tiny model's weights")
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16", help="of the weights")
    parser.add_argument("--opset", type=int, choices=OPSETS, default=20)
    parser.add_argument("--static", action="store_true", help="fix all axes at the example's size")
    return parser


def load(model_class, arguments: argparse.Namespace, tiny: dict) -> torch.nn.Module:
    """The checkpoint's model, or a tiny one with seeded random weights, ready for inference."""
    dtype = DTYPES[arguments.dtype]
    if arguments.tiny:
        torch.manual_seed(arguments.seed)
        model = model_class(**tiny).to(dtype)
    else:
        model = model_class.from_pretrained(
            arguments.checkpoint, subfolder=arguments.subfolder, torch_dtype=dtype)
    return model.eval().requires_grad_(False)


def write(export: Export, arguments: argparse.Namespace) -> None:
    """Exports, then says what was written and what to do with it."""
    started = time.time()
    # Words, not torch.export.Dim: the exporter names the file's axes by them.
    shapes = {name: export.free.get(name, {}) for name in export.inputs}
    export.model.forward = functools.partial(export.model.forward, return_dict=False)
    program = torch.onnx.export(
        export.model,
        kwargs=export.inputs,
        dynamo=True,
        external_data=True,
        opset_version=arguments.opset,
        input_names=list(export.inputs),
        output_names=[export.output],
        dynamic_shapes=None if arguments.static else shapes,
    )
    for node in program.model.graph:
        node.metadata_props.pop("pkg.torch.onnx.stack_trace", None)
    program.save(arguments.output, external_data=True)
    data = f"{arguments.output}.data"
    size = sum(os.path.getsize(path) for path in (arguments.output, data) if os.path.exists(path))
    print(f"{arguments.output}: {size / 1e9:.2f} GB in {time.time() - started:.0f} s")
    print(f"next: ditcache inspect {arguments.output}")
