"""Reference sampling in PyTorch: flow-matching Euler from float32 noise made by numpy."""

import numpy
import torch

import onnx_weights
import shapes
from loop import shifted

STEPS = 50
NOISE_SEED = 7

PROMPTS = [
    "background:checker background:blue first:circle first:red first:right",
    "background:vertical-stripes background:green first:square first:yellow first:down",
    "background:diagonal background:magenta first:triangle first:cyan first:left",
    "background:horizontal-stripes background:orange first:square first:blue first:up "
    "second:circle second:white second:right",
    "background:diagonal background:white first:circle first:orange first:down "
    "second:triangle second:green second:up",
    "background:checker background:red first:triangle first:yellow first:left "
    "second:square second:cyan second:right",
]


def words_of(prompt: str) -> list[str]:
    """The eight words of `prompt`, completed with `second:none`."""
    words = prompt.split()
    return words + ["second:none"] * (shapes.PROMPT_LENGTH - len(words))


def reference_inputs(prompts: list[str]):
    """Seeded noise, embedded prompts, and the STEPS + 1 noise levels from 1 to 0."""
    generator = numpy.random.default_rng(NOISE_SEED)
    shape = (len(prompts), 3, shapes.FRAMES, shapes.SIZE, shapes.SIZE)
    noise = generator.standard_normal(shape, dtype=numpy.float32)
    text = shapes.embed([words_of(prompt) for prompt in prompts], shapes.embedding_table())
    sigmas = shifted(numpy.linspace(1, 0, STEPS + 1)).astype(numpy.float32)
    return torch.from_numpy(noise), torch.from_numpy(text), torch.from_numpy(sigmas)


def load(family, checkpoint: str) -> torch.nn.Module:
    """The averaged weights of a training run, or those of an exported .onnx, ready to evaluate."""
    model = family.build()
    if checkpoint.endswith(".onnx"):
        weights = onnx_weights.state_dict(checkpoint)
        weights = {name: weights[name] for name in model.state_dict() if name in weights}
    else:
        weights = torch.load(checkpoint, weights_only=True)["average"]
    model.load_state_dict(weights)
    return model.eval().requires_grad_(False)


def sample(family, model, noise, text, sigmas, before_call=lambda step, branch: None):
    """Videos (prompts, 3, FRAMES, SIZE, SIZE); `before_call` hears of every model call."""
    video, scale = noise, torch.full((len(noise),), family.guidance_scale)
    for step, (sigma, following) in enumerate(zip(sigmas[:-1], sigmas[1:])):
        timestep = (1000 * sigma).expand(len(video))
        before_call(step, "cond")
        told = model(**family.inputs(video, timestep, text, scale), return_dict=False)[0]
        velocity = told
        if not family.guidance_is_embedded:
            before_call(step, "uncond")
            inputs = family.inputs(video, timestep, torch.zeros_like(text))
            untold = model(**inputs, return_dict=False)[0]
            velocity = untold + family.guidance_scale * (told - untold)
        video = video + (following - sigma) * velocity
    return video
