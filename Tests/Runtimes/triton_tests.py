"""What `rewrite --serve triton` writes: Triton's own types read it, and sequences keep the state.

No Triton server runs here: examples/triton/stand_in.py follows its documents on ONNX Runtime.
"""

import sys
import unittest

import numpy as np
import onnx
from google.protobuf import text_format
from tritonclient import grpc as triton
from tritonclient.grpc import model_config_pb2

from support import CORPUS, ROOT, Cases, arrays, copy_model, ditcache, for_each, manifest
from support import recording, schedule_text, scratch_folder

sys.path.insert(0, str(ROOT / "examples" / "triton"))
from client import Sequence, ServedModel, denoise, tensor  # noqa: E402
from stand_in import serve  # noqa: E402

REPLAYS = ROOT / "Tests" / "ReplayTests" / "Schedules"
TWO_RULES = schedule_text(
    ("blocks[0-1]", "warmup_steps 2", "refresh every 3"), ("blocks[3..]", "refresh every 2"))
SCHEDULES = {
    "one_rule": schedule_text(("blocks[1-4]", "warmup_steps 2", "refresh every 3")),
    "two_rules": TWO_RULES,
    "teacache": (REPLAYS / "wan_teacache_ret.dcs").read_text(),
    "easycache_leader": (REPLAYS / "wan_easycache_cfg.dcs").read_text(),
    "taylorseer": (REPLAYS / "wan_taylorseer_block_o1.dcs").read_text(),
}


def repository(name, schedule, *options):
    """`rewrite --serve triton` of a copy of a model; returns the repository's folder."""
    folder = scratch_folder()
    rules, output = folder / "schedule.dcs", folder / "repository"
    rules.write_text(schedule)
    ditcache("rewrite", copy_model(name, folder), "--schedule", rules, "--serve", "triton",
             "-o", output, *options)
    return output


class ServedCases(Cases):
    def serve(self, folder):
        """A client of a stand-in for the repository; both go away with the test."""
        server, port = serve(folder)
        self.addCleanup(server.stop, None)
        client = triton.InferenceServerClient(f"localhost:{port}")
        self.addCleanup(client.close)
        return client

    def run_client(self, folder, model, inputs):
        served = ServedModel(self.serve(folder), model)
        return denoise(served, inputs, "hidden_states", "timestep", branch=Sequence,
                       on_step=lambda *_: None)


class SequenceTests(ServedCases):
    @for_each(*[(name,) for name in SCHEDULES])
    def test_sequences_give_the_latents_of_ditcache(self, name):
        folder = repository("wan", SCHEDULES[name])
        inputs = arrays(CORPUS / "wan_traj.npz")
        if "leader" in name:
            inputs["guidance_scale"] = np.float32(1)
        path = scratch_folder() / "inputs.npz"
        np.savez(path, **inputs)
        expected = recording(folder / "wan" / "1" / "model.onnx", path)
        served = self.run_client(folder, "wan", inputs)
        np.testing.assert_array_equal(served["computed"], expected["computed"])
        self.assertTrue(0 < served["computed"].sum() < served["computed"].size)
        self.assertNear(served["latents"], expected["latents"], 1e-5)

    def test_a_state_of_free_length_begins_with_size_one(self):
        folder = repository("wan_dyn", SCHEDULES["two_rules"])
        config = (folder / "wan_dyn" / "config.pbtxt").read_text()
        self.assertIn("dims: [ -1, -1, 64 ]", config)
        self.assertIn("dims: [ 1, 1, 64 ]", config)
        expected = recording(folder / "wan_dyn" / "1" / "model.onnx", CORPUS / "wan_traj.npz")
        served = self.run_client(folder, "wan_dyn", arrays(CORPUS / "wan_traj.npz"))
        np.testing.assert_array_equal(served["computed"], expected["computed"])
        self.assertNear(served["latents"], expected["latents"], 1e-5)

    def test_interleaved_sequences_do_not_touch_each_other(self):
        inputs = arrays(CORPUS / "wan_traj.npz")
        model = ServedModel(self.serve(repository("wan", TWO_RULES)), "wan")
        feeds = {"encoder_hidden_states": inputs["text/encoder_hidden_states"],
                 "timestep": np.float32([500])}
        noise = [inputs["initial_noise"], inputs["initial_noise"][..., ::-1].copy()]

        def outputs(order):
            sequences, results = [Sequence(model), Sequence(model)], {}
            for number, step in order:
                results[number, step] = sequences[number](
                    {**feeds, "hidden_states": noise[number] + step}, step, [1, 0])[0]
            return results

        apart = outputs([(number, step) for number in (0, 1) for step in range(12)])
        mixed = outputs([(number, step) for step in range(12) for number in (1, 0)])
        for key, value in apart.items():
            np.testing.assert_array_equal(mixed[key], value)

    def test_a_sequence_that_starts_again_has_no_memory(self):
        inputs = arrays(CORPUS / "wan_traj.npz")
        model = ServedModel(self.serve(repository("wan", TWO_RULES)), "wan")
        feeds = {"encoder_hidden_states": inputs["text/encoder_hidden_states"],
                 "timestep": np.float32([500]), "hidden_states": inputs["initial_noise"]}
        sequence = Sequence(model)
        sequence(feeds, 0, [1, 0])
        self.assertFalse(sequence(feeds, 3, [1, 0])[1].all())
        sequence.begun = False
        self.assertTrue(sequence(feeds, 3, [1, 0])[1].all())

    def test_requests_that_do_not_fit_are_refused(self):
        inputs = arrays(CORPUS / "wan_traj.npz")
        client = self.serve(repository("wan", TWO_RULES))
        model = ServedModel(client, "wan")
        values = {"encoder_hidden_states": inputs["text/encoder_hidden_states"],
                  "timestep": np.float32([500]), "hidden_states": inputs["initial_noise"],
                  "ditcache/step": np.int64([0]), "ditcache/override": np.int64([0, 0])}

        def refusal(values, **options):
            with self.assertRaises(triton.InferenceServerException) as caught:
                client.infer("wan", [tensor(*item) for item in values.items()], **options)
            return str(caught.exception)

        started = {"sequence_id": 7, "sequence_start": True}
        self.assertIn("was not started", refusal(values, sequence_id=8))
        self.assertIn("missing", refusal(
            {key: values[key] for key in values if key != "timestep"}, **started))
        self.assertIn("float64", refusal({**values, "timestep": np.float64([1])}, **started))
        self.assertIn("shape", refusal({**values, "ditcache/step": np.int64([0, 0])}, **started))
        self.assertIn("not an input", refusal(
            {**values, model.manifest["state"][0]["input"]: np.zeros(1, bool)}, **started))


