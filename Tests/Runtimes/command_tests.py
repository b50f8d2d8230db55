"""Bad input at the command line: the right status, an error that says so, nothing left behind."""

import hashlib
import json
import unittest

import numpy as np
import onnx
from onnx import helper

from support import CORPUS, Cases, arrays, copy_model, ditcache, for_each, golden, scratch_folder
from support import schedule_text

CHECK_FAILED, BAD_MODEL, BAD_SCHEDULE, UNSUPPORTED, INPUT_OUTPUT, USAGE = 1, 2, 3, 4, 6, 64
GOOD = schedule_text(("stack", "warmup_steps 2", "refresh every 3"))


class RefusalTests(Cases):
    def setUp(self):
        self.folder = scratch_folder()
        self.model = copy_model("wan", self.folder)
        self.output = self.folder / "out.onnx"
        self.schedule = self.folder / "schedule.dcs"
        self.schedule.write_text(GOOD)

    def refused(self, status, *arguments, says=()):
        """Runs a command that must fail, and looks at what it says and leaves."""
        before = contents(self.folder)
        errors = ditcache(*arguments, status=status).stderr
        self.assertIn("error:", errors.lower())
        for words in says:
            self.assertIn(words, errors)
        self.assertEqual(before, contents(self.folder))

    def refused_rewrite(self, status, *options, model=None, output=None, says=()):
        self.refused(
            status, "rewrite", model or self.model, "--schedule", self.schedule,
            "-o", output or self.output, *options, says=says)

    def refused_everywhere(self, status, model, says=()):
        """Inspecting, rewriting and running a model file must fail alike."""
        self.refused(status, "inspect", model, says=says)
        self.refused_rewrite(status, model=model, says=says)
        self.refused(
            status, "run", model, "--golden", CORPUS / "wan.npz", "--tolerance", "1e-4", says=says)


class ModelFileTests(RefusalTests):
    def test_a14_missing_file(self):
        self.refused_everywhere(INPUT_OUTPUT, self.folder / "absent.onnx", says=["absent.onnx"])

    def test_a14_folder_in_place_of_a_file(self):
        (self.folder / "folder.onnx").mkdir()
        self.refused_everywhere(INPUT_OUTPUT, self.folder / "folder.onnx")

    @for_each(
        ("text", b"this is not a model\n"), ("empty", b""), ("picture", b"\x89PNG\r\n\x1a\n"),
        ("zeros", bytes(1000)))
    def test_a13_file_that_is_no_model(self, _, content):
        self.model.write_bytes(content)
        self.refused_everywhere(BAD_MODEL, self.model, says=["wan.onnx"])

    @for_each(("by_a_byte", -1), ("in_the_middle", 1_000_000), ("to_the_first_bytes", 10))
    def test_a2_truncated_file(self, _, end):
        self.model.write_bytes(self.model.read_bytes()[:end])
        self.refused_everywhere(BAD_MODEL, self.model)

    def test_b14_unknown_operator(self):
        model = onnx.load(self.model)
        model.graph.node[20].op_type = "Frobnicate"
        model.graph.node[30].op_type = "Transmogrify"
        onnx.save(model, self.model)
        self.refused(
            UNSUPPORTED, "run", self.model, "--golden", CORPUS / "wan.npz", "--tolerance", "1e-4",
            says=["Frobnicate", "Transmogrify"])

    def test_b20_model_without_blocks(self):
        x, y = (helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 4]) for n in "xy")
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "tiny", [x], [y])
        onnx.save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10),
            self.model)
        self.refused_rewrite(UNSUPPORTED, says=["no transformer blocks"])


