"""Every schedule of the catalogue: ditcache's interpreter and ONNX Runtime take the same decisions
and give the same numbers, call by call over a whole run.

Schedules whose block lists do not fit the corpus models run on deeper ones (deep.py). With weights
that nobody trained, published thresholds mostly never or always fire; what decides during a run is
therefore run a second time, with a threshold between the metrics of that run.
"""

import contextlib
import io
import re
import sys
import unittest
from functools import cache

import numpy as np
import onnx

from deep import deep_model
from forecasts import coefficients
from published import LEMICA, MAGCACHE, TEACACHE
from support import CORPUS, LATENTS, ROOT, TIMESTEP, Cases, arrays, ditcache, for_each, onnx_runtime
from support import recording, scratch_folder

sys.path.insert(0, str(ROOT / "examples" / "onnxruntime"))
import host  # noqa: E402

SCHEDULES = {
    path.stem: path.read_text()
    for path in sorted((ROOT / "Sources" / "Catalogue" / "schedules").glob("*.dcs"))}
SHIFT = {"wan": 5.0, "hunyuan": 7.0}
FREE_STEPS = 16
# Those that name blocks which the corpus models lack.
DEEP = {
    "adacache-fast-wan", "adacache-hunyuan", "adacache-motion-wan-14b", "adacache-slow-wan",
    "adacache-wan-1-3b", "blockdance-wan",
    "dbcache-hunyuan", "dbcache-taylorseer-wan", "dbcache-wan", "delta-dit",
    *(name for name in SCHEDULES if name.startswith("profiling-")),
}
GUIDED = {name for name, text in SCHEDULES.items()
          if re.search(r"^  branches |if branch ==", text, re.MULTILINE)}
# Thresholds with which the run both computes and reuses, at a distance from every metric.
BETWEEN = {
    ("dbcache-hunyuan", "hunyuan"): 0.7,
    ("dbcache-taylorseer-wan", "wan"): 0.54,
    ("dbcache-wan", "wan"): 0.54,
    ("dicache-hunyuan", "hunyuan"): 0.4,
    ("dicache-wan", "wan"): 0.266,
    ("easycache-hunyuan", "hunyuan"): 0.871,
    ("easycache-wan", "wan"): 1.06,
    ("first-block", "wan"): 0.419,
    ("first-block", "hunyuan"): 0.746,
    ("magcache-hunyuan-540p", "hunyuan"): 0.0135,
    ("magcache-hunyuan-720p", "hunyuan"): 0.0141,
    ("magcache-wan-1-3b", "wan"): 0.114,
    ("magcache-wan-14b", "wan"): 0.00684,
    ("magcache-wan-i2v-480p", "wan"): 0.0397,
    ("magcache-wan-i2v-720p", "wan"): 0.00994,
    ("teacache-hunyuan-fast", "hunyuan"): 0.144,
    ("teacache-hunyuan-slow", "hunyuan"): 0.144,
    ("teacache-wan-1-3b-cutoff", "wan"): 398,
    ("teacache-wan-i2v-480p", "wan"): 178000,
    ("teacache-wan-i2v-720p", "wan"): 2220,
}
# What is known before the run, of each system one model; PAB where the levels are.
BY_LEVELS = {name for name in SCHEDULES if name.startswith("pab-")}
STATIC = BY_LEVELS | {
    name for name in SCHEDULES if name.startswith((
        "blockdance-", "clusca-", "delta-dit", "duca-", "every-", "fastercache-", "fora", "hicache",
        "lemica-", "meancache-", "profiling-", "scm-", "taylorseer-", "tgate-", "toca-"))}
# A frame of the corpus models has 24 tokens.
FRAME = ("tokens: 1536", "tokens: 24")


def cases():
    for name, text in SCHEDULES.items():
        adapter = re.search(r"schedule \S+ for (\S+)", text)[1]
        for model in ["wan", "hunyuan"] if adapter == "any" else [adapter]:
            yield name, model


