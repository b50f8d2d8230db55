"""Every form in other runtimes: the host of the examples follows it to the numbers of ditcache."""

import json
import subprocess
import sys
import unittest

import numpy as np
import onnx

from support import CORPUS, LATENTS, ROOT, RUNTIMES, TIMESTEP, Cases, arrays, cached_model
from support import conditioning, copy_model, ditcache, for_each, interpreter, manifest
from support import recording, schedule_text, scratch_folder

sys.path.insert(0, str(ROOT / "examples" / "onnxruntime"))
from host import Branch, Model  # noqa: E402

REPLAYS = ROOT / "Tests" / "ReplayTests" / "Schedules"
TWO_RULES = {
    "wan": schedule_text(
        ("blocks[0-1]", "warmup_steps 2", "refresh every 3"),
        ("blocks[3..]", "refresh every 2"), adapter="wan"),
    "hunyuan": schedule_text(
        ("dual[0..]", "warmup_steps 2", "refresh every 3"),
        ("single[1..]", "warmup_steps 1", "refresh every 2"), adapter="hunyuan"),
}
ADAPTIVE = {
    name: f"""
schedule adaptive for {name} {{
  steps 12
  cache {site} {{
    keep delta
    refresh unless relative_l1(residual({first}), since: last_computed) < {threshold}
  }}
}}
""" for name, site, first, threshold in [
        ("wan", "blocks[1..]", "blocks[0]", 0.5),
        ("hunyuan", "dual[1..] + single[0..]", "dual[0]", 0.5)]}
# The paper's Eq. 15 (ProfilingDiT) for twelve steps: an interval from 4 down to 1.
SHRINKING = """schedule test for any {
  steps 12
  cache blocks[1-4] {
    keep delta
    slot next = 2
    let interval = floor(4 - 3 * (step - 2) / (steps - 2))
    compute when step == next
    next := if step == next then step + interval else next
  }
}
"""
STATIC = ["wan_deltadit", "wan_fora", "wan_profilingdit", "wan_taylorseer_block_o1",
          "wan_taylorseer_attn_o1", "wan_taylorseer_lite", "wan_tgate"]
SPLIT = ["wan_dbcache", "wan_dbcache_taylor", "wan_fbc", "wan_teacache_ret", "wan_deltadit",
         "wan_taylorseer_block_o1", "wan_taylorseer_lite", "wan_magcache", "wan_easycache_cfg",
         "wan_adacache"]


# ONNX Runtime has no kernel for an operator of the corpus's HunyuanVideo as it was exported.
ONNX_RUNTIME = ("--target", "onnxruntime")


def form(name, schedule, kind, *options):
    """`ditcache rewrite --form KIND` of a copy of a model; returns the folder or file."""
    folder = scratch_folder()
    rules, output = folder / "schedule.dcs", folder / ("out" if kind in ("static", "split")
                                                       else "out.onnx")
    rules.write_text(schedule)
    ditcache("rewrite", copy_model(name, folder), "--schedule", rules, "--form", kind,
             "-o", output, *options)
    return output


def follow(path, runtime, inputs, latents):
    """The output of every step, each from the given latents, and what was computed."""
    model = Model(path, RUNTIMES[runtime], None if path.is_dir() else manifest(path))
    branch, outputs, flags = Branch(model), [], []
    sigmas = inputs["sigmas"]
    for step, timestep in enumerate(inputs["timesteps"]):
        feeds = {LATENTS: latents[step], **conditioning(inputs),
                 TIMESTEP: np.full(len(latents[step]), timestep, np.float32)}
        output, computed = branch(feeds, step, sigmas[step:step + 2])
        outputs.append(output)
        flags.append(computed)
    return np.stack(outputs), np.stack(flags)


class FormCases(Cases):
    def assert_follows(self, model, schedule, kind, runtime, *options, tolerance=1e-5):
        """A trajectory in a runtime is that of our interpreter with the form `if`, step by step."""
        trajectory = CORPUS / f"{model}_traj.npz"
        recorded = recording(cached_model(model, schedule), trajectory)
        path = form(model, schedule, kind, *options)
        outputs, flags = follow(path, runtime, arrays(trajectory), recorded["latents"])
        np.testing.assert_array_equal(flags, recorded["computed"][:, 0])
        self.assertTrue(0 < flags.sum() < flags.size)
        for step, output in enumerate(outputs):
            self.assertNear(output, recorded["model_out"][step, 0], tolerance)