class ConfigurationTests(ServedCases):
    @for_each(*[(name,) for name in SCHEDULES])
    def test_every_port_is_configured_once_with_its_type(self, name):
        folder = repository("wan", SCHEDULES[name]) / "wan"
        config = text_format.Parse(
            (folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
        facts = manifest(folder / "1" / "model.onnx")
        graph = onnx.load(folder / "1" / "model.onnx").graph
        stored = {tensor.name for tensor in graph.initializer}
        due = {
            port.name: (port.type.tensor_type.elem_type,
                        [size.dim_value or -1 for size in port.type.tensor_type.shape.dim])
            for port in [*graph.input, *graph.output] if port.name not in stored}
        words = {"TYPE_FP32": 1, "TYPE_INT64": 7, "TYPE_BOOL": 9}

        def port(entry):
            return words[model_config_pb2.DataType.Name(entry.data_type)], list(entry.dims)

        found = {entry.name: port(entry) for entry in [*config.input, *config.output]}
        for entry in config.sequence_batching.state:
            found[entry.input_name] = found[entry.output_name] = port(entry)
        control, = config.sequence_batching.control_input
        found[control.name] = found[f"{control.name}/out"] = (9, [1])
        self.assertEqual(found, due)
        self.assertEqual(
            sorted([control.name, *(e.input_name for e in config.sequence_batching.state)]),
            sorted(slot["input"] for slot in facts["state"]))

    def test_weights_are_copied_into_the_version(self):
        folder = repository("wan_ext", TWO_RULES, "--copy-weights") / "wan_ext"
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
        self.assertRegex(" ".join(files), r"^1/model.onnx 1/model.onnx.\w+.data config.pbtxt$")
        self.run_client(folder.parent, "wan_ext", arrays(CORPUS / "wan_traj.npz"))

    def test_what_is_served_unwraps(self):
        folder = repository("wan", TWO_RULES)
        original = scratch_folder() / "wan.onnx"
        done = ditcache("unwrap", folder / "wan" / "1" / "model.onnx", "-o", original)
        self.assertIn("identical", done.stdout)


class RefusalTests(Cases):
    def rewrite(self, *options, model="wan", status):
        folder = scratch_folder()
        rules = folder / "schedule.dcs"
        rules.write_text(TWO_RULES)
        done = ditcache(
            "rewrite", copy_model(model, folder), "--schedule", rules, "-o", folder / "repository",
            *options, status=status)
        return done.stderr, folder / "repository"

    def test_options_that_a_server_cannot_have_are_refused(self):
        for options, word in [
                (["--serve", "star"], "not one of"),
                (["--serve", "triton", "--form", "static"], "leave --form out"),
                (["--serve", "triton", "--state", "optional"], "required"),
                (["--serve", "triton", "--target", "openvino"], "--target")]:
            with self.subTest(options):
                error, folder = self.rewrite(*options, status=64)
                self.assertIn(word, error)
                self.assertFalse(folder.exists())

    def test_nothing_stays_of_a_rewrite_that_fails(self):
        error, folder = self.rewrite("--serve", "triton", model="wan_ext", status=64)
        self.assertIn("--copy-weights", error)
        self.assertFalse(folder.exists())

    def test_a_foreign_configuration_is_not_replaced(self):
        folder = repository("wan", TWO_RULES)
        rules, config = folder.parent / "schedule.dcs", folder / "wan" / "config.pbtxt"
        line = ["rewrite", folder.parent / "wan.onnx", "--schedule", rules, "--serve", "triton",
                "-o", folder]
        ditcache(*line)
        config.write_text('name: "wan"\n')
        self.assertIn("did not write", ditcache(*line, status=6).stderr)
        self.assertEqual(config.read_text(), 'name: "wan"\n')


if __name__ == "__main__":
    unittest.main()
