"""Write the inputs of host.py for a prompt of the small video models.

    python prompt_inputs.py "background:checker background:red first:circle first:yellow first:left" \
        SEED INPUTS.npz

SEED is one of NumPy's. `ditcache sample --record` writes such a file too, of ditcache's own noise.
"""

import sys
from pathlib import Path

import numpy as np

TABLE = Path(__file__).resolve().parents[1] / "models" / "video_prompt_table"
STEPS, SHIFT, GUIDANCE = 50, 3.0, 2.0
SHAPE = (1, 3, 8, 32, 32)


def embeddings(prompt):
    """One row for each place of a prompt: every line of the table's text lists one place's words.

    Without words for a second shape there is none.
    """
    places = [line.split() for line in TABLE.with_suffix(".txt").read_text().splitlines() if line]
    words = list(dict.fromkeys(word for place in places for word in place))
    given = prompt.split()
    if strange := [word for word in given if word not in words]:
        raise ValueError(f"'{strange[0]}' is no word of {TABLE.name}.txt")
    chosen = [next((word for word in given if word in place), "second:none") for place in places]
    for place, word in zip(places, chosen):
        if word not in place:
            raise ValueError(f"the prompt lacks one of {', '.join(place)}")
    return np.load(TABLE.with_suffix(".npy"))[[words.index(word) for word in chosen]][None]


def flow_sigmas(steps):
    """Noise levels of the steps and 0: from 1 down in equal parts, shifted towards noise."""
    sigmas = np.linspace(1, 0, steps + 1)
    return (SHIFT * sigmas / (1 + (SHIFT - 1) * sigmas)).astype(np.float32)


def main():
    prompt, seed, output = sys.argv[1:]
    np.savez(
        output,
        initial_noise=np.random.default_rng(int(seed)).standard_normal(SHAPE, np.float32),
        sigmas=flow_sigmas(STEPS),
        guidance_scale=np.float32(GUIDANCE),
        **{"text/encoder_hidden_states": embeddings(prompt)},
    )


if __name__ == "__main__":
    main()
