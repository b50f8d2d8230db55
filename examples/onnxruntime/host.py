"""Denoise with a cached model in plain ONNX Runtime.

    python host.py MODEL INPUTS.npz RESULT.npz

MODEL is what `ditcache rewrite` wrote: a file, or the folder of the form `static` or `split`.
INPUTS.npz holds initial_noise (B, ...), sigmas (S + 1, the last 0), timesteps (S, default
1000 * sigma), text/<input>, and for classifier-free guidance guidance_scale and text_uncond/<input>
(default zeros). RESULT.npz gets final, latents (S + 1, B, ...), model_out (S, calls, B, ...) and
computed (S, calls, sites).

A cached model is a pure function: what it remembers comes in and goes out as tensors. All that a
host adds to its loop is in the class Branch, where each form has one method.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime


class Model:
    """A cached model, one file or the folder of a form, with what it says about itself.

    `load(path)` opens an ONNX file and returns a function from named inputs to named outputs.
    """

    def __init__(self, path, load, manifest=None):
        self.path, self.load, self.loaded = Path(path), load, {}
        if self.path.is_dir():
            self.manifest = json.loads((self.path / "manifest.json").read_text())
            self.form = self.manifest["form"]
            self.files = {file["file"]: file for file in self.form["graphs"]}
        else:
            self.manifest = manifest or read_manifest(self.file(self.path).session)
            self.form = self.manifest.get("form") or {"kind": "if"}

    def file(self, path):
        """The function that runs one file; opened when it is first needed."""
        if path not in self.loaded:
            self.loaded[path] = self.load(path)
        return self.loaded[path]

    def run(self, name, values):
        """Runs one file of a form on what it reads of `values`; adds what it gives to them."""
        feeds = {key: values[key] for key in self.files[name]["inputs"]}
        values.update(self.file(self.path / name)(feeds))


class Branch:
    """One branch of guidance: the cached model together with the state of its own calls."""

    def __init__(self, model, number=0):
        self.model = model
        self.number = number
        self.manifest = model.manifest
        # Nothing is held before the first call: everything computes.
        self.begun = False
        self.state = {slot["input"]: empty(slot) for slot in self.manifest["state"]}
        self.parameters = {
            parameter["input"]: np.array([parameter["value"]], np.float32)
            for parameter in self.manifest.get("parameters") or []}

    def __call__(self, feeds, step, sigmas, override=0):
        """One call at a scheduler step; override 0 follows the schedule, 1 computes, 2 reuses.

        sigmas are the noise levels of the step and of the next one. Only the controls that the
        schedule reads are inputs of the model.
        """
        override = np.broadcast_to(np.array(override, np.int64), len(self.manifest["sites"]))
        controls = {
            "ditcache/step": np.array([step], np.int64),
            "ditcache/steps": np.array([self.manifest["steps"]], np.int64),
            "ditcache/branch": np.array([self.number], np.int64),
            "ditcache/override": override.copy(),
            "ditcache/sigmas": np.array(sigmas, np.float32),
        }
        controls = {name: controls[name] for name in self.manifest["controls"]}
        values = {**feeds, **controls, **self.parameters, **self.state}
        kind = self.model.form["kind"]
        run = {"static": self.run_static, "split": self.run_split}.get(kind, self.run_file)
        output, computed = run(values, step, override)
        self.begun = True
        for slot in self.manifest["state"]:
            # What a file hands on unchanged, it does not hand out.
            self.state[slot["input"]] = values.get(slot["output"], self.state[slot["input"]])
        return output, computed

    def run_file(self, values, step, override):
        """One file that decides by itself: the forms `if` and `function`."""
        results = self.model.file(self.model.path)(values)
        values.update(results)
        # A diffusion model's first output is its prediction.
        output = next(name for name in results if not name.startswith("ditcache/"))
        return values[output], values["ditcache/computed"]

    def run_static(self, values, step, override):
        """The graph that the table names for the step; the first one reads no state.

        All sites compute by override in the first graph; other overrides have no graph.
        """
        steps = self.model.form["steps"]
        name = steps[step if self.begun and not np.all(override == 1) else 0]
        self.model.run(name, values)
        return values[self.model.form["outputs"][0]], np.array(self.model.files[name]["computed"])

    def run_split(self, values, step, override):
        """Every part in order; where there is a choice, by the decision that came out before."""
        computed = [None] * len(self.manifest["sites"])
        for part in self.model.form["parts"]:
            name, site = part.get("file"), part.get("site")
            if site is not None:
                if computed[site] is None:
                    wanted = values[part["decision"]] if self.begun else True
                    computed[site] = bool(
                        not self.begun or [wanted, True, False][override[site]])
                name = part.get("compute" if computed[site] else "reuse")
            if not self.begun:
                name = part.get("first", name)
            if name is not None:
                self.model.run(name, values)
        return values[self.model.form["outputs"][0]], np.array(computed)

    def average(self, other):
        """Makes every float state the mean of this branch's and another's."""
        for name, own in self.state.items():
            if own.dtype == np.float32 and own.shape == other.state[name].shape:
                self.state[name] = (own + other.state[name]) / 2


def empty(slot):
    """The state before the first call: zeros, of length zero along sizes that vary."""
    shape = [int(size) if size.isdigit() else 0 for size in slot["shape"]]
    return np.zeros(shape, np.dtype(slot["dataType"]))


def load_with(options):
    """Opens ONNX files in ONNX Runtime's CPU provider."""
    def load(path):
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]

        def run(feeds):
            return dict(zip(names, session.run(names, feeds)))

        run.session = session
        return run
    return load


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


def denoise(model, inputs, latents_name, timestep_name, override=0):
    """Euler steps along the flow: x += (sigma' - sigma) * v."""
    manifest = model.manifest
    sigmas = inputs["sigmas"]
    timesteps = inputs.get("timesteps", 1000 * sigmas[:-1])
    if len(timesteps) != manifest["steps"]:
        raise SystemExit(
            f"the model was cached for {manifest['steps']} steps, not {len(timesteps)}")
    text = conditioning(inputs)
    branches = {
        name: Branch(model, number=int(name == "uncond")) for name in text}
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
    parser.add_argument("model", help="a file or folder written by `ditcache rewrite`")
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
    model = Model(arguments.model, load_with(options))
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
