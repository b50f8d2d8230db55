"""Generated training data: coloured shapes moving over a static textured background.

A prompt is eight words, one from each list of VOCABULARY in order: the background's texture and
colour, then shape, colour and motion of a first and of a second shape. One-shape prompts have
`second:none` three times. Videos are float32 (3, FRAMES, SIZE, SIZE) in [-1, 1].

    python shapes.py PREFIX    writes PREFIX.npy, the word embeddings, and PREFIX.txt, the words

A line of PREFIX.txt is one list of VOCABULARY; rows follow the words' first appearance.
"""

import sys

import numpy

FRAMES, SIZE = 8, 32
RADIUS, SPEED = 5, 2
EMBEDDING_WIDTH = 64
EMBEDDING_SEED = 20240607

COLORS = {
    "red": (1.0, 0.1, 0.1),
    "green": (0.1, 0.9, 0.2),
    "blue": (0.2, 0.3, 1.0),
    "yellow": (1.0, 0.95, 0.1),
    "magenta": (1.0, 0.2, 0.9),
    "cyan": (0.1, 0.95, 1.0),
    "white": (1.0, 1.0, 1.0),
    "orange": (1.0, 0.55, 0.1),
}
TEXTURES = ("vertical-stripes", "horizontal-stripes", "checker", "diagonal")
SHAPES = ("circle", "square", "triangle")
MOTIONS = {"right": (SPEED, 0), "left": (-SPEED, 0), "down": (0, SPEED), "up": (0, -SPEED)}

VOCABULARY = (
    [f"background:{name}" for name in TEXTURES],
    [f"background:{name}" for name in COLORS],
    [f"first:{name}" for name in SHAPES],
    [f"first:{name}" for name in COLORS],
    [f"first:{name}" for name in MOTIONS],
    [f"second:{name}" for name in SHAPES] + ["second:none"],
    [f"second:{name}" for name in COLORS] + ["second:none"],
    [f"second:{name}" for name in MOTIONS] + ["second:none"],
)
WORDS = list(dict.fromkeys(word for slot in VOCABULARY for word in slot))
PROMPT_LENGTH = len(VOCABULARY)

_ROWS, _COLUMNS = numpy.mgrid[0:SIZE, 0:SIZE].astype(numpy.float32)


def embedding_table() -> numpy.ndarray:
    """Frozen embeddings, float32 (words, EMBEDDING_WIDTH): row n belongs to WORDS[n]."""
    generator = numpy.random.default_rng(EMBEDDING_SEED)
    return generator.standard_normal((len(WORDS), EMBEDDING_WIDTH), dtype=numpy.float32)


def embed(prompts: list[list[str]], table: numpy.ndarray) -> numpy.ndarray:
    """Embeddings of `prompts`, float32 (prompts, PROMPT_LENGTH, EMBEDDING_WIDTH)."""
    rows = {word: row for row, word in enumerate(WORDS)}
    return table[[[rows[word] for word in prompt] for prompt in prompts]]


def random_prompt(generator: numpy.random.Generator) -> list[str]:
    """A prompt of one shape or, as often, of two; shapes never have the background's colour."""
    background = generator.choice(list(COLORS))
    others = [color for color in COLORS if color != background]
    prompt = [f"background:{generator.choice(TEXTURES)}", f"background:{background}"]
    pair = generator.choice(others, 2, replace=False)
    for position, color in zip(("first", "second"), pair):
        prompt.append(f"{position}:{generator.choice(SHAPES)}")
        prompt.append(f"{position}:{color}")
        prompt.append(f"{position}:{generator.choice(list(MOTIONS))}")
    if generator.random() < 0.5:
        prompt[5:] = ["second:none"] * 3
    return prompt


