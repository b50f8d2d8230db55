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

    def __init__(self, session, manifest, number=0):
        self.session = session
        self.number = number
        self.manifest = manifest
        self.outputs = [output.name for output in session.get_outputs()]
        # Nothing is held before the first call, and the model is told so by its `valid` flags.
        self.state = {slot["input"]: empty(slot) for slot in manifest["state"]}

    def __call__(self, feeds, step, sigmas, override=0):
        """One call at a scheduler step; override 0 follows the schedule, 1 computes, 2 reuses.

        sigmas are the noise levels of the step and of the next one. Only the controls that the
        schedule reads are inputs of the model.
        """
        sites = len(self.manifest["sites"])
        values = {
            "ditcache/step": np.array([step], np.int64),
            "ditcache/steps": np.array([self.manifest["steps"]], np.int64),
            "ditcache/branch": np.array([self.number], np.int64),
            "ditcache/override": np.broadcast_to(np.array(override, np.int64), (sites,)).copy(),
            "ditcache/sigmas": np.array(sigmas, np.float32),
        }
        controls = {name: values[name] for name in self.manifest["controls"]}
        for parameter in self.manifest.get("parameters", []):
            controls[parameter["input"]] = np.array([parameter["value"]], np.float32)
        results = self.session.run(self.outputs, {**feeds, **controls, **self.state})
        results = dict(zip(self.outputs, results))
        for slot in self.manifest["state"]:
            self.state[slot["input"]] = results.pop(slot["output"])
        computed = results.pop("ditcache/computed")
        results.pop("ditcache/metric", None)
        # What is left are the model's own outputs; a diffusion model's first is its prediction.
        return next(iter(results.values())), computed


    def average(self, other):
        """Makes every float state the mean of this branch's and another's."""
        for name, own in self.state.items():
            if own.dtype == np.float32 and own.shape == other.state[name].shape:
                self.state[name] = (own + other.state[name]) / 2


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
    branches = {
        name: Branch(session, manifest, number=int(name == "uncond")) for name in text}
    # What the schedule asks of a host that makes two calls a step.
    plan = manifest.get("branches") if len(branches) == 2 else None
    leader = (plan or {}).get("leader")
    dropped, first_alone = (plan or {}).get("dropped"), (plan or {}).get("fromStep", 0)

    latents = inputs["initial_noise"]
    record = {"latents": [latents], "model_out": [], "computed": []}
    for step, timestep in enumerate(timesteps):
        begun = time.perf_counter()
        called = list(branches)
        if leader:
            called.sort(key=lambda name: name != leader)
        if dropped and step >= first_alone:
            called.remove(dropped)
            if step == first_alone:
                branches[called[0]].average(branches[dropped])
        outputs, computed = {}, {}
        for name in called:
            feeds = {
                latents_name: latents,
                timestep_name: np.full(len(latents), timestep, np.float32),
                **text[name],
            }
            follows = leader and name != leader and not override
            outputs[name], computed[name] = branches[name](
                feeds, step, sigmas[step:step + 2],
                np.where(computed[leader], 1, 2) if follows else override)
        velocity = outputs[called[-1]]
        if len(outputs) == 2:
            change = outputs["cond"] - outputs["uncond"]
            velocity = outputs["uncond"] + np.float32(inputs["guidance_scale"]) * change
        none = np.full_like(velocity, np.nan), np.zeros(len(manifest["sites"]), bool)
        latents = latents + np.float32(sigmas[step + 1] - sigmas[step]) * velocity

        seconds = time.perf_counter() - begun
        print(f"step {step:3}  {seconds:7.3f} s  {report(manifest, computed[called[-1]])}")
        record["latents"].append(latents)
        record["model_out"].append(np.stack([outputs.get(name, none[0]) for name in branches]))
        record["computed"].append(np.stack([computed.get(name, none[1]) for name in branches]))
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
