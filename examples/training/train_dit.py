"""Train the DiT example model: images of one coloured shape, by class, for DDIM.

    python train_dit.py --output runs/dit --steps 3000
    python train_dit.py --output runs/dit --export ../models/dit_image.onnx

A class is a shape and its colour; texture and colour of the background are left to chance. The
network is diffusers' DiTTransformer2DModel in the setting of its pipeline: it predicts the noise at
timesteps 0 to 999 of the linear schedule, and has one more class, "none", that a tenth of the
training images get.
"""

import argparse
import functools
import itertools
import os

import numpy
import torch
from diffusers import DiTTransformer2DModel

import shapes
from loop import Run, arguments

CLASSES = [f"{color}-{shape}" for shape, color in itertools.product(shapes.SHAPES, shapes.COLORS)]
NO_CLASS = len(CLASSES)
CLASS_DROPOUT = 0.1
REMAINING = torch.cumprod(1 - torch.linspace(0.0001, 0.02, 1000), dim=0)


def build() -> DiTTransformer2DModel:
    """10 blocks of width 128 on patches of 4 x 4 pixels."""
    model = DiTTransformer2DModel(
        num_attention_heads=4, attention_head_dim=32, in_channels=3, out_channels=3, num_layers=10,
        sample_size=shapes.SIZE, patch_size=4, num_embeds_ada_norm=NO_CLASS, attention_bias=True,
        activation_fn="gelu-approximate", norm_type="ada_norm_zero", norm_elementwise_affine=False)
    for block in model.transformer_blocks:
        torch.nn.init.zeros_(block.norm1.linear.weight)
        torch.nn.init.zeros_(block.norm1.linear.bias)
    torch.nn.init.zeros_(model.proj_out_2.weight)
    return model


def batch(count: int, generator: numpy.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (count, 3, 32, 32) in [-1, 1] and their classes, some replaced by NO_CLASS."""
    labels = generator.integers(NO_CLASS, size=count)
    images = []
    for label in labels:
        color, shape = CLASSES[label].rsplit("-", 1)
        others = [name for name in shapes.COLORS if name != color]
        prompt = [f"background:{generator.choice(shapes.TEXTURES)}",
                  f"background:{generator.choice(others)}", f"first:{shape}", f"first:{color}",
                  f"first:{generator.choice(list(shapes.MOTIONS))}", *["second:none"] * 3]
        images.append(shapes.random_video(prompt, generator)[:, generator.integers(shapes.FRAMES)])
    labels[generator.random(count) < CLASS_DROPOUT] = NO_CLASS
    return torch.from_numpy(numpy.stack(images).astype(numpy.float32)), torch.from_numpy(labels)


def train(options: argparse.Namespace) -> None:
    """Train, continuing from the folder's checkpoint if there is one."""
    torch.manual_seed(options.seed)
    model = build()
    run = Run(model, options)
    while run.step < run.last:
        generator = numpy.random.default_rng([options.seed, run.step])
        images, labels = batch(options.batch, generator)
        strata = numpy.arange(options.batch) + generator.random(options.batch)
        timesteps = torch.from_numpy((1000 * strata / options.batch).astype(numpy.int64))
        noise = torch.from_numpy(generator.standard_normal(images.shape, dtype=numpy.float32))
        kept = REMAINING[timesteps].view(-1, 1, 1, 1)
        noisy = kept.sqrt() * images + (1 - kept).sqrt() * noise
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            output = run.network(noisy, timesteps, labels, return_dict=False)[0]
        run.learn((output.float() - noise).pow(2).mean())


def export(options: argparse.Namespace) -> None:
    """Write the averaged weights as ONNX with float16 storage, and the classes beside it."""
    import onnx

    from export import without_stack_traces
    from half_storage import with_half_storage

    model = build()
    state = torch.load(os.path.join(options.output, "checkpoint.pt"), weights_only=True)
    model.load_state_dict(state["average"])
    model.eval().requires_grad_(False)
    batch_axis = {0: torch.export.Dim("batch")}
    inputs = {"hidden_states": torch.randn(2, 3, shapes.SIZE, shapes.SIZE),
              "timestep": torch.tensor([500, 500]), "class_labels": torch.tensor([0, NO_CLASS])}
    model.forward = functools.partial(model.forward, return_dict=False)
    program = torch.onnx.export(
        model, kwargs=inputs, dynamo=True, opset_version=20, input_names=list(inputs),
        output_names=["sample"], dynamic_shapes=dict.fromkeys(inputs, batch_axis))
    graph = program.model_proto
    onnx.save(with_half_storage(without_stack_traces(graph)), options.export)
    names = options.export.removesuffix(".onnx") + ".classes.txt"
    with open(names, "w") as file:
        file.writelines(f"{name}\n" for name in CLASSES)
    print(f"{options.export}: {os.path.getsize(options.export) / 1e6:.1f} MB, {names}")


def main() -> None:
    parser = arguments()
    parser.set_defaults(steps=3000, batch=32)
    parser.add_argument("--export", metavar="X.onnx", help="export instead of training")
    options = parser.parse_args()
    (export if options.export else train)(options)


if __name__ == "__main__":
    main()