class ExternalDataTests(RefusalTests):
    def setUp(self):
        super().setUp()
        self.model = copy_model("wan_ext", self.folder)
        self.weights = self.folder / "wan_ext.onnx.data"
        self.run = ("run", self.model, "--golden", CORPUS / "wan_ext.npz", "--tolerance", "1e-4")

    def test_e15_missing_weights(self):
        self.weights.unlink()
        self.refused(INPUT_OUTPUT, *self.run, says=["wan_ext.onnx.data"])

    def test_e12_short_weights(self):
        self.weights.write_bytes(self.weights.read_bytes()[:1000])
        self.refused(BAD_MODEL, *self.run, says=["1000 bytes"])

    @for_each(
        ("parent_folder", "../secret.data"), ("hidden_parent", "a/../../secret.data"),
        ("absolute", "/etc/passwd"), ("empty", ""))
    def test_e1_e2_location_outside_the_folder(self, _, location):
        proto = onnx.load(self.model, load_external_data=False)
        for tensor in proto.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = location
        self.model.write_bytes(proto.SerializeToString())
        self.refused(BAD_MODEL, *self.run)
        self.refused_rewrite(BAD_MODEL)

    def test_e3_link_that_leads_out(self):
        secret = scratch_folder() / "secret.data"
        self.weights.rename(secret)
        self.weights.symlink_to(secret)
        self.refused(BAD_MODEL, *self.run)

    def test_output_away_from_the_weights(self):
        (self.folder / "elsewhere").mkdir()
        self.refused_rewrite(
            USAGE, output=self.folder / "elsewhere" / "out.onnx", says=["--copy-weights"])

    def test_e10_output_that_would_replace_the_weights(self):
        self.refused_rewrite(USAGE, output=self.weights)


class FeedTests(RefusalTests):
    def refused_feeds(self, says=(), **changes):
        feeds, _ = golden(CORPUS / "wan.npz")
        feeds.update(changes)
        feeds = {name: value for name, value in feeds.items() if value is not None}
        np.savez(self.folder / "feeds.npz", **feeds)
        self.refused(
            USAGE, "run", self.model, "--input", self.folder / "feeds.npz",
            "--output", self.folder / "results.npz", says=says)

    def test_wrong_shape(self):
        self.refused_feeds(
            hidden_states=np.zeros((1, 4, 3, 8, 13), np.float32), says=["hidden_states", "13"])

    def test_wrong_rank(self):
        self.refused_feeds(timestep=np.zeros((1, 1), np.float32), says=["timestep"])

    def test_wrong_type(self):
        self.refused_feeds(timestep=np.zeros(1, bool), says=["timestep", "bool"])

    def test_unknown_name(self):
        self.refused_feeds(hiden_states=np.zeros(1, np.float32), says=["hiden_states"])

    def test_missing_input(self):
        self.refused_feeds(encoder_hidden_states=None, says=["encoder_hidden_states"])

    def test_golden_that_does_not_hold(self):
        wrong = arrays(CORPUS / "wan.npz")
        wrong["out/view_72"][0, 0, 0, 0, 0] = np.nan
        np.savez(self.folder / "golden.npz", **wrong)
        before = contents(self.folder)
        ditcache("run", self.model, "--golden", self.folder / "golden.npz", "--tolerance", "1e-4",
                 status=CHECK_FAILED)
        self.assertEqual(before, contents(self.folder))

    @for_each(("text", b"nonsense"), ("empty", b""), ("zip_without_end", b"PK\x03\x04" + bytes(60)))
    def test_file_that_holds_no_arrays(self, _, content):
        (self.folder / "feeds.npz").write_bytes(content)
        self.refused(
            BAD_MODEL, "run", self.model, "--input", self.folder / "feeds.npz",
            "--output", self.folder / "results.npz")

    def test_h8_step_count_other_than_the_schedules(self):
        cached = self.folder / "cached.onnx"
        ditcache("rewrite", self.model, "--schedule", self.schedule, "-o", cached)
        inputs = arrays(CORPUS / "wan_traj.npz")
        inputs["sigmas"], inputs["timesteps"] = inputs["sigmas"][2:], inputs["timesteps"][2:]
        np.savez(self.folder / "inputs.npz", **inputs)
        self.refused(
            USAGE, "sample", cached, "--inputs", self.folder / "inputs.npz",
            "--record", self.folder / "record.npz", says=["12", "10"])