class StaticTests(FormCases):
    @for_each(*[(runtime, model) for runtime in RUNTIMES for model in TWO_RULES])
    def test_a_trajectory_agrees_with_ditcache(self, runtime, model):
        self.assert_follows(model, TWO_RULES[model], "static", runtime, "--target", runtime)

    @for_each(*[(name,) for name in STATIC])
    def test_published_systems_agree_with_ditcache(self, name):
        tolerance = 8e-5 if "taylorseer" in name else 1e-5
        self.assert_follows(
            "wan", (REPLAYS / f"{name}.dcs").read_text(), "static", "onnxruntime",
            tolerance=tolerance)


    def test_a_shrinking_interval_is_known_before_the_run(self):
        self.assert_follows("wan", SHRINKING, "static", "onnxruntime")

    @for_each(("wan_pab_videosys",), ("wan_pab",))
    def test_windows_of_timesteps_are_known_where_the_levels_are_given(self, name):
        self.assert_follows(
            "wan", (REPLAYS / f"{name}.dcs").read_text(), "static", "onnxruntime",
            "--levels", CORPUS / "wan_traj.npz")

    def test_a_model_for_other_levels_is_not_run(self):
        text = (REPLAYS / "wan_pab.dcs").read_text()
        inputs = arrays(CORPUS / "wan_traj.npz")
        inputs["timesteps"] = inputs["timesteps"] + 0.5
        levels, moved = CORPUS / "wan_traj.npz", scratch_folder() / "moved.npz"
        np.savez(moved, **inputs)
        path = cached_model("wan", text, "--levels", levels)
        ditcache("sample", path, "--inputs", levels, "--quiet", "--no-baseline")
        refused = ditcache("sample", path, "--inputs", moved, "--quiet", status=64)
        self.assertIn("other timesteps", refused.stderr)


class SplitTests(FormCases):
    @for_each(*[(runtime, model) for runtime in RUNTIMES for model in TWO_RULES])
    def test_a_trajectory_agrees_with_ditcache(self, runtime, model):
        self.assert_follows(model, TWO_RULES[model], "split", runtime, "--target", runtime)

    @for_each(*[(runtime, model) for runtime in RUNTIMES for model in ADAPTIVE])
    def test_a_host_follows_decisions_of_the_run(self, runtime, model):
        self.assert_follows(model, ADAPTIVE[model], "split", runtime, "--target", runtime)

    @for_each(*[(name,) for name in SPLIT])
    def test_published_systems_agree_with_ditcache(self, name):
        tolerance = 8e-5 if "taylor" in name else 1e-5
        self.assert_follows(
            "wan", (REPLAYS / f"{name}.dcs").read_text(), "split", "onnxruntime",
            tolerance=tolerance)


class FunctionTests(FormCases):
    @for_each(*[(model,) for model in TWO_RULES])
    def test_a_trajectory_agrees_with_ditcache(self, model):
        self.assert_follows(
            model, TWO_RULES[model], "function", "onnxruntime", "--target", "onnxruntime")

    def test_ditcache_checks_reads_and_unwraps_it(self):
        path = form("wan", TWO_RULES["wan"], "function", "--check")
        trajectory = CORPUS / "wan_traj.npz"
        ours, expected = (recording(model, trajectory) for model in (
            path, cached_model("wan", TWO_RULES["wan"])))
        np.testing.assert_array_equal(ours["model_out"], expected["model_out"])
        original = scratch_folder() / "wan.onnx"
        self.assertIn("identical", ditcache("unwrap", path, "-o", original).stdout)
        self.assertEqual(original.read_bytes(), (CORPUS / "wan.onnx").read_bytes())

    def test_blocks_of_a_family_share_a_function(self):
        model = onnx.load(form("wan", TWO_RULES["wan"], "function"))
        onnx.checker.check_model(model)
        self.assertEqual([(f.domain, f.name) for f in model.functions], [("ditcache", "blocks")])
        calls, pending = [], [model.graph]
        while pending:
            graph = pending.pop()
            for node in graph.node:
                pending += [a.g for a in node.attribute if a.HasField("g")]
                if node.domain == "ditcache":
                    calls.append(node.name)
        self.assertEqual(sorted(calls), [f"blocks.{index}" for index in range(6)])
        original = onnx.load(CORPUS / "wan.onnx")
        self.assertLess(len(model.graph.node), len(original.graph.node) / 4)


