"""Record a reference trajectory of a trained model in PyTorch, and a contact sheet of it.

    python sample_reference.py wan runs/wan/checkpoint.pt wan_video_reference.npz wan_video.png

Keys: `initial_noise`, `sigmas`, `timesteps`, `text/INPUT`, `guidance_scale`, `final`, and for
models called twice a step `text_uncond/INPUT`.
"""

import sys

import numpy
import torch

import sampling
import shapes
from models import FAMILIES


def main() -> None:
    name, checkpoint, target, sheet = sys.argv[1:]
    torch.set_num_threads(1)
    family = FAMILIES[name]
    model = sampling.load(family, checkpoint)
    noise, text, sigmas = sampling.reference_inputs(sampling.PROMPTS)
    final = sampling.sample(family, model, noise, text, sigmas)
    record = {
        "initial_noise": noise,
        "sigmas": sigmas,
        "timesteps": 1000 * sigmas[:-1],
        "guidance_scale": torch.tensor(family.guidance_scale),
        "final": final,
    }
    branches = {"text": text}
    if not family.guidance_is_embedded:
        branches["text_uncond"] = torch.zeros_like(text)
    scale = torch.full((len(noise),), family.guidance_scale)
    for branch, embedded in branches.items():
        inputs = family.inputs(noise, 1000 * sigmas[:1], embedded, scale)
        for key in inputs.keys() - {"hidden_states", "timestep"}:
            record[f"{branch}/{key}"] = inputs[key]
    numpy.savez_compressed(target, **{key: value.numpy() for key, value in record.items()})
    shapes.contact_sheet(final.numpy(), sheet)


if __name__ == "__main__":
    main()
