"""Denoise with a cached model in plain ONNX Runtime.

    python host.py MODEL INPUTS.npz RESULT.npz

MODEL is what `ditcache rewrite` wrote: a file, or the folder of the form `static` or `split`.
INPUTS.npz holds initial_noise (B, ...), sigmas (S + 1, the last 0), timesteps (S, default
1000 * sigma), text/<input>, and for classifier-free guidance guidance_scale and text_uncond/<input>
(default zeros). RESULT.npz gets final, latents (S + 1, B, ...), model_out (S, calls, B, ...) and
computed (S, calls, sites). All that caching adds to the loop is in the class Branch.
"""

import argparse
import time
from functools import partial

import numpy as np

from forms import Model, controls, empty, load_with
from guidance import UnconditionalCall


class Branch:
    """One branch of guidance: the cached model together with the state of its own calls."""

    def __init__(self, model, number=0):
        self.model, self.number, self.manifest = model, number, model.manifest
        # Nothing is held before the first call: everything computes.
        self.begun = False
        self.state = {slot["input"]: empty(slot) for slot in self.manifest["state"]}

    def __call__(self, feeds, step, sigmas, override=0):
        """One call at a scheduler step; override 0 follows the schedule, 1 computes, 2 reuses.

        sigmas are the noise levels of the step and of the next one. Returns the prediction and,
        one flag a site, what was computed.
        """
        override = np.broadcast_to(np.array(override, np.int64), len(self.manifest["sites"]))
        values = {**feeds, **self.state, **controls(
            self.manifest, step, sigmas, override.copy(), self.number)}
        output, computed = self.model.call(values, step, override, self.begun)
        self.begun = True
        for slot in self.manifest["state"]:
            # What a file hands on unchanged, it does not hand out.
            self.state[slot["input"]] = values.get(slot["output"], self.state[slot["input"]])
        return output, computed

    def average(self, other):
        """Makes every float state the mean of this branch's and another's."""
        for name, own in self.state.items():
            if own.dtype == np.float32 and own.shape == other.state[name].shape:
                self.state[name] = (own + other.state[name]) / 2


def conditioning(inputs):
    """The feeds of each branch, in the order of the calls of a step."""
    cond = {key[len("text/"):]: inputs[key] for key in inputs if key.startswith("text/")}
    if "guidance_scale" not in inputs:
        return {"cond": cond}
    uncond = {
        name: inputs.get(f"text_uncond/{name}", np.zeros_like(value))
        for name, value in cond.items()}
    return {"uncond": uncond, "cond": cond}


def print_step(step, seconds, manifest, computed):
    """One line a step: the sites that computed, or what stands for all or none of them."""
    names = [site["name"] for site, flag in zip(manifest["sites"], computed) if flag]
    what = "computed " + " ".join(names) if names else "reused"
    what = "computed" if len(names) == len(computed) else what
    print(f"step {step:3}  {seconds:7.3f} s  {what}")


def denoise(model, inputs, latents_name, timestep_name, override=0, branch=Branch,
            on_step=print_step):
    """Euler steps along the flow: x += (sigma' - sigma) * v, with one Branch for each call."""
    manifest, sigmas, text = model.manifest, inputs["sigmas"], conditioning(inputs)
    timesteps = inputs.get("timesteps", 1000 * sigmas[:-1])
    if len(timesteps) != manifest["steps"]:
        raise SystemExit(
            f"the model was cached for {manifest['steps']} steps, not {len(timesteps)}")
    if not np.allclose(manifest.get("timesteps") or timesteps, timesteps, rtol=1e-6):
        raise SystemExit("the model's decisions were taken for other timesteps")
    branches = {name: branch(model, number=int(name == "uncond")) for name in text}
    # What the schedule asks of a host that makes two calls a step.
    plan = (manifest.get("branches") if len(branches) == 2 else None) or {}
    leader, dropped = plan.get("leader"), plan.get("dropped")
    uncond = UnconditionalCall(plan["uncond"], model, branch) if "uncond" in plan else None

    latents = inputs["initial_noise"]
    record = {"latents": [latents], "model_out": [], "computed": []}
    for step, timestep in enumerate(timesteps):
        begun = time.perf_counter()
        called = sorted(branches) if leader or uncond else list(branches)  # cond first
        if dropped and step >= plan["fromStep"]:
            called.remove(dropped)
            if step == plan["fromStep"]:
                branches[called[0]].average(branches[dropped])
        outputs, computed = {}, {}
        for name in called:
            feeds = {latents_name: latents, **text[name],
                     timestep_name: np.full(len(latents), timestep, np.float32)}
            follows = leader and name != leader and not override
            call = partial(
                branches[name], feeds, step, sigmas[step:step + 2],
                np.where(computed[leader], 1, 2) if follows else override)
            if uncond and name == "uncond":
                call = partial(uncond, call, outputs["cond"], feeds[timestep_name], step,
                               sigmas[step:step + 2], override)
            outputs[name], computed[name] = call()
        velocity = outputs[called[-1]]
        if len(outputs) == 2:
            change = outputs["cond"] - outputs["uncond"]
            velocity = outputs["uncond"] + np.float32(inputs["guidance_scale"]) * change
        none = np.full_like(velocity, np.nan), np.zeros(len(manifest["sites"]), bool)
        latents = latents + np.float32(sigmas[step + 1] - sigmas[step]) * velocity

        on_step(step, time.perf_counter() - begun, manifest, computed[called[-1]])
        record["latents"].append(latents)
        record["model_out"].append(np.stack([outputs.get(name, none[0]) for name in branches]))
        record["computed"].append(np.stack([computed.get(name, none[1]) for name in branches]))
    return {key: np.stack(values) for key, values in record.items()} | {"final": latents}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a file or folder written by `ditcache rewrite`")
    parser.add_argument("inputs", help="an .npz file, see the top of this file")
    parser.add_argument("result", help="the .npz file to write")
    parser.add_argument("--latents", default="hidden_states", help="the model's input for latents")
    parser.add_argument("--timestep", default="timestep", help="the model's input for the timestep")
    parser.add_argument("--compute", action="store_true", help="computes every site at every step")
    parser.add_argument("--threads", type=int, default=0, help="0 takes all cores")
    arguments = parser.parse_args()

    model = Model(arguments.model, load_with(arguments.threads))
    with np.load(arguments.inputs) as file:
        inputs = {key: file[key] for key in file.files}

    begun = time.perf_counter()
    record = denoise(
        model, inputs, arguments.latents, arguments.timestep, override=int(arguments.compute))
    print(f"{len(record['computed'])} steps in {time.perf_counter() - begun:.2f} s, "
          f"{record['computed'].mean():.1%} of calls computed")
    np.savez(arguments.result, **record)


if __name__ == "__main__":
    main()