def step_count(text):
    found = re.search(r"^  steps (\d+)", text, re.MULTILINE)
    return int(found[1]) if found else FREE_STEPS


def with_threshold(text, value):
    """A schedule's text with another threshold, whatever range its parameter had."""
    changed = re.sub(
        r"parameter threshold in 0 to \S+( of \w+)? = \S+",
        rf"parameter threshold in 0 to 1000000\1 = {value}", text)
    return changed if changed != text else re.sub(r"threshold: [\d.]+", f"threshold: {value}", text)


def run_inputs(model, steps, guided=False):
    """Inputs of a run of so many steps; returns their path."""
    stored = arrays(CORPUS / f"{model}_traj.npz")
    levels = np.linspace(1, 0, steps + 1)
    sigmas = (SHIFT[model] * levels / (1 + (SHIFT[model] - 1) * levels)).astype(np.float32)
    own = {key: value for key, value in stored.items()
           if key == "initial_noise" or key.startswith("text/")}
    path = scratch_folder() / "inputs.npz"
    if guided:
        own["guidance_scale"] = np.float32(3)
    np.savez(path, sigmas=sigmas, timesteps=1000 * sigmas[:-1], **own)
    return path


def in_onnx_runtime(path, inputs, latents):
    """What the example host makes of a cached model when every step starts from given latents."""
    def load(file):
        return onnx_runtime(onnx.load_from_string(file) if isinstance(file, bytes) else file)

    class Led(host.Branch):
        def __call__(self, feeds, step, *more):
            own = {LATENTS: latents[step]} if LATENTS in feeds else {}
            return super().__call__({**feeds, **own}, step, *more)

    with contextlib.redirect_stdout(io.StringIO()):
        return host.denoise(host.Model(path, load), inputs, LATENTS, TIMESTEP, branch=Led)


def rewritten(text, model, deep=False, steps=None, *options, status=0):
    """`ditcache rewrite` of a corpus model; returns the path of the result and the command."""
    folder = scratch_folder()
    rules, path = folder / "schedule.dcs", folder / "cached.onnx"
    rules.write_text(text.replace(*FRAME))
    source = deep_model(model) if deep else CORPUS / f"{model}.onnx"
    return path, ditcache(
        "rewrite", source, "--schedule", rules, "--steps", steps or step_count(text), "--target",
        "onnxruntime", "--copy-weights", "-o", path, *options, status=status)


def run(text, model, deep=False, steps=None, guided=False):
    """The cached model, the inputs of its run, and the recording of our interpreter."""
    path, _ = rewritten(text, model, deep, steps)
    inputs = run_inputs(model, steps or step_count(text), guided)
    return path, arrays(inputs), recording.__wrapped__(path, inputs)


@cache
def run_of(name, model, text=None):
    """The same of a schedule of the catalogue, or of a text derived from it."""
    return run(text or SCHEDULES[name], model, name in DEEP, guided=name in GUIDED)


def form_of(kind, name, model, text=None, status=0):
    """The folder of a schedule in a form of several files, and the command that wrote it."""
    text = text or SCHEDULES[name]
    levels = ["--levels", run_inputs(model, step_count(text))] if name in BY_LEVELS else []
    return rewritten(
        text, model, name in DEEP, None, "--form", kind, *levels, status=status)