class ScheduleTests(RefusalTests):
    @for_each(
        ("misspelled_clause", GOOD.replace("warmup", "warmpu"), "schedule.dcs:5:5"),
        ("no_closing_brace", GOOD.rstrip().removesuffix("}"), "schedule.dcs:"),
        ("not_a_schedule", "hello\n", "schedule.dcs:1:1"),
        ("unknown_set", GOOD.replace("stack", "background"), "schedule.dcs:3:9"),
        ("huge_number", GOOD.replace("every 3", "every 99999999999999999999"), "schedule.dcs:6:"))
    def test_g8_malformed_schedule(self, _, text, place):
        self.schedule.write_text(text)
        self.refused_rewrite(BAD_SCHEDULE, says=[place])

    def test_empty_schedule(self):
        self.schedule.write_text("")
        self.refused_rewrite(BAD_SCHEDULE)

    def test_schedule_of_arbitrary_bytes(self):
        self.schedule.write_bytes(bytes(range(256)))
        self.refused_rewrite(BAD_SCHEDULE)

    def test_missing_schedule(self):
        self.schedule.unlink()
        self.refused_rewrite(INPUT_OUTPUT, says=["schedule.dcs"])

    @for_each(
        ("above", "../rules.dcs", "beneath the folder"), ("absolute", "/rules.dcs", "beneath"),
        ("doubled", "a//rules.dcs", "beneath"), ("absent", "absent.dcs", "no file 'absent.dcs'"),
        ("link", "link.dcs", "leaves the folder"), ("folder", "folder", "cannot be read"),
        ("broken", "broken.dcs", "has an error in line 1"))
    def test_an_import_reads_rules_beneath_its_folder_only(self, _, path, says):
        outside = scratch_folder() / "rules.dcs"
        outside.write_text("rule often(n) { compute when step mod n == 0 }\n")
        (self.folder / "link.dcs").symlink_to(outside)
        (self.folder / "folder").mkdir()
        (self.folder / "broken.dcs").write_text("rule 3\n")
        self.schedule.write_text(f'import "{path}"\n{GOOD}')
        self.refused_rewrite(BAD_SCHEDULE, says=["schedule.dcs:1:8", says])

    def test_g5_g11_blocks_past_the_end(self):
        self.schedule.write_text(GOOD.replace("stack", "blocks[2-9]"))
        self.refused_rewrite(BAD_SCHEDULE, says=["6", "9"])

    def test_g6_steps_past_the_end(self):
        self.schedule.write_text(GOOD.replace("every 3", "at [4, 40]"))
        self.refused_rewrite(BAD_SCHEDULE, says=["40", "12"])

    def test_g11_family_that_the_model_lacks(self):
        self.schedule.write_text(GOOD.replace("stack", "single_transformer_blocks[0]"))
        self.refused_rewrite(BAD_SCHEDULE, says=["single_transformer_blocks"])

    def test_a_residual_between_other_streams(self):
        self.model = copy_model("hunyuan", self.folder)
        self.schedule.write_text(GOOD.replace(
            "keep delta", "keep delta\n    compute unless mean(residual(stack)) < 1"))
        self.refused_rewrite(
            BAD_SCHEDULE, says=["2 streams of hidden states enter and 1 leave", "one family"])


