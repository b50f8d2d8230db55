"""Write the inputs of host.py for a prompt of the small example model.

    python prompt_inputs.py "vertical-stripes blue circle red right" NOISE.npz INPUTS.npz

NOISE.npz is a recording of `ditcache sample --record`, so that both start from the same noise; a
number in its place is the seed of a noise of NumPy's.
"""

import sys
from pathlib import Path

import numpy as np

MODELS = Path(__file__).resolve().parents[1] / "models"
STEPS, SHIFT, GUIDANCE = 50, 3.0, 2.0
SHAPE = (1, 3, 6, 32, 32)


def embeddings(prompt):
    """One row a word: kinds stand in the table's order, each with words of its own."""
    lines = (MODELS / "prompt_table.txt").read_text().split()
    kinds = list(dict.fromkeys(line.split(":")[0] for line in lines if ":" in line))
    rows = [lines.index(f"{kind}:{word}") for kind, word in zip(kinds, prompt.split(), strict=True)]
    return np.load(MODELS / "prompt_table.npy")[rows][None]


def flow_sigmas(steps):
    """Noise levels of the steps and 0: from 1 down in equal parts, shifted towards noise."""
    sigmas = np.linspace(1, 0, steps + 1)
    return (SHIFT * sigmas / (1 + (SHIFT - 1) * sigmas)).astype(np.float32)


def main():
    prompt, noise, output = sys.argv[1:]
    np.savez(
        output,
        initial_noise=np.random.default_rng(int(noise)).standard_normal(SHAPE, np.float32)
        if noise.isdigit() else np.load(noise)["latents"][0],
        sigmas=flow_sigmas(STEPS),
        guidance_scale=np.float32(GUIDANCE),
        **{"text/encoder_hidden_states": embeddings(prompt)},
    )


if __name__ == "__main__":
    main()