class HostTests(Cases):
    """The example host as people run it, with two calls a step."""

    @for_each(("static",), ("split",))
    def test_guidance_in_two_calls(self, kind):
        inputs = arrays(CORPUS / "wan_traj.npz")
        inputs["guidance_scale"] = np.float32(3)
        folder = scratch_folder()
        path, result = folder / "guided.npz", folder / "result.npz"
        np.savez(path, **inputs)
        expected = recording(cached_model("wan", TWO_RULES["wan"]), path)
        host = ROOT / "examples" / "onnxruntime" / "host.py"
        done = subprocess.run(
            [sys.executable, host, form("wan", TWO_RULES["wan"], kind), path, result],
            capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        ours = arrays(result)
        np.testing.assert_array_equal(ours["computed"], expected["computed"])
        self.assertNear(ours["model_out"], expected["model_out"], 1e-4)


class CommandTests(FormCases):
    """What ditcache's own commands make of a folder."""

    CASES = [("static", "wan", "two_rules"), ("static", "hunyuan", "two_rules"),
             ("split", "wan", "adaptive"), ("split", "hunyuan", "two_rules")]

    def schedule(self, model, name):
        known = {"two_rules": TWO_RULES, "adaptive": ADAPTIVE}
        return known[name][model] if name in known else (REPLAYS / f"{name}.dcs").read_text()

    @for_each(*CASES, ("static", "wan", "wan_taylorseer_lite"), ("split", "wan", "wan_adacache"))
    def test_check_compares_every_file(self, kind, model, name):
        folder = scratch_folder()
        rules = folder / "schedule.dcs"
        rules.write_text(self.schedule(model, name))
        printed = ditcache("rewrite", copy_model(model, folder), "--schedule", rules, "--form",
                           kind, "-o", folder / "out", "--check").stdout
        self.assertNotIn("FAILS", printed)
        self.assertIn(f"holds: the first call of the form '{kind}' gives the original", printed)
        steps = [line for line in printed.splitlines() if "does in the form" in line]
        if kind == "static":
            names = json.loads((folder / "out" / "manifest.json").read_text())["form"]["steps"]
            self.assertEqual(len(steps), len(set(names)))
        self.assertEqual(sorted(path.name for path in folder.iterdir()),
                         sorted(["out", "schedule.dcs", f"{model}.onnx"]))

    @for_each(*CASES)
    def test_sample_is_followed_by_onnx_runtime(self, kind, model, name):
        trajectory = CORPUS / f"{model}_traj.npz"
        folder = form(model, self.schedule(model, name), kind, *ONNX_RUNTIME)
        recorded = recording(folder, trajectory)
        outputs, flags = follow(folder, "onnxruntime", arrays(trajectory), recorded["latents"])
        np.testing.assert_array_equal(flags, recorded["computed"][:, 0])
        self.assertTrue(0 < flags.sum() < flags.size)
        self.assertNear(outputs, recorded["model_out"][:, 0], 1e-5)

    @for_each(("static", "wan_tgate"), ("split", "wan_easycache_cfg"))
    def test_sample_follows_the_plan_of_branches(self, kind, name):
        inputs = arrays(CORPUS / "wan_traj.npz")
        path = scratch_folder() / "guided.npz"
        np.savez(path, **inputs, guidance_scale=np.float32(3))
        text = self.schedule("wan", name)
        ours = recording(form("wan", text, kind), path)
        due = recording(cached_model("wan", text), path)
        np.testing.assert_array_equal(ours["computed"], due["computed"])
        self.assertNear(ours["latents"], due["latents"], 1e-4)

    @for_each(*CASES)
    def test_run_makes_the_call_of_a_step(self, kind, model, name):
        folder = form(model, self.schedule(model, name), kind, *ONNX_RUNTIME)
        inputs = arrays(CORPUS / f"{model}_traj.npz")
        branch, run = Branch(Model(folder, RUNTIMES["onnxruntime"])), interpreter(folder)
        state = {}
        for step in range(4):
            feeds = {LATENTS: inputs["latents"][step], **conditioning(inputs),
                     TIMESTEP: np.full(1, inputs["timesteps"][step], np.float32)}
            results = run({**feeds, **state, "ditcache/step": np.array([step])})
            state = {slot["input"]: results[slot["output"]] for slot in branch.manifest["state"]}
            output, computed = branch(feeds, step, inputs["sigmas"][step:step + 2])
            np.testing.assert_array_equal(results["ditcache/computed"], computed)
            self.assertNear(results[branch.model.form["outputs"][0]], output, 1e-5)


class FileTests(Cases):
    @for_each(("static",), ("split",))
    def test_no_graph_needs_if_and_weights_lie_in_one_file(self, kind):
        folder = form("wan", TWO_RULES["wan"], kind)
        files = sorted(path.name for path in folder.iterdir())
        self.assertIn("manifest.json", files)
        self.assertIn("weights.bin", files)
        size = sum(path.stat().st_size for path in folder.glob("*.onnx"))
        original = (CORPUS / "wan.onnx").stat().st_size
        self.assertLess((folder / "weights.bin").stat().st_size, 1.1 * original)
        names = {file["file"] for file in json.loads(
            (folder / "manifest.json").read_text())["form"]["graphs"]}
        self.assertEqual(names, {name for name in files if name.endswith(".onnx")})
        for path in folder.glob("*.onnx"):
            model = onnx.load(path, load_external_data=False)
            self.assertNotIn("If", [node.op_type for node in model.graph.node])
            onnx.checker.check_model(str(path))
            self.assertTrue(all(
                entry.value == "weights.bin" for tensor in model.graph.initializer
                for entry in tensor.external_data if entry.key == "location"))
        self.assertLess(size, 2 * original)

    def test_external_weights_are_referenced_where_they_lie(self):
        folder = scratch_folder()
        model = copy_model("wan_ext", folder)
        rules = folder / "schedule.dcs"
        rules.write_text(TWO_RULES["wan"])
        before = {path.name for path in folder.iterdir()}
        ditcache("rewrite", model, "--schedule", rules, "--form", "static", "-o", folder / "out",
                 status=64)
        self.assertEqual({path.name for path in folder.iterdir()}, before)
        ditcache("rewrite", model, "--schedule", rules, "--form", "static", "-o", folder)
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
        weights = next(name for name in before if name.startswith("wan_ext.onnx."))
        self.assertLess(sizes.get("weights.bin", 0), 0.2 * sizes[weights])
        ditcache("rewrite", model, "--schedule", rules, "--form", "static", "-o", folder / "copy",
                 "--copy-weights")
        inputs = arrays(CORPUS / "wan_traj.npz")
        outputs = [follow(path, "onnxruntime", inputs, inputs["latents"])[0]
                   for path in (folder, folder / "copy")]
        np.testing.assert_array_equal(*outputs)

    def test_inspect_prints_schedule_and_files(self):
        folder = form("wan", TWO_RULES["wan"], "static")
        for path in (folder, folder / "manifest.json"):
            report = json.loads(ditcache("inspect", path, "--json").stdout)
            self.assertEqual(report["form"], "static")
            self.assertEqual(report["schedule"]["steps"], 12)
            self.assertEqual(report["schedule"]["text"], TWO_RULES["wan"])
            self.assertEqual(len(report["steps"]), 12)
        text = ditcache("inspect", folder).stdout
        self.assertIn("cached by schedule 'test' for 12 steps", text)
        self.assertIn("compute-all.onnx", text)
        self.assertIn("part of a form 'static'",
                      ditcache("inspect", folder / "compute-all.onnx").stdout)


class RefusalTests(Cases):
    def refusal(self, *arguments, status):
        return ditcache(*arguments, status=status).stderr

    def test_an_adaptive_schedule_is_not_static(self):
        folder = scratch_folder()
        rules, model = folder / "schedule.dcs", copy_model("wan", folder)
        rules.write_text(ADAPTIVE["wan"])
        error = self.refusal(
            "rewrite", model, "--schedule", rules, "--form", "static", "-o", folder / "out",
            status=4)
        self.assertIn("decides during the run", error)
        self.assertIn("split", error)
        self.assertFalse((folder / "out").exists())

    @for_each(("static",), ("split",))
    def test_it_is_unwrapped_by_its_original(self, kind):
        folder = form("wan", TWO_RULES["wan"], kind)
        output = scratch_folder() / "original.onnx"
        error = self.refusal("unwrap", folder, "-o", output, status=4)
        self.assertIn("wan.onnx", error)
        digest = json.loads((folder / "manifest.json").read_text())["originalDigest"]
        self.assertIn(digest, error)
        part = next(folder.glob("*.onnx"))
        self.assertIn("manifest.json", self.refusal("unwrap", part, "-o", output, status=4))
        self.assertFalse(output.exists())

    def test_a_folder_is_not_one_model(self):
        folder = form("wan", TWO_RULES["wan"], "static")
        for command in (["bench"], ["rewrite", "--schedule", "every-2", "--steps", "12",
                                    "--dry-run"]):
            self.assertIn("several files", self.refusal(
                command[0], folder, *command[1:], status=4))
        inputs = CORPUS / "wan_traj.npz"
        self.assertIn("cached already", self.refusal(
            "sample", folder, "--schedule", "every-2", "--inputs", inputs, status=2))
        self.assertIn("leave --dim out", self.refusal(
            "sample", folder, "--dim", "tokens=4", "--inputs", inputs, status=64))
        feeds = scratch_folder() / "feeds.npz"
        np.savez(feeds, hidden_states=arrays(inputs)["initial_noise"])
        self.assertIn("compute-all", self.refusal(
            "run", folder, "--input", feeds, "--explain", status=4))
        self.assertIn("input 'timestep'", self.refusal(
            "run", folder, "--input", feeds, status=64))
        part = next(folder.glob("compute-all*.onnx"))
        self.assertIn("part of a cached model", self.refusal(
            "rewrite", part, "--schedule", "every-2", "--steps", "12", "--dry-run", status=2))

    def test_options_that_do_not_fit_a_form_are_refused(self):
        model = copy_model("wan", scratch_folder())
        common = ["rewrite", model, "--schedule", "every-2", "--steps", "12", "-o", scratch_folder() / "out"]
        self.assertIn("not one of", self.refusal(*common, "--form", "star", status=64))
        self.assertIn("defaults", self.refusal(
            *common, "--form", "static", "--state", "optional", status=64))

    def test_a_foreign_manifest_is_not_replaced(self):
        folder = scratch_folder()
        model = copy_model("wan", scratch_folder())
        (folder / "manifest.json").write_text('{"name": "an app"}')
        error = self.refusal(
            "rewrite", model, "--schedule", "every-2", "--steps", "12", "--form", "static", "-o", folder, status=6)
        self.assertIn("did not write", error)
        self.assertEqual([path.name for path in folder.iterdir()], ["manifest.json"])

    def test_a_broken_manifest_is_an_error(self):
        folder = scratch_folder()
        (folder / "manifest.json").write_text("{")
        self.refusal("inspect", folder, status=2)
        self.refusal("inspect", scratch_folder(), status=6)


class TargetTests(Cases):
    def warnings(self, target, *options, schedule="every-2"):
        model = copy_model("wan", scratch_folder())
        done = ditcache("rewrite", model, "--schedule", schedule, "--steps", "12", "--dry-run", "--json",
                        "--target", target, *options)
        return [note for note in json.loads(done.stdout)["warnings"] if note["rule"] == "runtime"]

    @for_each(("tensorrt",), ("cuda-graphs",), ("qnn",), ("coreml",))
    def test_runtimes_that_do_not_skip_in_an_if_want_another_form(self, target):
        notes = self.warnings(target)
        self.assertTrue(notes)
        self.assertIn("--form static", [note.get("instead") for note in notes])
        self.assertTrue(all(note["source"] for note in notes))
        for form in ("static", "split"):
            self.assertEqual(self.warnings(target, "--form", form), [])

    def test_an_adaptive_schedule_is_sent_to_split(self):
        rules = scratch_folder() / "adaptive.dcs"
        rules.write_text(ADAPTIVE["wan"])
        notes = self.warnings("tensorrt", schedule=rules)
        self.assertIn("--form split", [note.get("instead") for note in notes])

    def test_onnx_runtime_has_nothing_to_say_about_the_default(self):
        self.assertEqual(self.warnings("onnxruntime"), [])

    @for_each(("tensorrt",), ("cuda-graphs",), ("qnn",), ("coreml",))
    def test_the_article_on_serving_repeats_them(self, target):
        article = (ROOT / "Sources" / "DiTCache" / "DiTCache.docc" / "Serving.md").read_text()
        notes = self.warnings(target)
        rows = [f"| `{target}` | {note['message']} | {note['source']} |" for note in notes]
        self.assertEqual([row for row in article.splitlines() if row.startswith(f"| `{target}`")], rows)

    def test_people_see_them_on_standard_error(self):
        model = copy_model("wan", scratch_folder())
        done = ditcache("rewrite", model, "--schedule", "every-2", "--steps", "12", "--dry-run", "--target", "qnn")
        self.assertIn("warning: runtime at qnn: runs both branches", done.stderr)
        self.assertIn("better: --form static", done.stderr)


if __name__ == "__main__":
    unittest.main()