class CheckTests(RefusalTests):
    def overflowing(self):
        """A delta that float16 cannot hold, so that what is reused is not what was computed."""
        self.schedule.write_text(GOOD.replace("keep delta", "keep delta as float16"))
        feeds, _ = golden(CORPUS / "wan.npz")
        feeds["encoder_hidden_states"] = feeds["encoder_hidden_states"] * np.float32(1e7)
        np.savez(self.folder / "feeds.npz", **feeds)

    def test_a_claim_that_fails(self):
        self.overflowing()
        self.output.write_bytes(b"what was there before")
        before = contents(self.folder)
        done = ditcache(
            "rewrite", self.model, "--schedule", self.schedule, "-o", self.output, "--check",
            "--input", self.folder / "feeds.npz", status=CHECK_FAILED)
        self.assertIn("check: FAILS: a reuse equals", done.stdout)
        self.assertNotIn("wrote", done.stdout)
        self.assertIn("not written", done.stderr)
        self.assertEqual(before, contents(self.folder))

    def test_a_claim_that_fails_as_json(self):
        self.overflowing()
        done = ditcache(
            "rewrite", self.model, "--schedule", self.schedule, "-o", self.output, "--check",
            "--json", "--input", self.folder / "feeds.npz", status=CHECK_FAILED)
        claims = json.loads(done.stdout)["check"]
        self.assertEqual([claim["holds"] for claim in claims], [True, True, True, True, False])
        self.assertFalse(self.output.exists())

    def test_copied_weights_go_and_those_they_replaced_return(self):
        self.model = copy_model("wan_ext", self.folder)
        self.overflowing()
        (self.folder / "elsewhere").mkdir()
        output = self.folder / "elsewhere" / "out.onnx"
        (self.folder / "elsewhere" / "out.onnx.data").write_bytes(b"weights of another model")
        before = contents(self.folder)
        ditcache(
            "rewrite", self.model, "--schedule", self.schedule, "-o", output, "--copy-weights",
            "--check", "--input", self.folder / "feeds.npz", status=CHECK_FAILED)
        self.assertEqual(before, contents(self.folder))

    def test_inputs_that_fit_pass(self):
        feeds, _ = golden(CORPUS / "wan.npz")
        np.savez(self.folder / "feeds.npz", **feeds)
        done = ditcache(
            "rewrite", self.model, "--schedule", self.schedule, "-o", self.output, "--check",
            "--input", self.folder / "feeds.npz")
        self.assertEqual(done.stdout.count("check: holds"), 5)
        self.assertTrue(self.output.exists())

    def test_inputs_that_lack_one(self):
        feeds, _ = golden(CORPUS / "wan.npz")
        np.savez(self.folder / "feeds.npz", timestep=feeds["timestep"])
        self.refused_rewrite(
            USAGE, "--check", "--input", self.folder / "feeds.npz", says=["hidden_states"])

    def test_inputs_without_a_check(self):
        self.refused_rewrite(USAGE, "--input", self.folder / "feeds.npz", says=["--check"])


