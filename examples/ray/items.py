"""Items of a batch: what they are read from, what a model is fed for one, and what they become."""

import csv
import json
import os
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from prompt_inputs import embeddings, flow_sigmas


def read_items(path):
    """The items of a CSV or JSON Lines file; each has a name of its own that can name a file."""
    with open(path, newline="") as file:
        if path.suffix == ".csv":
            items = [{key: value for key, value in row.items() if value}
                     for row in csv.DictReader(file)]
        else:
            items = [json.loads(line) for line in file if line.strip()]
    seen = set()
    for item in items:
        name = item.get("name", "")
        if not re.fullmatch(r"[\w-][\w.-]*", name) or name in seen:
            raise SystemExit(f"{path}: '{name}' is no name of its own for a result file")
        if ("prompt" in item) == ("inputs" in item):
            raise SystemExit(f"{path}: '{name}' needs a prompt or inputs")
        if "inputs" in item:
            item["inputs"] = str((path.parent / item["inputs"]).resolve())
        seen.add(name)
    return items


def sample_inputs(item, model, latents):
    """The arrays that host.denoise reads; noise comes from the seed unless the inputs hold it."""
    if "inputs" in item:
        with np.load(item["inputs"]) as file:
            inputs = {key: file[key] for key in file.files}
    else:
        inputs = {"text/encoder_hidden_states": embeddings(item["prompt"]),
                  "guidance_scale": np.float32(2)}
    if "guidance" in item:
        inputs["guidance_scale"] = np.float32(item["guidance"])
    if "sigmas" not in inputs:
        inputs["sigmas"] = flow_sigmas(model.manifest["steps"])
    if "seed" in item or "initial_noise" not in inputs:
        noise = np.random.default_rng(int(item.get("seed", 0)))
        inputs["initial_noise"] = noise.standard_normal(shape(model, latents), np.float32)
    return inputs


def shape(model, latents):
    """The shape of the latents; a model with free sizes needs inputs that hold the noise."""
    graphs = model.form.get("graphs")
    path = model.path / next(
        graph["file"] for graph in graphs if latents in graph["inputs"]) if graphs else model.path
    size = next(port.shape for port in model.file(path).session.get_inputs()
                if port.name == latents)
    if not all(isinstance(length, int) for length in size):
        raise ValueError(f"'{latents}' has free sizes {size}: name inputs with initial_noise")
    return size


def is_whole(path):
    """Whether a result file is there with nothing missing."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def write_result(folder, name, record, seconds):
    """Writes the picture, then the arrays: each file appears whole or not at all."""
    final = record["final"]
    if final.ndim in (4, 5) and final.shape[1] == 3:
        replace(folder / f"{name}.png", lambda file: file.write(png(final[0])))
    arrays = {"final": final, "computed": record["computed"], "seconds": np.array(seconds)}
    replace(folder / f"{name}.npz", lambda file: np.savez(file, **arrays))


def replace(path, write):
    """Writes a file under another name, and gives it its own when it lies on the disk."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def png(pixels):
    """A PNG of pixels (3, height, width) or (3, frames, height, width) from -1 to 1.

    Frames stand side by side.
    """
    if pixels.ndim == 4:
        pixels = np.concatenate(list(pixels.transpose(1, 0, 2, 3)), axis=2)
    rows = np.clip((pixels + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(
        b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