class CatalogueTests(Cases):
    def assert_agrees(self, path, inputs, recorded, text):
        there = in_onnx_runtime(path, inputs, recorded["latents"])
        np.testing.assert_array_equal(there["computed"], recorded["computed"])
        forecast = re.search(r"^ *forecast .*$", text, re.MULTILINE)
        for step, (ours, theirs) in enumerate(zip(recorded["model_out"], there["model_out"])):
            called = np.isfinite(ours)
            np.testing.assert_array_equal(called, np.isfinite(theirs))
            sum_of_weights = 0
            if forecast:
                flags = recorded["computed"][:step + 1, -1, 0]
                sum_of_weights = np.abs(coefficients(forecast[0], flags)).sum()
            self.assertNear(ours[called], theirs[called], 1e-5 * (1 + sum_of_weights))

    @for_each(*cases())
    def test_onnx_runtime_agrees(self, name, model):
        self.assert_agrees(*run_of(name, model), SCHEDULES[name])

    @for_each(*[(*case, threshold) for case, threshold in BETWEEN.items()])
    def test_onnx_runtime_agrees_where_the_run_decides(self, name, model, threshold):
        text = with_threshold(SCHEDULES[name], threshold)
        path, inputs, recorded = run_of(name, model, text)
        flags, metric = recorded["computed"][1:], recorded["metric"]
        self.assertTrue(flags.any() and not flags.all())
        compared = metric[np.isfinite(metric) & (metric != 0)]
        self.assertGreater(np.abs(compared / threshold - 1).min(), 1e-3)
        self.assert_agrees(path, inputs, recorded, text)

    @for_each(*dict([case for case in cases() if case[0] in STATIC][::-1]).items())
    def test_onnx_runtime_agrees_in_the_form_static(self, name, model):
        _, inputs, recorded = run_of(name, model)
        self.assert_agrees(form_of("static", name, model)[0], inputs, recorded, SCHEDULES[name])

    @for_each(*[case for case in cases() if case[0] not in STATIC])
    def test_what_decides_during_the_run_is_not_static(self, name, model):
        _, refused = form_of("static", name, model, status=4)
        self.assertIn("decides during the run", refused.stderr)

    @for_each(*[(*case, threshold) for case, threshold in BETWEEN.items()])
    def test_onnx_runtime_agrees_in_the_form_split(self, name, model, threshold):
        text = with_threshold(SCHEDULES[name], threshold)
        _, inputs, recorded = run_of(name, model, text)
        self.assert_agrees(form_of("split", name, model, text)[0], inputs, recorded, text)

    @for_each(("adacache-hunyuan", "hunyuan"), ("adacache-wan-1-3b", "wan"),
              ("adacache-motion-wan-14b", "wan"))
    def test_onnx_runtime_agrees_on_the_rate(self, name, model):
        text = re.sub(r"limits: \[[^]]*\]", "limits: [0.1, 0.15, 0.2, 0.25, 0.3]", SCHEDULES[name])
        path, inputs, recorded = run_of(name, model, text)
        steps = np.flatnonzero(recorded["computed"][1:-2, 0, 0])
        self.assertGreater(len(set(np.diff(steps))), 1)
        self.assert_agrees(path, inputs, recorded, text)


class PublishedTableTests(Cases):
    """The numbers of the catalogue are those that were published."""

    @for_each(*[(name, row) for name, row in TEACACHE.items()])
    def test_teacache(self, name, row):
        self.assertEqual(numbers(r"through: \[(.*?)\]", SCHEDULES[name]), row)

    @for_each(*[(name, key, table) for name, tables in MAGCACHE.items()
                for key, table in tables.items()])
    def test_magcache(self, name, key, table):
        self.assertEqual(numbers(rf"let {key} = \[(.*?)\]", SCHEDULES[name]), table)
        self.assertIn(f"per_step({key})", SCHEDULES[name])

    @for_each(*[(name, steps) for name, steps in LEMICA.items()])
    def test_lemica(self, name, steps):
        self.assertEqual(numbers(r"refresh at \[(.*?)\]", SCHEDULES[name]), steps)

    def test_every_table_of_the_catalogue_is_compared(self):
        kinds = ("teacache-", "magcache-", "lemica-")
        self.assertEqual({name for name in SCHEDULES if name.startswith(kinds)},
                         TEACACHE.keys() | MAGCACHE.keys() | LEMICA.keys())


def numbers(pattern, text):
    return [float(word) for word in re.search(pattern, text, re.DOTALL)[1].split(",")]


if __name__ == "__main__":
    unittest.main()
