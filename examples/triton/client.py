"""Denoise with a cached model that Triton Inference Server runs.

    python client.py MODEL INPUTS.npz RESULT.npz [--url HOST:PORT]

MODEL is the name of a model in the repository that `ditcache rewrite --serve triton` wrote. The
files are those of ../onnxruntime/host.py, and so is the loop. The state of the cache stays in the
server: each branch of guidance is a sequence with a correlation id of its own.
"""

import argparse
import json
import secrets
import sys
import time
from pathlib import Path

import numpy as np
from tritonclient import grpc as triton

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "onnxruntime"))
from forms import controls  # noqa: E402
from host import denoise  # noqa: E402


class ServedModel:
    """A cached model on a server, with what its configuration says of it."""

    def __init__(self, client, name):
        self.client, self.name = client, name
        self.config = client.get_model_config(name).config
        self.manifest = json.loads(self.config.parameters["ditcache/manifest"].string_value)
        if {"dropped", "uncond"} & set(self.manifest.get("branches") or {}):
            raise SystemExit("the schedule needs state of both branches, which the server keeps")
        self.inputs = [entry.name for entry in self.config.input]
        outputs = [entry.name for entry in self.config.output]
        # A diffusion model's first output is its prediction.
        self.prediction = next(name for name in outputs if not name.startswith("ditcache/"))


class Sequence:
    """One branch of guidance: a sequence of requests, between which the server keeps the state."""

    def __init__(self, model, number=0):
        self.model, self.number = model, number
        self.correlation_id = secrets.randbits(63) | 1
        self.begun = False

    def __call__(self, feeds, step, sigmas, override=0):
        """One call at a scheduler step, as of host.Branch."""
        manifest = self.model.manifest
        override = np.broadcast_to(np.array(override, np.int64), len(manifest["sites"]))
        values = {**feeds, **controls(manifest, step, sigmas, override.copy(), self.number)}
        result = self.model.client.infer(
            self.model.name, [tensor(name, values[name]) for name in self.model.inputs],
            outputs=[triton.InferRequestedOutput(name)
                     for name in (self.model.prediction, "ditcache/computed")],
            sequence_id=self.correlation_id, sequence_start=not self.begun,
            sequence_end=step == manifest["steps"] - 1)
        self.begun = True
        return result.as_numpy(self.model.prediction), result.as_numpy("ditcache/computed")


def tensor(name, value):
    value = np.ascontiguousarray(value)
    entry = triton.InferInput(name, value.shape, triton.np_to_triton_dtype(value.dtype))
    entry.set_data_from_numpy(value)
    return entry


def wait_for(client, seconds=30):
    """Returns when the server is ready; its last error is raised when it never is."""
    for attempt in range(10 * seconds):
        try:
            if client.is_server_ready():
                return
        except triton.InferenceServerException:
            if attempt == 10 * seconds - 1:
                raise
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="its name in the repository")
    parser.add_argument("inputs", help="an .npz file, see ../onnxruntime/host.py")
    parser.add_argument("result", help="the .npz file to write")
    parser.add_argument("--url", default="localhost:8001", help="where the server listens for gRPC")
    parser.add_argument("--latents", default="hidden_states", help="the model's input for latents")
    parser.add_argument("--timestep", default="timestep", help="the model's input for the timestep")
    arguments = parser.parse_args()

    with np.load(arguments.inputs) as file:
        inputs = {key: file[key] for key in file.files}
    with triton.InferenceServerClient(arguments.url) as client:
        wait_for(client)
        begun = time.perf_counter()
        record = denoise(
            ServedModel(client, arguments.model), inputs, arguments.latents, arguments.timestep,
            branch=Sequence)
    print(f"{len(record['computed'])} steps in {time.perf_counter() - begun:.2f} s, "
          f"{record['computed'].mean():.1%} of calls computed")
    np.savez(arguments.result, **record)


if __name__ == "__main__":
    main()
