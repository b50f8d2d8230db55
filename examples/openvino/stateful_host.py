"""Denoise with a cached model in OpenVINO, which keeps the state itself.

    python stateful_host.py MODEL INPUTS.npz RESULT.npz

MODEL is a file that `ditcache rewrite --target openvino` wrote; the other files are those of
../onnxruntime/host.py, and so is the loop. Each pair of a state input and its output becomes a
variable of the model, except the flags that say whether state is valid: those are fed, false on
the first call, because OpenVINO's CPU plugin (2026.4.1) leaves a bool variable as it began. An
inference request owns the variables' values, so each branch of guidance is a request of its own,
and a new generation resets it.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import openvino
from openvino._offline_transformations import apply_make_stateful_transformation

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "onnxruntime"))
from forms import controls  # noqa: E402
from host import denoise  # noqa: E402


class StatefulModel:
    """A compiled model whose state pairs are variables, with what it says about itself."""

    def __init__(self, path, device="CPU", **properties):
        core = openvino.Core()
        model = core.read_model(path)
        metadata = model.get_rt_info()["framework"]
        self.manifest = json.loads(metadata["ditcache/manifest"].value)
        if {"dropped", "uncond"} & set(self.manifest.get("branches") or {}):
            raise SystemExit("the schedule needs state of both branches, which requests keep")
        apply_make_stateful_transformation(model, {
            slot["input"]: slot["output"] for slot in self.manifest["state"]
            if not slot["isValidity"]})
        self.flags = [slot["input"] for slot in self.manifest["state"] if slot["isValidity"]]
        self.compiled = core.compile_model(model, device, properties)
        names = [port.any_name for port in self.compiled.outputs]
        # A diffusion model's first output is its prediction.
        self.prediction = next(name for name in names if not name.startswith("ditcache/"))


class Request:
    """One branch of guidance: an inference request, and with it the state of its own calls."""

    def __init__(self, model, number=0):
        self.model, self.number = model, number
        self.request, self.begun = model.compiled.create_infer_request(), False

    def __call__(self, feeds, step, sigmas, override=0):
        """One call at a scheduler step, as of host.Branch."""
        manifest = self.model.manifest
        override = np.broadcast_to(np.array(override, np.int64), len(manifest["sites"]))
        self.request.infer({
            **feeds, **controls(manifest, step, sigmas, override.copy(), self.number),
            **{flag: np.array([self.begun]) for flag in self.model.flags}})
        self.begun = True
        return tuple(self.request.get_tensor(name).data.copy()
                     for name in (self.model.prediction, "ditcache/computed"))

    def reset(self):
        """Forgets everything."""
        self.request.reset_state()
        self.begun = False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a file written by `ditcache rewrite --target openvino`")
    parser.add_argument("inputs", help="an .npz file, see ../onnxruntime/host.py")
    parser.add_argument("result", help="the .npz file to write")
    parser.add_argument("--device", default="CPU")
    parser.add_argument("--precision", default="f32",
                        help="bf16 and f16 are faster where the device has them, and differ")
    parser.add_argument("--latents", default="hidden_states", help="the model's input for latents")
    parser.add_argument("--timestep", default="timestep", help="the model's input for the timestep")
    arguments = parser.parse_args()

    model = StatefulModel(
        arguments.model, arguments.device, INFERENCE_PRECISION_HINT=arguments.precision)
    with np.load(arguments.inputs) as file:
        inputs = {key: file[key] for key in file.files}
    begun = time.perf_counter()
    record = denoise(model, inputs, arguments.latents, arguments.timestep, branch=Request)
    print(f"{len(record['computed'])} steps in {time.perf_counter() - begun:.2f} s, "
          f"{record['computed'].mean():.1%} of calls computed")
    np.savez(arguments.result, **record)


if __name__ == "__main__":
    main()
