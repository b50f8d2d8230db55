"""`ditcache sample` against plain loops in ONNX Runtime, and the pictures that it writes."""

import json
import re
import struct

import numpy as np
import onnx
from onnx import numpy_helper

from pages import check_page
from support import (
    CORPUS, FIXTURES, LATENTS, ROOT, TIMESTEP, CachedModel, Cases, arrays, copy_model, ditcache,
    for_each, golden, onnx_runtime, schedule_text, scratch_folder)

EXAMPLES = ROOT / "examples" / "models"
PIPELINE = FIXTURES / "pipeline"
BOUNDARY, SCALES = 0.8, (3.0, 1.5)
USAGE = 64


def other_weights(path, output):
    """A model of the same architecture: every matrix is a little different."""
    model, rng = onnx.load(path), np.random.default_rng(1)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.ndim == 2:
            noise = 1 + 0.2 * rng.standard_normal(array.shape, dtype=np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array * noise, tensor.name))
    onnx.save(model, output)
    return output


def two_experts(inputs, experts):
    """Euler steps of guided calls; `experts[n](branch, feeds, step)` is the n-th model."""
    latents, text = inputs["initial_noise"], inputs["text/encoder_hidden_states"]
    branches = {"uncond": np.zeros_like(text), "cond": text}
    ran = []
    for step, timestep in enumerate(inputs["timesteps"]):
        number = 0 if timestep >= BOUNDARY * 1000 else 1
        ran.append(number)
        outputs = {}
        for branch, words in branches.items():
            feeds = {
                LATENTS: latents, TIMESTEP: np.full(1, timestep, np.float32),
                "encoder_hidden_states": words}
            outputs[branch] = experts[number](branch, feeds, step)
        change = np.float32(SCALES[number]) * (outputs["cond"] - outputs["uncond"])
        width = np.float32(inputs["sigmas"][step + 1] - inputs["sigmas"][step])
        latents = latents + width * (outputs["uncond"] + change)
    return latents, ran


class PageTests(Cases):
    def test_the_page_shows_steps_metrics_and_frames(self):
        folder = scratch_folder()
        schedule = folder / "first-block.dcs"
        schedule.write_text(schedule_text(
            ("stack", "warmup_steps 2",
             "refresh unless relative_l1(residual(blocks[0]), since: last_computed) < 0.4")))
        done = ditcache(
            "sample", CORPUS / "wan.onnx", "--schedule", schedule, "--inputs",
            CORPUS / "wan_traj.npz", "--html", folder / "page.html", "--json")
        report = json.loads(done.stdout)
        self.assertEqual(report["files"], [str(folder / "page.html")])
        text = check_page(folder / "page.html")
        for words in "What was computed", "What the rules saw", "Side by side", "difference":
            self.assertIn(words, text)
        # One cell for each block and step, full where the block was computed.
        source = (folder / "page.html").read_text()
        cells = re.findall(r"opacity:([\d.]+)\"><title>blocks\.(\d), step (\d+):", source)
        computed = set(report["sites"][0]["computed_steps"][0])
        self.assertEqual(
            {(int(block), int(step)) for shade, block, step in cells if shade == "1.0"},
            {(block, step) for block in range(6) for step in computed})
        self.assertEqual(len(cells), 6 * 12)

    def test_a_page_without_a_cache_has_one_strip(self):
        page = scratch_folder() / "page.html"
        ditcache("sample", CORPUS / "wan.onnx", "--inputs", CORPUS / "wan_traj.npz", "--html", page)
        text = check_page(page)
        self.assertIn("The result", text)
        self.assertNotIn("What was computed", text)


