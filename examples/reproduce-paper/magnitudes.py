"""MagCache's table for a model: how the norm of what all blocks add changes from step to step.

The mean over tokens of ‖residual‖ / ‖residual one step before‖ (github.com/Zehong-Ma/MagCache,
magcache_generate.py), by a schedule that reports it and always computes; both calls of guidance are
averaged.
"""

import array
import ast
import math
import zipfile

from schedules import schedule

# What all blocks add to the latents' tokens. HunyuanVideo's last block has the 8 text tokens behind
# them.
CHANGE = {
    "wan_video": "output(blocks[-1]) - input(blocks[0])",
    "hunyuan_video": "drop_last(output(blocks[-1]), 8) - input(blocks[0])",
    "dit_image": "output(blocks[-1]) - input(blocks[0])",
}


def text(model):
    """The schedule that measures."""
    return schedule(
        "magnitudes",
        "  cache stack {\n    slot kept\n    slot last\n    slot ratio = 1\n"
        f"    let change = {CHANGE[model]}\n"
        "    ratio := mean(norm(change) / norm(last)) when computed\n"
        "    last := change when computed\n    kept := output when computed\n"
        "    report ratio\n    compute unless step < 0\n    reuse kept\n  }\n")


def _float32(path, name):
    """An array of a .npz, flat, and its shape."""
    with zipfile.ZipFile(path) as archive:
        data = archive.read(name + ".npy")
    start = 10 + int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:start].decode())
    if header["descr"] != "<f4" or header["fortran_order"]:
        raise ValueError(f"{path}: '{name}' is not float32 in C order")
    return array.array("f", data[start:]), header["shape"]


def ratios(record):
    """The table of a recorded run. A step's ratio is reported by the next one; the last repeats."""
    values, shape = _float32(record, "metric")
    steps, width = shape[0], math.prod(shape[1:])
    rows = [values[step * width:(step + 1) * width] for step in range(steps)]
    means = [sum(row) / width for row in rows]
    table = [1.0] + means[2:]
    return table + [table[-1]] * (steps - len(table))
