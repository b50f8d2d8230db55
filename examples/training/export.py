"""Export a trained model to ONNX and check the file in ONNX Runtime against PyTorch.

    python export.py wan runs/wan/checkpoint.pt ../models/wan_video.onnx
    python export.py wan ../models/wan_video.onnx larger.onnx --shape 3,8,48,48

The second form writes a model for videos of another shape (channels, frames, height, width).
Large weights are stored as float16 (see half_storage.py). The graph is checked before and after
that, so that errors of the export and of the rounding are seen apart.
"""

import argparse

import numpy
import onnx
import onnxruntime
import torch

import sampling
from half_storage import with_half_storage
from models import FAMILIES, LATENT_SHAPE, TEXT_SHAPE


def example_inputs(family, shape=LATENT_SHAPE) -> dict[str, torch.Tensor]:
    """One seeded call: half-noisy input, random prompt."""
    generator = torch.Generator().manual_seed(5)
    video = torch.randn(1, *shape, generator=generator)
    text = torch.randn(1, *TEXT_SHAPE, generator=generator)
    scale = torch.tensor([family.guidance_scale])
    return family.inputs(video, torch.tensor([500.0]), text, scale)


def run(model: onnx.ModelProto, inputs: dict[str, torch.Tensor]) -> numpy.ndarray:
    """The model's output in ONNX Runtime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {name: value.numpy() for name, value in inputs.items()})[0]


def without_stack_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the exporting machine's source paths, which torch records with every node."""
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if not entry.key.endswith("stack_trace")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("checkpoint", help="a checkpoint of a training run, or an exported model")
    parser.add_argument("target")
    parser.add_argument("--shape", default=",".join(map(str, LATENT_SHAPE)), metavar="C,F,H,W")
    asked = parser.parse_args()
    target = asked.target
    torch.set_num_threads(1)
    family = FAMILIES[asked.family]
    model = sampling.load(family, asked.checkpoint)
    inputs = example_inputs(family, [int(size) for size in asked.shape.split(",")])
    program = torch.onnx.export(
        model,
        kwargs={**inputs, "return_dict": False},
        dynamo=True,
        opset_version=20,
        input_names=list(inputs),
        output_names=["sample"],
    )
    full = without_stack_traces(program.model_proto)
    half = with_half_storage(full)
    onnx.save(half, target)
    expected = model(**inputs, return_dict=False)[0].numpy()
    print(f"{target}: {half.ByteSize() / 1e6:.1f} MB, output rms {expected.std():.3f}")
    for label, graph in (("float32", full), ("float16 weights", half)):
        try:
            difference = numpy.abs(run(graph, inputs) - expected).max()
            print(f"{label}: differs from PyTorch by at most {difference:.2e}")
        except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented as error:
            print(f"{label}: not checked, ONNX Runtime has no kernel: {error}")


if __name__ == "__main__":
    main()