class ExpertTests(Cases):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch_folder()
        cls.high = copy_model("wan", cls.folder)
        cls.low = other_weights(cls.high, cls.folder / "low.onnx")
        cls.inputs = arrays(CORPUS / "wan_traj.npz")
        np.savez(cls.folder / "inputs.npz", **cls.inputs, guidance_scale=np.float32(SCALES[0]))
        cls.schedule = cls.folder / "every-3.dcs"
        cls.schedule.write_text(schedule_text(("stack", "warmup_steps 2", "refresh every 3")))

    def sample(self, high, low, *options):
        record = self.folder / "record.npz"
        report = ditcache(
            "sample", high, "--low-noise", low, "--boundary", BOUNDARY, "--low-noise-guidance",
            SCALES[1], "--inputs", self.folder / "inputs.npz", "--record", record, "--json", *options)
        return arrays(record), json.loads(report.stdout)

    def test_two_models_are_those_of_a_plain_loop(self):
        models = [onnx_runtime(path) for path in (self.high, self.low)]
        final, ran = two_experts(self.inputs, [
            lambda _, feeds, step, model=model: next(iter(model(feeds).values())) for model in models])
        record, report = self.sample(self.high, self.low)
        self.assertEqual(record["expert"].tolist(), ran)
        self.assertEqual({0, 1}, set(ran))
        self.assertEqual(
            [(expert["model"], len(expert["steps"])) for expert in report["experts"]],
            [("wan.onnx", ran.count(0)), ("low.onnx", ran.count(1))])
        self.assertNear(record["final"], final, 1e-4)
        alone = arrays(CORPUS / "wan_traj.npz")["final"]
        self.assertGreater(np.abs(record["final"] - alone).max(), 1e-2)

    def test_a_schedule_caches_both_each_branch_with_its_own_state(self):
        cached = []
        for path in (self.high, self.low):
            cached.append(self.folder / f"{path.stem}.cached.onnx")
            ditcache("rewrite", path, "--schedule", self.schedule, "-o", cached[-1])
        experts, computed = [], {}
        for path in cached:
            branches = {name: CachedModel(path, "onnxruntime") for name in ("uncond", "cond")}

            def run(branch, feeds, step, branches=branches):
                output = branches[branch](feeds, step)
                computed[step, branch] = branches[branch].computed.tolist()
                return output
            experts.append(run)
        final, ran = two_experts(self.inputs, experts)
        record, report = self.sample(self.high, self.low, "--schedule", self.schedule)
        self.assertNear(record["final"], final, 1e-4)
        self.assertEqual(record["expert"].tolist(), ran)
        self.assertEqual(
            record["computed"].tolist(),
            [[computed[step, name] for name in ("uncond", "cond")] for step in range(len(ran))])
        switch = ran.index(1)
        self.assertTrue(record["computed"][switch].all())
        self.assertFalse(record["computed"][switch:].all())
        self.assertIsNotNone(report["quality"]["psnr_db"])
        again, _ = self.sample(*cached)
        self.assertNear(again["final"], record["final"], 0)

    def test_one_cached_and_one_uncached_model(self):
        cached = self.folder / "one.cached.onnx"
        ditcache("rewrite", self.high, "--schedule", self.schedule, "-o", cached)
        done = ditcache(
            "sample", cached, "--low-noise", self.low, "--inputs", self.folder / "inputs.npz",
            status=USAGE)
        self.assertIn("one of the two models is cached", done.stderr)

    @for_each(("boundary", 0.5), ("low-noise-guidance", 2))
    def test_how_a_second_model_runs_without_one(self, option, value):
        done = ditcache(
            "sample", self.high, f"--{option}", value, "--inputs", self.folder / "inputs.npz",
            status=USAGE)
        self.assertIn("there is none", done.stderr)


