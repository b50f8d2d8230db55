"""What the runtime tests share: fixtures, the `ditcache` binary, and two runtimes as functions.

The binary is the one that the environment variable DITCACHE names, else the release build.
"""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures"
UNPACKED = Path(subprocess.run(
    [sys.executable, FIXTURES / "unpack"], capture_output=True, text=True, check=True).stdout.strip())
CORPUS, PEERS, ORACLES = (UNPACKED / name for name in ("corpus", "peers", "oracles"))
DITCACHE = os.environ.get("DITCACHE", str(ROOT / ".build" / "release" / "ditcache"))

LATENTS, TIMESTEP = "hidden_states", "timestep"
MAIN_MODELS = [
    "wan", "wan_dyn", "wan_opset23", "wan_ts17", "wan_ext",
    "hunyuan", "hunyuan_dyn", "hunyuan_opset23", "hunyuan_ext",
]

_scratch = tempfile.TemporaryDirectory(prefix="ditcache-tests-")

onnxruntime.set_default_logger_severity(3)


def ditcache(*arguments, status=0, environment=None):
    """Runs the command and checks its exit status; returns the finished process."""
    done = subprocess.run(
        [DITCACHE, *map(str, arguments)], capture_output=True, text=True, timeout=120,
        env={**os.environ, **(environment or {})})
    line = " ".join(map(str, arguments))
    assert done.returncode == status, (
        f"ditcache {line}: status {done.returncode}, expected {status}\n{done.stdout}{done.stderr}")
    return done


def copy_model(name, folder, source=CORPUS):
    """Copies a model, with its weight file if it has one, and returns the copy's path."""
    for file in Path(source).glob(f"{name}.onnx*"):
        shutil.copyfile(file, Path(folder) / file.name)
    return Path(folder) / f"{name}.onnx"


def scratch_folder():
    """A new folder that goes away when the tests end."""
    return Path(tempfile.mkdtemp(dir=_scratch.name))


def schedule_text(*rules, adapter="any", steps=12):
    """A schedule of rules, each a site and clauses: `("blocks[1-4]", "warmup_steps 2", …)`."""
    lines = [f"schedule test for {adapter} {{", f"  steps {steps}"]
    for site, *clauses in rules:
        lines += [f"  cache {site} {{", "    keep delta", *(f"    {c}" for c in clauses), "  }"]
    return "\n".join([*lines, "}", ""])


@cache
def cached_model(name, schedule, *options, source=CORPUS):
    """`ditcache rewrite` of a copy of a model; returns the path of the cached one."""
    folder = scratch_folder()
    rules, output = folder / "schedule.dcs", folder / f"{name}.cached.onnx"
    rules.write_text(schedule)
    model = copy_model(name, folder, source)
    ditcache("rewrite", model, "--schedule", rules, "-o", output, *options)
    return output


@cache
def recording(model, inputs):
    """`ditcache sample --inputs INPUTS --record`; returns the arrays of the recording."""
    record = scratch_folder() / "record.npz"
    ditcache("sample", model, "--inputs", inputs, "--record", record, "--quiet")
    return arrays(record)


def arrays(path):
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def golden(path):
    """Inputs and outputs of a golden file, by the names of the graph."""
    stored = arrays(path)
    return ({key[3:]: value for key, value in stored.items() if key.startswith("in/")},
            {key[4:]: value for key, value in stored.items() if key.startswith("out/")})


def manifest(path):
    """The JSON that `ditcache rewrite` left in a model's metadata."""
    properties = onnx.load(path, load_external_data=False).metadata_props
    return json.loads(next(p.value for p in properties if p.key == "ditcache/manifest"))


def distance(a, b):
    """max |a - b|; shapes must agree, and a NaN is infinitely far away."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, (a.shape, b.shape)
    gap = np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0)
    return np.inf if np.isnan(gap) else gap


def bfloat16_bits(array):
    """float32 numbers that bfloat16 can hold, as its bits."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    assert not (bits & 0xFFFF).any(), "the numbers need rounding"
    return (bits >> 16).astype(np.uint16)