class DimensionTests(RefusalTests):
    def setUp(self):
        super().setUp()
        self.model = copy_model("wan_dyn", self.folder)

    @for_each(
        ("unknown_symbol", "frames=3", ["--dim frames", "s25"]),
        ("unknown_axis", "hidden_states.9=3", ["hidden_states.9"]),
        ("no_number", "s25=many", ["positive number"]), ("negative", "s25=-1", ["positive number"]),
        ("no_name", "=3", ["NAME=VALUE"]), ("no_value", "s25", ["NAME=VALUE"]))
    def test_size_that_is_none(self, _, text, says):
        self.refused(USAGE, "inspect", self.model, "--dim", text, says=says)
        self.refused_rewrite(USAGE, "--check", "--dim", text, says=says)

    def test_size_given_twice(self):
        self.refused(USAGE, "inspect", self.model, "--dim", "s25=1", "--dim", "s25=2", says=["twice"])

    def test_size_that_the_model_cannot_have(self):
        self.refused(USAGE, "inspect", self.model, "--dim", "hidden_states.1=5", says=["5", "4"])

    def test_feeds_of_another_size(self):
        feeds, _ = golden(CORPUS / "wan_dyn.npz")
        np.savez(self.folder / "feeds.npz", **feeds)
        self.refused(
            USAGE, "run", self.model, "--input", self.folder / "feeds.npz", "--dim", "s47=3",
            says=["hidden_states", "float32[3, 4,"])

    def test_the_check_obeys_sizes(self):
        for sizes, status, says in (
                (["s25=3", "s56=2"], 0, "check: holds"),
                # 3 rows of latents cannot be cut into patches of 2.
                (["hidden_states.3=3"], USAGE, "axis 3")):
            dims = [word for size in sizes for word in ("--dim", size)]
            done = ditcache("rewrite", self.model, "--schedule", self.schedule, "-o", self.output,
                            "--check", *dims, status=status)
            self.assertIn(says, done.stdout + done.stderr)

    def test_costs_follow_sizes(self):
        small, large = (
            json.loads(ditcache("inspect", self.model, "--json", *dims).stdout)["flops"]
            for dims in (
                ["--dim", "hidden_states.0=1", "--dim", "hidden_states.2=3",
                 "--dim", "hidden_states.3=8", "--dim", "hidden_states.4=12",
                 "--dim", "encoder_hidden_states.1=7"],
                ["--dim", "hidden_states.0=1", "--dim", "hidden_states.2=3",
                 "--dim", "hidden_states.3=16", "--dim", "hidden_states.4=24",
                 "--dim", "encoder_hidden_states.1=7"]))
        self.assertGreater(large, 4 * small - 1)
        self.assertNotIn(
            "flops", json.loads(ditcache("inspect", self.model, "--json").stdout))


class RandomWeightTests(RefusalTests):
    def setUp(self):
        super().setUp()
        self.model = copy_model("wan_ext", self.folder)
        (self.folder / "wan_ext.onnx.data").unlink()

    def run_with(self, *options, status=0):
        output = scratch_folder() / "results.npz"
        feeds, _ = golden(CORPUS / "wan_ext.npz")
        np.savez(self.folder / "feeds.npz", **feeds)
        done = ditcache("run", self.model, "--input", self.folder / "feeds.npz", "--output", output,
                        *options, status=status)
        return done, next(iter(arrays(output).values())) if output.exists() else None

    def test_absent_weights_are_an_error_without_a_seed(self):
        self.run_with(status=INPUT_OUTPUT)

    def test_a_seed_gives_the_same_numbers_each_time(self):
        done, first = self.run_with("--random-weights", 1)
        self.assertIn("wan_ext.onnx.data", done.stderr)
        np.testing.assert_array_equal(first, self.run_with("--random-weights", 1)[1])
        self.assertTrue((first != self.run_with("--random-weights", 2)[1]).any())

    def test_the_rewritten_file_still_names_its_weights(self):
        ditcache("rewrite", self.model, "--schedule", self.schedule, "-o", self.output, "--check",
                 "--random-weights", 7)
        proto = onnx.load(self.output, load_external_data=False)
        external = [t for t in proto.graph.initializer if t.external_data]
        self.assertGreater(len(external), 50)
        self.assertLess(self.output.stat().st_size, self.model.stat().st_size + 200_000)
        ditcache("sample", self.output, "--inputs", CORPUS / "wan_traj.npz", "--random-weights", 7)

    def test_weights_that_are_there_are_read(self):
        copy_model("wan_ext", self.folder)
        ditcache("run", self.model, "--golden", CORPUS / "wan_ext.npz", "--random-weights", 1)