class PipelineTests(Cases):
    def setUp(self):
        self.folder = scratch_folder()
        self.due = arrays(PIPELINE / "i2v.npz")
        ids = arrays(PIPELINE / "text.npz")
        np.savez(
            self.folder / "ids.npz", **{key: ids[key] for key in ids if key != "embeddings"})
        kept = {key: self.due[key] for key in self.due if not key.startswith("text")}
        np.savez(self.folder / "inputs.npz", **kept)

    def sample(self, *options, status=0):
        return ditcache(
            "sample", PIPELINE / "i2v.onnx", "--inputs", self.folder / "inputs.npz",
            "-o", self.folder, *options, status=status)

    def test_from_token_numbers_and_an_image_to_pixels_as_in_pytorch(self):
        report = json.loads(self.sample(
            "--text-encoder", PIPELINE / "text.onnx", "--prompt-ids", self.folder / "ids.npz",
            "--decoder", PIPELINE / "vae.onnx", "--latents-std", "1.5,0.5,2,1",
            "--latents-mean=0.1,-0.2,0.3,0", "--json").stdout)
        made = arrays(self.folder / "final.npz")
        self.assertNear(made["final"], self.due["final"], 1e-4)
        self.assertNear(made["pixels"], self.due["pixels"], 1e-4)
        self.assertEqual(
            {path.name for path in self.folder.iterdir()} - {"film.mp4"},
            {"ids.npz", "inputs.npz", "final.npz", "contact-sheet.png", "film.webp"})
        self.assertEqual(report["steps"], 6)

    def test_a_cached_run_is_compared_in_latents_and_in_pixels(self):
        schedule = self.folder / "every-2.dcs"
        schedule.write_text(schedule_text(("stack", "refresh every 2"), steps=6))
        report = json.loads(self.sample(
            "--text-encoder", PIPELINE / "text.onnx", "--prompt-ids", self.folder / "ids.npz",
            "--decoder", PIPELINE / "vae.onnx", "--schedule", schedule, "--json").stdout)
        self.assertNotEqual(report["quality"]["data_range"], 1)
        self.assertEqual(report["decoded_quality"]["data_range"], 1)
        self.assertLess(0, report["decoded_quality"]["psnr_db"])
        made = arrays(self.folder / "final.npz")
        self.assertEqual(
            set(made), {"final", "baseline", "pixels", "baseline_pixels"})
        # Three rows of labelled frames: uncached, cached, and the difference.
        header = (self.folder / "contact-sheet.png").read_bytes()[16:24]
        frames, height, width = made["pixels"].shape[2:]
        self.assertEqual(struct.unpack(">II", header), (
            frames * (4 * width + 4) - 4 + 24, 24 - 4 + 3 * (4 * height + 4 + 22)))

    @for_each(
        ("scaling_without_a_decoder", ["--latents-std", 2], "--decoder"),
        ("encoder_without_numbers", ["--text-encoder", PIPELINE / "text.onnx"], "--prompt-ids"),
        ("numbers_without_an_encoder", ["--prompt-ids", "ids.npz"], "--text-encoder"))
    def test_half_of_a_pair_of_options(self, _, options, says):
        self.assertIn(says, self.sample(*options, status=USAGE).stderr)




class StepCountTests(Cases):
    def test_a_schedule_without_steps_takes_the_adapters_unless_told_otherwise(self):
        folder = scratch_folder()
        model = copy_model("wan", folder)
        (folder / "wan.adapter.dcs").write_text(
            "adapter own {\n  latents hidden_states rank 5\n  timestep timestep\n"
            "  text encoder_hidden_states\n  steps 8\n  families blocks\n}\n")
        text = golden(CORPUS / "wan.npz")[0]["encoder_hidden_states"]
        np.savez(folder / "i.npz", **{"text/encoder_hidden_states": text})
        for options, steps in ((), 8), (("--steps", 7), 7):
            done = ditcache(
                "sample", model, "--schedule", "every-3", "--inputs", folder / "i.npz", "--json",
                *options)
            self.assertEqual(json.loads(done.stdout)["steps"], steps)


