#!/usr/bin/env python3
"""Runs ditcache, ONNX Runtime, OpenVINO and, where it is installed, PyTorch alternately on the same inputs.

usage: compare.py MODEL.onnx [--threads 1 2] [--rounds 5] [--runs 2] [--dim NAME=N] [--engines ditcache onnxruntime openvino …]

Every engine keeps a process of its own; in each round every engine runs in turn, so that a noisy machine disturbs all of
them alike. Printed are medians and minima, ratios to ditcache, each process's peak memory and how far the outputs are from
ONNX Runtime's. Exit status 1 when they are further than 1e-4. The engine pytorch runs the modules of models.py for files of
their names (wan.onnx, …), in the interpreter --torch-python where PyTorch is not beside the others.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve()
ROOT = HERE.parents[2]
TOLERANCE = 1e-4


def make_inputs(model_path, dims, seed=0):
    """Seeded inputs: floats N(0, 1), timesteps 500, masks and bools 1, integers 0."""
    import onnx

    random = np.random.default_rng(seed)
    feeds = {}
    graph = onnx.load(model_path, load_external_data=False).graph
    defaults = {item.name for item in graph.initializer}
    for item in graph.input:
        if item.name in defaults:
            continue
        tensor = item.type.tensor_type
        shape = [
            dim.dim_value or dims.get(dim.dim_param) or dims[f"{item.name}.{axis}"]
            for axis, dim in enumerate(tensor.shape.dim)
        ]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        if "timestep" in item.name:
            value = np.full(shape, 500)
        elif "mask" in item.name or dtype == np.bool_:
            value = np.ones(shape)
        elif np.issubdtype(dtype, np.integer):
            value = np.zeros(shape)
        else:
            value = random.standard_normal(shape)
        feeds[item.name] = value.astype(dtype)
    return feeds


def onnxruntime_engine(model, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_outputs()]
    return lambda feeds: dict(zip(names, session.run(None, feeds)))


def openvino_engine(model, threads, precision="f32"):
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(model), "CPU",
        {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": 1})
    names = [next(iter(item.names)) for item in compiled.outputs]
    return lambda feeds: dict(zip(names, (np.array(x) for x in compiled(feeds).values())))


def torch_engine(model, threads):
    import models
    import torch

    torch.set_num_threads(threads)
    module = models.build(pathlib.Path(model).stem)

    def run(feeds):
        with torch.inference_mode():
            result = module(**{key: torch.from_numpy(x) for key, x in feeds.items()}, return_dict=False)
        return {"sample": result[0].numpy()}

    return run


ENGINES = {
    "onnxruntime": onnxruntime_engine,
    "openvino": openvino_engine,
    "openvino-bf16": lambda model, threads: openvino_engine(model, threads, "bf16"),
    "pytorch": torch_engine,
}


def serve(name, model, inputs, output, threads):
    """Answers lines with a number of runs by lines of their seconds; the first answer holds the peak memory too."""
    feeds = dict(np.load(inputs))
    run = ENGINES[name](model, threads)
    results = run(feeds)
    if output:
        np.savez(output, **{key.replace("/", "|"): value for key, value in results.items()})
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run(feeds)
            seconds.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "peak_bytes": peak}), flush=True)


class Server:
    """Another engine, in a process that keeps its session."""

    def __init__(self, name, python, model, inputs, output, threads):
        command = [python, str(HERE), "--serve", name, str(model), str(inputs), str(output or ""), str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self.process.stdout.readline():
            raise RuntimeError(f"{name} cannot run {model}")

    def run(self, runs):
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Ditcache:
    """The command; every round starts it anew, reads the weights and warms up before it measures."""

    def __init__(self, binary, model, inputs, threads, extra):
        self.command = [
            binary, "bench", str(model), "--input", str(inputs), "--threads", str(threads), "--json", *extra]

    def run(self, runs):
        done = subprocess.run([*self.command, "--repeat", str(runs)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return json.loads(done.stdout)

    def stop(self):
        pass


def difference(path, reference):
    if not path.exists() or not reference.exists():
        return float("nan")
    ours, theirs = np.load(path), np.load(reference)
    return max(
        float(np.abs(ours[key].astype(np.float64) - theirs[key].astype(np.float64)).max())
        for key in theirs.files if key in ours.files)


def compare(args, threads, folder):
    inputs = folder / "inputs.npz"
    dims = {key: int(value) for key, value in (item.split("=") for item in args.dim)}
    np.savez(inputs, **make_inputs(args.model, dims))
    engines, outputs = {}, {}
    for name in args.engines:
        outputs[name] = folder / f"{name}.{threads}.npz"
        try:
            if name == "ditcache" or name.startswith("ditcache "):
                extra = name.split()[1:] + [x for item in args.dim for x in ("--dim", item)]
                engines[name] = Ditcache(args.ditcache, args.model, inputs, threads, extra)
                subprocess.run(
                    [args.ditcache, "run", args.model, "--input", str(inputs), "--output", str(outputs[name]),
                     "--threads", str(threads), "--quiet", *extra], check=True)
            else:
                model = args.ort_model if name == "onnxruntime" and args.ort_model else args.model
                python = args.torch_python if name == "pytorch" else sys.executable
                engines[name] = Server(name, python, model, inputs, outputs[name], threads)
        except RuntimeError as error:
            print(f"  {error}", file=sys.stderr)
    seconds = {name: [] for name in engines}
    peaks = {}
    for _ in range(args.rounds):
        for name, engine in engines.items():
            answer = engine.run(args.runs)
            seconds[name] += answer["seconds"]
            peaks[name] = answer["peak_bytes"]
    for engine in engines.values():
        engine.stop()
    base = seconds.get("ditcache")
    result = {}
    print(f"{pathlib.Path(args.model).name}, {threads} thread(s), {args.rounds} x {args.runs} runs")
    print(f"  {'engine':24} {'median s':>9} {'min s':>8} {'ditcache/it':>18} {'peak MB':>8} {'max |diff|':>10}")
    for name, times in seconds.items():
        median, least = statistics.median(times), min(times)
        ratio = (
            f"{statistics.median(base) / median:.2f} (min {min(base) / least:.2f})" if base and name != "ditcache" else "")
        distance = difference(outputs[name], outputs.get("onnxruntime", pathlib.Path("/nowhere")))
        print(f"  {name:24} {median:9.3f} {least:8.3f} {ratio:>18} {peaks[name] / 1e6:8.0f} {distance:10.1e}")
        result[name] = {"median": median, "minimum": least, "peak_bytes": peaks[name], "difference": distance}
    return result


def main():
    if len(sys.argv) == 7 and sys.argv[1] == "--serve":
        return serve(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5], int(sys.argv[6]))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count()])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--dim", action="append", default=[])
    parser.add_argument("--engines", nargs="+", default=["ditcache", "onnxruntime", "openvino"])
    parser.add_argument("--ditcache", default=str(ROOT / ".build/release/ditcache"))
    parser.add_argument("--ort-model", help="the same model without what ONNX Runtime lacks, such as Where on bools")
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter with PyTorch and diffusers")
    parser.add_argument("--json", help="where to write the numbers")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        results = {threads: compare(args, threads, pathlib.Path(name)) for threads in args.threads}
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(results, indent=1))
    far = [
        result["ditcache"]["difference"] for result in results.values()
        if "ditcache" in result and result["ditcache"]["difference"] > TOLERANCE]
    if far:
        sys.exit(f"the outputs are {max(far):.1e} from ONNX Runtime's, more than {TOLERANCE}")


if __name__ == "__main__":
    main()
