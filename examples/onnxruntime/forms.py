"""What a cached model asks of its host, and how each form that `ditcache rewrite` writes is called."""

import json
from pathlib import Path

import numpy as np


class Model:
    """A cached model, one file or the folder of a form, with what it says about itself.

    `load(path)` opens an ONNX file, or the bytes of one, and returns a function from named inputs to
    named outputs.
    """

    def __init__(self, path, load, manifest=None):
        is_bytes = isinstance(path, bytes)
        self.path, self.load, self.loaded = path if is_bytes else Path(path), load, {}
        if not is_bytes and self.path.is_dir():
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

    def call(self, values, step, override, begun):
        """One call: adds what it gives to `values`; returns the prediction and what computed.

        values are all inputs and the state of a branch by name, override one number a site, and
        begun is false on the first call of a branch, when nothing is kept.
        """
        run = {"static": self.call_static, "split": self.call_split}
        return run.get(self.form["kind"], self.call_file)(values, step, override, begun)

    def call_file(self, values, step, override, begun):
        """One file that decides by itself: the forms `if` and `function`."""
        results = self.file(self.path)(values)
        values.update(results)
        # A diffusion model's first output is its prediction.
        output = next(name for name in results if not name.startswith("ditcache/"))
        return values[output], values.get("ditcache/computed", np.zeros(0, bool))

    def call_static(self, values, step, override, begun):
        """The graph that the table names for the step; the first one reads no state.

        All sites compute by override in the first graph; other overrides have no graph.
        """
        name = self.form["steps"][step if begun and not np.all(override == 1) else 0]
        self.run_part(name, values)
        return values[self.form["outputs"][0]], np.array(self.files[name]["computed"])

    def call_split(self, values, step, override, begun):
        """Every part in order; where there is a choice, by the decision that came out before."""
        computed = [None] * len(self.manifest["sites"])
        for part in self.form["parts"]:
            name, site = part.get("file"), part.get("site")
            if site is not None:
                if computed[site] is None:
                    wanted = values[part["decision"]] if begun else True
                    computed[site] = bool(not begun or [wanted, True, False][override[site]])
                name = part.get("compute" if computed[site] else "reuse")
            if not begun:
                name = part.get("first", name)
            if name is not None:
                self.run_part(name, values)
        return values[self.form["outputs"][0]], np.array(computed)

    def run_part(self, name, values):
        """Runs one file of a form on what it reads of `values`; adds what it gives to them."""
        feeds = {key: values[key] for key in self.files[name]["inputs"]}
        values.update(self.file(self.path / name)(feeds))


def empty(slot):
    """The state before the first call: zeros, of length zero along sizes that vary."""
    shape = [int(size) if size.isdigit() else 0 for size in slot["shape"]]
    return np.zeros(shape, np.dtype(slot["dataType"]))


def controls(manifest, step, sigmas, override, branch=0):
    """What a cached model reads besides its own inputs and state: only what its schedule uses."""
    known = {
        "ditcache/step": np.array([step], np.int64),
        "ditcache/steps": np.array([manifest["steps"]], np.int64),
        "ditcache/branch": np.array([branch], np.int64),
        "ditcache/override": override,
        "ditcache/sigmas": np.array(sigmas, np.float32),
    }
    return {name: known[name] for name in manifest["controls"]} | {
        parameter["input"]: np.array([parameter["value"]], np.float32)
        for parameter in manifest.get("parameters") or []}


def load_with(threads=0):
    """Opens ONNX files in ONNX Runtime's CPU provider; 0 threads take all cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # it warns of every input that has a default

    def load(path):
        session = onnxruntime.InferenceSession(
            path if isinstance(path, bytes) else str(path), options,
            providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]

        def run(feeds):
            return dict(zip(names, session.run(names, feeds)))

        run.session = session
        return run
    return load


def read_manifest(session):
    """What the metadata of one file say about its cache."""
    metadata = session.get_modelmeta().custom_metadata_map
    if "ditcache/manifest" not in metadata:
        raise SystemExit("not a cached model; `ditcache rewrite` makes one")
    return json.loads(metadata["ditcache/manifest"])
