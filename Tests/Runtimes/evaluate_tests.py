"""`ditcache evaluate` against NumPy on what `sample` recorded."""

import csv
import json
import unittest

import numpy as np
import onnx
from onnx import numpy_helper

from pages import check_page
from support import CORPUS, FIXTURES, ROOT, Cases, arrays, ditcache, schedule_text, scratch_folder

MODEL = ROOT / "examples" / "models" / "wan_video.onnx"
PIPELINE = FIXTURES / "pipeline"
PROMPTS = [
    "background:checker background:blue first:circle first:red first:right",
    "background:diagonal background:red first:square first:white first:up"]


def report(*arguments):
    return json.loads(ditcache("evaluate", *arguments, "--json").stdout)


def relative(power, a, b):
    return (np.abs(a - b) ** power).sum() ** (1 / power) / (np.abs(b) ** power).sum() ** (1 / power)


def psnr(a, b, data_range):
    return 10 * np.log10(data_range ** 2 / np.mean((a - b) ** 2))


class ModelTests(Cases):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch_folder()
        cls.inputs = CORPUS / "wan_traj.npz"
        cls.schedules = []
        for name, interval in ("often", 2), ("seldom", 4):
            path = cls.folder / f"{name}.dcs"
            text = schedule_text(("stack", "warmup_steps 2", f"refresh every {interval}"))
            path.write_text(text.replace("schedule test", f"schedule {name}"))
            cls.schedules.append(path)
        options = [word for path in cls.schedules for word in ("--schedule", path)]
        cls.report = report(
            CORPUS / "wan.onnx", *options, "--inputs", cls.inputs, "-o", cls.folder / "out")

    def recorded(self, *options):
        path = scratch_folder() / "record.npz"
        ditcache("sample", CORPUS / "wan.onnx", "--inputs", self.inputs, "--record", path,
                 "--no-baseline", *options)
        return {key: value.astype(np.float64) for key, value in arrays(path).items()}

    def test_figures_are_those_of_numpy(self):
        baseline = self.recorded()
        names = [method["name"] for method in self.report["methods"]]
        self.assertEqual(names, ["baseline", "often", "seldom"])
        for method, schedule in zip(self.report["methods"][1:], self.schedules):
            run = self.recorded("--schedule", schedule)
            a, b = run["final"], baseline["final"]
            self.assertAlmostEqual(method["relative_l1"]["mean"], relative(1, a, b), places=9)
            self.assertAlmostEqual(method["relative_l2"]["mean"], relative(2, a, b), places=9)
            self.assertAlmostEqual(
                method["psnr_db"]["mean"], psnr(a, b, b.max() - b.min()), places=7)
            norms = np.linalg.norm(a) * np.linalg.norm(b)
            self.assertAlmostEqual(method["cosine"]["mean"], (a * b).sum() / norms, places=9)
            steps = [relative(1, x, y) for x, y in zip(run["latents"], baseline["latents"])]
            self.assertNear([s["relative_l1"] for s in method["per_step"]], steps, 1e-9)
            self.assertGreaterEqual(method["computed"], run["computed"].mean())
            self.assertLess(method["computed"], 1)

    def test_the_table_begins_with_the_baseline(self):
        lines = (self.folder / "out" / "evaluation.md").read_text().splitlines()
        self.assertRegex(lines[0], r"^\| Method +\| +Computed \| +Latency \(s\) ↓ \| +Speedup ↑ \|")
        self.assertRegex(lines[2], r"^\| baseline +\| +100\.0 % \|")
        self.assertEqual(len({len(line) for line in lines}), 1)
        with open(self.folder / "out" / "evaluation.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["method"] for row in rows], ["baseline", "often", "seldom"])
        written = json.loads((self.folder / "out" / "evaluation.json").read_text())
        self.assertEqual(
            float(rows[1]["psnr_db_mean"]), written["methods"][1]["psnr_db"]["mean"])

    def test_the_page_stands_alone(self):
        text = check_page(self.folder / "out" / "evaluation.html")
        for words in "Distance from the uncached latents", "What was computed", "Side by side":
            self.assertIn(words, text)

    def test_costs_fall(self):
        baseline, often, seldom = self.report["methods"]
        self.assertGreater(baseline["flops"], often["flops"])
        self.assertGreater(often["flops"], seldom["flops"])
        self.assertGreater(seldom["state_bytes"], 0)
        self.assertNotIn("speedup", baseline)

    def test_schedules_of_other_lengths_are_refused(self):
        done = ditcache("evaluate", CORPUS / "wan.onnx", "--schedule", self.schedules[0],
                        "--schedule", "every-2", "--seeds", "0", status=64)
        self.assertIn("pass --steps", done.stderr)

    def test_an_always_computing_schedule_is_identical(self):
        path = scratch_folder() / "all.dcs"
        path.write_text(schedule_text(("stack", "warmup_steps 2", "refresh every 1")))
        _, method = report(
            CORPUS / "wan.onnx", "--schedule", path, "--inputs", self.inputs)["methods"]
        self.assertEqual((method["identical"], method["samples"]), (1, 1))
        self.assertNotIn("psnr_db", method)
        self.assertEqual(method["relative_l1"]["maximum"], 0)


class PromptTests(Cases):
    def test_every_prompt_meets_every_seed_with_networks_that_judge(self):
        folder = scratch_folder()
        (folder / "prompts.txt").write_text("# two\n" + "\n".join(PROMPTS) + "\n")
        for name in "lpips", "features":
            pictures_of(FIXTURES / "quality" / f"{name}.onnx", folder / f"{name}.onnx", 32)
        (folder / "lpips.npz").write_bytes((FIXTURES / "quality" / "lpips.npz").read_bytes())
        found = report(
            MODEL, "--schedule", "every-3", "--prompts", folder / "prompts.txt", "--seeds", "3,5",
            "--steps", "9", "--lpips", folder / "lpips.onnx",
            "--features", folder / "features.onnx")
        self.assertEqual(found["content"], "pixels")
        self.assertEqual(found["setting"]["prompts"], PROMPTS)
        method = found["methods"][1]
        self.assertEqual(
            [(run["prompt"], run["seed"]) for run in method["runs"]],
            [(prompt, seed) for prompt in PROMPTS for seed in (3, 5)])
        for name in "psnr_db", "ssim", "lpips", "relative_l1":
            values = [run[name] for run in method["runs"]]
            self.assertAlmostEqual(method[name]["mean"], np.mean(values), places=12)
            self.assertEqual(method[name]["minimum"], min(values))
            self.assertAlmostEqual(method[name]["deviation"], np.std(values), places=12)
        self.assertGreater(method["frechet"], 0)


class DecodedTests(Cases):
    def test_pixels_are_judged_and_latents_measured(self):
        folder = scratch_folder()
        schedule = folder / "every-2.dcs"
        schedule.write_text(schedule_text(("stack", "refresh every 2"), steps=6))
        options = ["--inputs", PIPELINE / "i2v.npz", "--schedule", schedule,
                   "--decoder", PIPELINE / "vae.onnx"]
        found = report(PIPELINE / "i2v.onnx", *options)
        self.assertEqual(found["content"], "pixels")
        ditcache("sample", PIPELINE / "i2v.onnx", *options, "-o", folder / "out")
        made = {key: value.astype(np.float64)
                for key, value in arrays(folder / "out" / "final.npz").items()}
        method = found["methods"][1]
        own, other = ((np.clip(made[key], -1, 1) + 1) / 2 for key in ("pixels", "baseline_pixels"))
        self.assertAlmostEqual(method["psnr_db"]["mean"], psnr(own, other, 1), places=6)
        self.assertAlmostEqual(
            method["relative_l1"]["mean"], relative(1, made["final"], made["baseline"]), places=9)
        # The folder of `sample` has the same pixels.
        again = report(folder / "out")["methods"][1]
        self.assertEqual(again["psnr_db"], method["psnr_db"])


class VBenchTests(Cases):
    """The names that github.com/Vchitect/VBench, vbench/__init__.py, looks for."""

    def evaluate(self, programs):
        folder = scratch_folder()
        done = ditcache(
            "evaluate", MODEL, "--schedule", "every-3", "--prompt", PROMPTS[0], "--seeds", "3,5",
            "--steps", "8", "--vbench", folder / "videos", environment={"PATH": str(programs)})
        return folder / "videos", done

    def test_with_ffmpeg_every_video_is_an_mp4(self):
        programs = scratch_folder()
        program = programs / "ffmpeg"
        # What an encoder is given, instead of a film.
        program.write_text('#!/bin/sh\nfor last; do :; done\n/bin/cat >"$last"\n')
        program.chmod(0o755)
        videos, done = self.evaluate(programs)
        self.assertEqual(done.stderr, "")
        names = {f"{PROMPTS[0]}-{index}.mp4" for index in (0, 1)}
        for method in "baseline", "every-3":
            self.assertEqual({path.name for path in (videos / method).iterdir()}, names)
            prompts = json.loads((videos / f"{method}.json").read_text())
            self.assertEqual(prompts, dict.fromkeys(names, PROMPTS[0]))
        ditcache("sample", MODEL, "--prompt", PROMPTS[0], "--seed", "3", "--steps", "8",
                 "-o", videos / "sample")
        final = arrays(videos / "sample" / "final.npz")["final"][0]
        pixels = np.rint(255 * (np.clip(final, -1, 1).astype(np.float64) + 1) / 2)
        stored = np.fromfile(videos / "baseline" / f"{PROMPTS[0]}-0.mp4", np.uint8)
        self.assertNear(stored.reshape(8, 32, 32, 3).transpose(3, 0, 1, 2), pixels, 1)

    def test_without_ffmpeg_the_user_is_told(self):
        videos, done = self.evaluate(scratch_folder())
        self.assertIn("VBench does not read", done.stderr)
        self.assertEqual({path.suffix for path in (videos / "every-3").iterdir()}, {".webp"})

    def test_latents_are_no_videos(self):
        done = ditcache("evaluate", CORPUS / "wan.onnx", "--schedule", "every-2", "--inputs",
                        CORPUS / "wan_traj.npz", "--vbench", scratch_folder() / "v", status=64)
        self.assertIn("--decoder", done.stderr)


class ResultTests(Cases):
    def test_folders_and_archives_are_compared_with_the_first(self):
        folder = scratch_folder()
        generator = np.random.default_rng(1)
        a = generator.uniform(-1, 1, (2, 3, 2, 12, 12)).astype(np.float32)
        b = np.clip(a + generator.normal(0, .1, a.shape), -1, 1).astype(np.float32)
        (folder / "first").mkdir()
        np.savez(folder / "first" / "final.npz", final=a, seconds=4.0)
        np.savez(folder / "second.npz", final=b, seconds=2.0)
        found = report(folder / "first", folder / "second.npz")
        method = found["methods"][1]
        self.assertEqual(method["speedup"], 2)
        expected = [psnr(*((x.astype(np.float64) + 1) / 2 for x in pair), 1) for pair in zip(b, a)]
        self.assertNear([run["psnr_db"] for run in method["runs"]], expected, 1e-6)
        np.savez(folder / "both.npz", final=b, baseline=a)
        alone = report(folder / "both.npz")["methods"][1]
        self.assertEqual(alone["psnr_db"], method["psnr_db"])

    def test_results_that_do_not_fit_are_refused(self):
        folder = scratch_folder()
        np.savez(folder / "a.npz", final=np.zeros((1, 4, 2, 3, 3), np.float32))
        np.savez(folder / "b.npz", final=np.zeros((1, 4, 2, 3, 4), np.float32))
        np.savez(folder / "c.npz", other=np.zeros(1))
        ditcache("evaluate", folder / "a.npz", folder / "b.npz", status=2)
        ditcache("evaluate", folder / "a.npz", folder / "c.npz", status=2)
        ditcache("evaluate", folder / "a.npz", status=2)
        ditcache("evaluate", folder / "a.npz", "--schedule", "every-2", status=2)


def pictures_of(source, target, size):
    """A copy of a network for pictures of another size."""
    model = onnx.load(source)
    dimensions = model.graph.input[0].type.tensor_type.shape.dim
    places = dimensions[-1].dim_value * dimensions[-2].dim_value
    for axis in -1, -2:
        dimensions[axis].dim_value = size
    for tensor in model.graph.initializer:
        shape = numpy_helper.to_array(tensor)
        if shape.dtype == np.int64 and places in shape:
            shape = np.where(shape == places, size * size, shape)
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    onnx.save(model, target)


if __name__ == "__main__":
    unittest.main()