def _background(texture: str, color: str) -> numpy.ndarray:
    """A two-tone texture of period 4, the models' patch size.

    Rotary embeddings tell a model where patches lie relative to each other, not where in the
    picture they are; a texture that is the same in every patch asks for nothing else.
    """
    light = 0.55 * numpy.array(COLORS[color], dtype=numpy.float32)
    amount = {
        "vertical-stripes": _COLUMNS // 2 % 2,
        "horizontal-stripes": _ROWS // 2 % 2,
        "checker": (_ROWS // 2 + _COLUMNS // 2) % 2,
        "diagonal": (_ROWS + _COLUMNS) // 2 % 2,
    }[texture]
    return light[:, None, None] * (0.3 + 0.7 * amount)


def _coverage(shape: str, x: float, y: float) -> numpy.ndarray:
    """The share of each pixel that a shape centred at (x, y) covers, from its signed distance."""
    across, down = _COLUMNS - x, _ROWS - y
    if shape == "circle":
        distance = numpy.hypot(across, down) - RADIUS
    elif shape == "square":
        distance = numpy.maximum(abs(across), abs(down)) - (RADIUS - 0.5)
    else:
        slope = (2 * abs(across) - down) / numpy.sqrt(5) - 0.45 * RADIUS
        distance = numpy.maximum(slope, down - (RADIUS - 0.5))
    return numpy.clip(0.5 - distance, 0, 1)


def _path(motion: str, generator: numpy.random.Generator) -> numpy.ndarray:
    """Centres (FRAMES, 2) as x, y, on even pixels, so that the whole shape stays in the picture."""
    step = numpy.array(MOTIONS[motion])
    travel = (FRAMES - 1) * step
    low = RADIUS + 1 - numpy.minimum(travel, 0)
    high = SIZE - RADIUS - 1 - numpy.maximum(travel, 0)
    start = 2 * generator.integers(low // 2, high // 2 + 1)
    return start + numpy.arange(FRAMES)[:, None] * step


def random_video(prompt: list[str], generator: numpy.random.Generator) -> numpy.ndarray:
    """A video of `prompt`; where the shapes start is the only thing left to chance.

    Two shapes start where they never touch if a few tries find such places; otherwise the second
    passes in front of the first.
    """
    words = [word.split(":")[1] for word in prompt]
    still = _background(*words[:2])
    shapes = [words[2:5]] + ([words[5:8]] if words[5] != "none" else [])
    for _ in range(20):
        paths = [_path(motion, generator) for _, _, motion in shapes]
        if len(paths) < 2 or abs(paths[0] - paths[1]).max(axis=1).min() > 2 * RADIUS:
            break
    video = numpy.repeat(still[:, None], FRAMES, axis=1)
    for (shape, color, _), path in zip(shapes, paths):
        paint = numpy.array(COLORS[color], dtype=numpy.float32)[:, None, None]
        for frame, (x, y) in enumerate(path):
            covered = _coverage(shape, x, y)
            video[:, frame] = video[:, frame] * (1 - covered) + paint * covered
    return 2 * video - 1


def batch(count: int, generator: numpy.random.Generator) -> tuple[numpy.ndarray, list[list[str]]]:
    """`count` videos (count, 3, FRAMES, SIZE, SIZE) and their prompts."""
    prompts = [random_prompt(generator) for _ in range(count)]
    videos = numpy.stack([random_video(prompt, generator) for prompt in prompts])
    return videos.astype(numpy.float32), prompts


def contact_sheet(videos: numpy.ndarray, path: str, scale: int = 4) -> None:
    """Write `videos` as a PNG, one row a video, one column a frame."""
    from PIL import Image

    rows = [numpy.concatenate(list(video.transpose(1, 2, 3, 0)), axis=1) for video in videos]
    pixels = numpy.clip((numpy.concatenate(rows) + 1) * 127.5, 0, 255).round().astype(numpy.uint8)
    image = Image.fromarray(pixels)
    image.resize((image.width * scale, image.height * scale), Image.NEAREST).save(path)


if __name__ == "__main__":
    numpy.save(f"{sys.argv[1]}.npy", embedding_table())
    with open(f"{sys.argv[1]}.txt", "w") as words:
        words.writelines(f"{' '.join(slot)}\n" for slot in VOCABULARY)