def from_bfloat16_bits(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


ONNX_RUNTIME_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def onnx_runtime(model, **options):
    """A model in ONNX Runtime, as a function from named inputs to named outputs."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    for name, value in options.items():
        setattr(settings, name, value)
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    session = onnxruntime.InferenceSession(source, settings, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    types = {
        port.name: port.type
        for port in session.get_inputs() + session.get_overridable_initializers()}

    def value(name, array):
        if types.get(name) == "tensor(bfloat16)":
            return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
                bfloat16_bits(array), onnx.TensorProto.BFLOAT16)
        wanted = ONNX_RUNTIME_TYPES.get(types.get(name), array.dtype)
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.asarray(array, wanted, order="C"))

    def array(value):
        if value.data_type() != "tensor(bfloat16)":
            return value.numpy()
        count = int(np.prod(value.shape()))
        bits = (ctypes.c_uint16 * count).from_address(value._ortvalue.data_ptr())
        return from_bfloat16_bits(np.array(bits, np.uint16)).reshape(value.shape())

    def run(feeds):
        values = {name: value(name, feed) for name, feed in feeds.items()}
        return dict(zip(names, map(array, session.run_with_ort_values(names, values))))

    run.session = session
    return run


def open_vino(model):
    """A model in OpenVINO, as a function from named inputs to named outputs."""
    core = openvino.Core()
    core.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    compiled = core.compile_model(str(model), "CPU")

    types = {name: port.element_type for port in compiled.inputs for name in port.names}

    def value(name, feed):
        if types.get(name) != openvino.Type.bf16:
            wanted = types[name].to_dtype() if name in types else feed.dtype
            return np.ascontiguousarray(feed, wanted)
        tensor = openvino.Tensor(openvino.Type.bf16, list(feed.shape))
        tensor.data[...] = bfloat16_bits(feed).view(tensor.data.dtype)
        return tensor

    def array(port, result):
        if port.element_type != openvino.Type.bf16:
            return result.copy()
        return from_bfloat16_bits(result.view(np.uint16))

    def run(feeds):
        results = compiled({name: value(name, feed) for name, feed in feeds.items()})
        return {
            name: array(port, results[port]) for port in compiled.outputs for name in port.names}

    run.compiled = compiled
    return run


def interpreter(model):
    """A model in ditcache's own interpreter, as a function from named inputs to named outputs."""
    folder = scratch_folder()

    def run(feeds):
        np.savez(folder / "feeds.npz", **feeds)
        ditcache("run", model, "--input", folder / "feeds.npz", "--output", folder / "results.npz")
        return arrays(folder / "results.npz")

    return run


RUNTIMES = {"onnxruntime": onnx_runtime, "openvino": open_vino}


class CachedModel:
    """One branch of a cached model in some runtime: feeds controls and state, keeps the state."""

    def __init__(self, path, runtime):
        self.manifest = manifest(path)
        self.run = {**RUNTIMES, "ditcache": interpreter}[runtime](path)
        self.state = {slot["input"]: empty(slot) for slot in self.manifest["state"]}

    def __call__(self, feeds, step, override=0):
        controls = {
            "ditcache/step": np.array([step], np.int64),
            "ditcache/override": np.full(len(self.manifest["sites"]), override, np.int64),
        }
        results = self.run({**feeds, **controls, **self.state})
        for slot in self.manifest["state"]:
            self.state[slot["input"]] = results[slot["output"]]
        self.computed = results["ditcache/computed"]
        return results[self.output(results)]

    def output(self, results):
        return next(name for name in results if not name.startswith("ditcache/"))


def empty(slot):
    """What to feed a state input before the first call: zeros, length zero where sizes vary.

    NumPy has no bfloat16; the runtimes above take float32 for it.
    """
    shape = [int(size) if size.isdigit() else 0 for size in slot["shape"]]
    return np.zeros(shape, {"bfloat16": "float32"}.get(slot["dataType"], slot["dataType"]))


def conditioning(inputs):
    """The model's own inputs besides latents and timestep, from a trajectory's arrays."""
    return {key[5:]: value for key, value in inputs.items() if key.startswith("text/")}


def denoise(model, inputs, fed_latents=None):
    """Twelve Euler steps of `model(feeds, step)`; returns model outputs and latents.

    With `fed_latents` every step starts from those instead of from its predecessor's result, so
    that the runtimes are compared a step at a time.
    """
    sigmas, text = inputs["sigmas"], conditioning(inputs)
    latents = inputs["initial_noise"]
    outputs, trajectory = [], [latents]
    for step, timestep in enumerate(inputs["timesteps"]):
        if fed_latents is not None:
            latents = fed_latents[step]
        feeds = {LATENTS: latents, TIMESTEP: np.full(len(latents), timestep, np.float32), **text}
        outputs.append(model(feeds, step))
        latents = latents + np.float32(sigmas[step + 1] - sigmas[step]) * outputs[-1]
        trajectory.append(latents)
    return np.stack(outputs), np.stack(trajectory)


def for_each(*cases):
    """Makes one test of each case, a tuple of arguments whose strings name the test."""
    def mark(method):
        method.cases = cases
        return method
    return mark


class Cases(unittest.TestCase):
    """A test case whose methods may be marked with `for_each`."""

    def __init_subclass__(cls):
        for name, method in list(vars(cls).items()):
            for case in getattr(method, "cases", ()):
                words = "_".join(word for word in case if isinstance(word, str))
                setattr(cls, f"{name}__{words}", lambda self, m=method, c=case: m(self, *c))
            if hasattr(method, "cases"):
                delattr(cls, name)

    def assertNear(self, a, b, tolerance):
        """max |a - b| <= tolerance, with equal shapes and no NaN."""
        self.assertLessEqual(distance(a, b), tolerance)
