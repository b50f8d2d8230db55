"""Denoise with a cached model in plain ONNX Runtime.

    python host.py MODEL.cached.onnx INPUTS.npz RESULT.npz

INPUTS.npz holds initial_noise (B, ...), sigmas (S + 1, the last 0), timesteps (S, default
1000 * sigma), text/<input>, and for classifier-free guidance guidance_scale and text_uncond/<input>
(default zeros). RESULT.npz gets final, latents (S + 1, B, ...), model_out (S, calls, B, ...) and
computed (S, calls, sites).

A cached model is a pure function: what it remembers comes in and goes out as tensors. All that a
host adds to its loop is in the class Branch.
"""

import argparse
import json
import time

import numpy as np
import onnxruntime


class Branch:
    """One branch of guidance: the cached model together with the state of its own calls."""

    def __init__(self, session, manifest):
        self.session = session
        self.manifest = manifest
        self.outputs = [output.name for output in session.get_outputs()]
        # Nothing is held before the first call, and the model is told so by its `valid` flags.
        self.state = {slot["input"]: empty(slot) for slot in manifest["state"]}

    def __call__(self, feeds, step, override=0):
        """One call at a scheduler step; override 0 follows the schedule, 1 computes, 2 reuses."""
        controls = {
            "ditcache/step": np.array([step], np.int64),
            "ditcache/override": np.full(len(self.manifest["sites"]), override, np.int64),
        }
        results = self.session.run(self.outputs, {**feeds, **controls, **self.state})
        results = dict(zip(self.outputs, results))
        for slot in self.manifest["state"]:
            self.state[slot["input"]] = results.pop(slot["output"])
        computed = results.pop("ditcache/computed")
        # What is left are the model's own outputs; a diffusion model's first is its prediction.
        return next(iter(results.values())), computed


def empty(slot):
    """The state before the first call: zeros, of length zero along sizes that vary."""
    shape = [int(size) if size.isdigit() else 0 for size in slot["shape"]]
    return np.zeros(shape, np.dtype(slot["dataType"]))


def read_manifest(session):
    metadata = session.get_modelmeta().custom_metadata_map
    if "ditcache/manifest" not in metadata:
        raise SystemExit("not a cached model; `ditcache rewrite` makes one")
    return json.loads(metadata["ditcache/manifest"])


def conditioning(inputs):
    """The feeds of each branch, in the order of the calls of a step."""
    cond = {key[len("text/"):]: inputs[key] for key in inputs if key.startswith("text/")}
    if "guidance_scale" not in inputs:
        return {"cond": cond}
    uncond = {
        name: inputs.get(f"text_uncond/{name}", np.zeros_like(value))
        for name, value in cond.items()
    }
    return {"uncond": uncond, "cond": cond}


def report(manifest, computed):
    """The sites that computed, or what stands for them when it is all or none."""
    names = [site["name"] for site, flag in zip(manifest["sites"], computed) if flag]
    if len(names) == len(manifest["sites"]):
        return "computed"
    return "computed " + " ".join(names) if names else "reused"


def denoise(session, inputs, latents_name, timestep_name, override=0):
    """Euler steps along the flow: x += (sigma' - sigma) * v."""
    manifest = read_manifest(session)
    sigmas = inputs["sigmas"]
    timesteps = inputs.get("timesteps", 1000 * sigmas[:-1])
    if len(timesteps) != manifest["steps"]:
        raise SystemExit(
            f"the model was cached for {manifest['steps']} steps, not {len(timesteps)}")
    text = conditioning(inputs)
    branches = {name: Branch(session, manifest) for name in text}

    latents = inputs["initial_noise"]
    record = {"latents": [latents], "model_out": [], "computed": []}
    for step, timestep in enumerate(timesteps):
        begun = time.perf_counter()
        outputs, computed = {}, {}
        for name, branch in branches.items():
            feeds = {
                latents_name: latents,
                timestep_name: np.full(len(latents), timestep, np.float32),
                **text[name],
            }
            outputs[name], computed[name] = branch(feeds, step, override)
        velocity = outputs["cond"]
        if "uncond" in outputs:
            change = outputs["cond"] - outputs["uncond"]
            velocity = outputs["uncond"] + np.float32(inputs["guidance_scale"]) * change
        latents = latents + np.float32(sigmas[step + 1] - sigmas[step]) * velocity

        seconds = time.perf_counter() - begun
        print(f"step {step:3}  {seconds:7.3f} s  {report(manifest, computed['cond'])}")
        record["latents"].append(latents)
        record["model_out"].append(np.stack(list(outputs.values())))
        record["computed"].append(np.stack(list(computed.values())))
    return {key: np.stack(values) for key, values in record.items()} | {"final": latents}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a model written by `ditcache rewrite`")
    parser.add_argument("inputs", help="an .npz file, see the top of this file")
    parser.add_argument("result", help="the .npz file to write")
    parser.add_argument("--latents", default="hidden_states", help="the model's input for latents")
    parser.add_argument("--timestep", default="timestep", help="the model's input for the timestep")
    parser.add_argument("--compute", action="store_true", help="computes every site at every step")
    parser.add_argument("--threads", type=int, default=0, help="0 takes all cores")
    arguments = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    options.log_severity_level = 3  # it warns of every input that has a default
    session = onnxruntime.InferenceSession(
        arguments.model, options, providers=["CPUExecutionProvider"])
    with np.load(arguments.inputs) as file:
        inputs = {key: file[key] for key in file.files}

    begun = time.perf_counter()
    record = denoise(
        session, inputs, arguments.latents, arguments.timestep, override=int(arguments.compute))
    print(f"{len(record['computed'])} steps in {time.perf_counter() - begun:.2f} s, "
          f"{record['computed'].mean():.1%} of calls computed")
    np.savez(arguments.result, **record)


if __name__ == "__main__":
    main()