class OutputTests(RefusalTests):
    def test_check_that_cannot_run(self):
        self.refused_rewrite(INPUT_OUTPUT, "--check", "--input", self.folder / "absent.npz")

    def test_check_of_a_dry_run(self):
        self.refused_rewrite(USAGE, "--check", "--dry-run")

    def test_i1_folder_that_does_not_exist(self):
        self.refused_rewrite(INPUT_OUTPUT, output=self.folder / "absent" / "out.onnx")

    def test_i1_output_that_is_the_model(self):
        self.refused_rewrite(USAGE, output=self.model)

    def test_i1_output_that_is_the_model_by_another_name(self):
        (self.folder / "sub").mkdir()
        self.refused_rewrite(USAGE, output=self.folder / "sub" / ".." / "wan.onnx")

    def test_output_that_is_the_schedule(self):
        self.refused_rewrite(USAGE, output=self.schedule)

    def test_results_that_would_replace_the_feeds(self):
        feeds, _ = golden(CORPUS / "wan.npz")
        np.savez(self.folder / "feeds.npz", **feeds)
        self.refused(
            USAGE, "run", self.model, "--input", self.folder / "feeds.npz",
            "--output", self.folder / "feeds.npz")

    def test_results_that_would_replace_the_model(self):
        feeds, _ = golden(CORPUS / "wan.npz")
        np.savez(self.folder / "feeds.npz", **feeds)
        self.refused(
            USAGE, "run", self.model, "--input", self.folder / "feeds.npz", "--output", self.model)

    def test_recording_that_would_replace_its_inputs(self):
        (self.folder / "inputs.npz").write_bytes((CORPUS / "wan_traj.npz").read_bytes())
        self.refused(
            USAGE, "sample", self.model, "--inputs", self.folder / "inputs.npz",
            "--record", self.folder / "inputs.npz")

    def test_output_that_is_a_folder(self):
        (self.folder / "sub").mkdir()
        self.refused_rewrite(INPUT_OUTPUT, output=self.folder / "sub")

    def test_i9_model_that_is_cached_already(self):
        cached = self.folder / "cached.onnx"
        ditcache("rewrite", self.model, "--schedule", self.schedule, "-o", cached)
        self.refused_rewrite(BAD_MODEL, model=cached, says=["unwrap"])

    def test_unwrapping_what_was_never_cached(self):
        self.refused(BAD_MODEL, "unwrap", self.model, "-o", self.output)


class ArgumentTests(RefusalTests):
    def test_unknown_command(self):
        self.refused(USAGE, "rewire", self.model)

    def test_unknown_option(self):
        self.refused_rewrite(USAGE, "--optimise", says=["optimise"])

    def test_state_that_openvino_would_make_constant(self):
        self.refused_rewrite(
            USAGE, "--target", "openvino", "--state", "optional", says=["never reuse"])

    def test_golden_data_as_inputs(self):
        self.refused(USAGE, "run", self.model, "--input", CORPUS / "wan.npz", says=["--golden"])

    def test_inputs_and_golden_data(self):
        golden_data = ("--golden", CORPUS / "wan.npz")
        self.refused(USAGE, "run", self.model, says=["--golden"])
        self.refused(USAGE, "run", self.model, "--input", "x", *golden_data, says=["exclude"])

    def test_unknown_target(self):
        self.refused_rewrite(USAGE, "--target", "abacus", says=["abacus"])

    @for_each(("nothing", "0"), ("negative", "-3"), ("words", "many"), ("huge", "9" * 20))
    def test_impossible_step_count(self, _, steps):
        self.refused_rewrite(USAGE, f"--steps={steps}")

    def test_missing_schedule_option(self):
        self.refused(USAGE, "rewrite", self.model, "-o", self.output)


class ComputeOptionTests(RefusalTests):
    @for_each(
        ("run", "--golden", CORPUS / "wan.npz"), ("bench",), ("sample",),
        ("evaluate", "--schedule", "every-2"), ("tune", "--at-least", "psnr=20"),
        ("profile", "-o", "report"))
    def test_every_command_that_computes_reads_how(self, command, *rest):
        self.refused(
            USAGE, command, self.model, *rest, "--products", "fastest",
            says=["--products fastest", "measured, own, openblas"])


def contents(folder):
    """Every path beneath a folder with a digest of what it holds."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        for path in sorted(folder.rglob("*"))}


if __name__ == "__main__":
    unittest.main()