class SchedulerChoiceTests(Cases):
    @for_each(
        ("wan_video", "ddim", "use euler or unipc"), ("dit_image", "euler", "use ddim"),
        ("dit_image", "unipc", "use ddim"))
    def test_a_scheduler_for_other_predictions_is_refused(self, model, scheduler, hint):
        done = ditcache(
            "sample", EXAMPLES / f"{model}.onnx", "--scheduler", scheduler, "--steps", 2,
            status=USAGE)
        self.assertIn(hint, done.stderr)

    @for_each(
        ("wan_video", "euler"), ("wan_video", "unipc"), ("hunyuan_video", "euler"),
        ("hunyuan_video", "unipc"), ("dit_image", "ddim"))
    def test_every_example_model_runs_with_every_scheduler_that_fits(self, model, scheduler):
        prompt = ("red-circle" if scheduler == "ddim" else
                  "background:checker background:red first:circle first:yellow first:left")
        folder = scratch_folder()
        done = ditcache(
            "sample", EXAMPLES / f"{model}.onnx", "--schedule", "every-2", "--scheduler", scheduler,
            "--steps", 12, "--prompt", prompt, "--json", "-o", folder)
        report = json.loads(done.stdout)
        self.assertGreater(report["quality"]["psnr_db"], 15)
        self.assertTrue((folder / "contact-sheet.png").exists())


class PromptTests(Cases):
    def test_a_cached_model_takes_the_prompts_of_the_original(self):
        folder = scratch_folder()
        model = copy_model("wan", folder)
        shape = onnx.load(model).graph.input
        places, width = next(
            [size.dim_value for size in value.type.tensor_type.shape.dim][1:]
            for value in shape if value.name == "encoder_hidden_states")
        words = [f"place{n}:{word}" for n in range(places) for word in ("good", "bad", "none")]
        (folder / "wan.prompt_table.txt").write_text("\n".join(words))
        table = np.random.default_rng(0).standard_normal((len(words), width), dtype=np.float32)
        np.save(folder / "wan.prompt_table.npy", table)
        schedule = folder / "all.dcs"
        schedule.write_text(schedule_text(("stack", "refresh every 1"), steps=3))
        ditcache("rewrite", model, "--schedule", schedule, "-o", folder / "wan.cached.onnx")
        finals = []
        for path, prompt in (
                (model, "place1:bad place0:good"), (folder / "wan.cached.onnx", "good none bad"),
                (model, "good good")):
            ditcache(
                "sample", path, "--prompt", prompt, "--steps", 3, "--record", folder / "r.npz")
            finals.append(arrays(folder / "r.npz")["final"])
        self.assertGreater(np.abs(finals[0] - finals[2]).max(), 0)
        self.assertNear(finals[1], finals[0], 0)
        done = ditcache("sample", model, "--prompt", "place0:god", "--steps", 3, status=USAGE)
        self.assertIn("did you mean 'place0:good'?", done.stderr)


class FlopsTests(Cases):
    """What `flops_saved` counts, beside a count by hand."""

    SCHEDULE = """schedule test for wan {{
  steps 12
  {plan}
  cache blocks[1-4] {{
    keep delta
    refresh every 2
  }}
}}
"""

    @for_each(("apart", "", 12), ("dropped", "branches drop cond from 8", 8))
    def test_calls_that_are_left_out_save_all_of_a_call(self, _, plan, cond_calls):
        folder = scratch_folder()
        model, rules, inputs = (
            copy_model("wan", folder), folder / "rules.dcs", folder / "guided.npz")
        rules.write_text(self.SCHEDULE.format(plan=plan))
        np.savez(inputs, **arrays(CORPUS / "wan_traj.npz"), guidance_scale=np.float32(3))
        costs = json.loads(ditcache(
            "rewrite", model, "--schedule", rules, "--dry-run", "--json").stdout)
        whole, reused = costs["flops_computed"], costs["flops_reused"]
        done = sum((whole + reused) * calls / 2 for calls in (12, cond_calls))
        report = json.loads(ditcache(
            "sample", model, "--schedule", rules, "--inputs", inputs, "--no-baseline",
            "--json").stdout)
        self.assertEqual(report["branch_calls"], [12, cond_calls])
        self.assertAlmostEqual(report["flops_saved"], 1 - done / (24 * whole), places=9)


if __name__ == "__main__":
    import unittest
    unittest.main()
