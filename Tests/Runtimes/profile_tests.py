"""`ditcache profile` against ONNX Runtime's attention and an analysis in NumPy."""

import json
import unittest

import numpy as np
import onnx

from pages import check_page
from support import (
    CORPUS, ROOT, Cases, arrays, conditioning, ditcache, golden, onnx_runtime, scratch_folder)

MODELS = ROOT / "examples" / "models"
PROMPT = ("background:checker background:red first:circle first:yellow first:left second:none "
          "second:none second:none")
GRID = (3, 4, 6)
CLUSTERS, ROUNDS = 4, 32


def profile(*options, model=CORPUS / "wan.onnx"):
    """Runs the command; returns its JSON and what it recorded."""
    folder = scratch_folder()
    done = ditcache(
        "profile", model, "--json", "--record", folder / "record.npz", "-o", folder / "out",
        *options)
    return json.loads(done.stdout), arrays(folder / "record.npz"), folder / "out"


def masked(*options, model="wan", mask=None):
    """A profile of a recording in the corpus, whose random weights show nothing by themselves."""
    path = scratch_folder() / "mask.npy"
    if mask is None:
        mask = np.zeros((3, 8, 12), bool)
        for frame in range(3):
            mask[frame, 2:6, 2 + 2 * frame:6 + 2 * frame] = True
    np.save(path, mask)
    return profile(
        "--inputs", CORPUS / f"{model}_traj.npz", "--masks", path, *options,
        model=CORPUS / f"{model}.onnx")


def attention_in_onnx_runtime(inputs, latents):
    """Column means of the self-attention of each step and block, from whole matrices."""
    model = onnx.load(CORPUS / "wan.onnx")
    weights = [node.output[0] for node in model.graph.node if node.op_type == "Softmax"]
    for name in weights:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    run = onnx_runtime(model)
    steps = []
    for state, timestep in zip(latents, inputs["timesteps"]):
        results = run({"hidden_states": state[None], "timestep": np.float32([timestep]),
                       **conditioning(inputs)})
        blocks = [results[name].astype(np.float64) for name in weights]
        steps.append([b.mean((0, 1, 2)) for b in blocks if b.shape[-1] == b.shape[-2]])
    return np.array(steps)


def components(channels):
    """Samples (C, F, H, W) along their three principal axes."""
    flat = channels.reshape(len(channels), -1).astype(np.float64)
    flat = flat - flat.mean(1, keepdims=True)
    _, vectors = np.linalg.eigh(flat @ flat.T / flat.shape[1])
    axes = vectors.T[::-1][:3]
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(1)]
    return (np.where(largest < 0, -1, 1)[:, None] * axes) @ flat


def segmented(channels):
    """k-means from the farthest places; clusters that avoid the border are foreground."""
    points = components(channels).T
    shape = channels.shape[1:]

    def distances(centre):
        return ((points - centre) ** 2).sum(1)

    centres = [points[distances(points.mean(0)).argmin()]]
    nearest = distances(centres[0])
    while len(centres) < CLUSTERS:
        centres.append(points[nearest.argmax()])
        nearest = np.minimum(nearest, distances(centres[-1]))
    labels = np.zeros(len(points), int)
    for _ in range(ROUNDS):
        assigned = np.argmin([distances(c) for c in centres], 0)
        if (assigned == labels).all():
            break
        labels = assigned
        centres = [points[labels == n].mean(0) if (labels == n).any() else centre
                   for n, centre in enumerate(centres)]
    border = np.ones(shape, bool)
    border[:, 1:-1, 1:-1] = False
    sizes, edges = (np.bincount(each, minlength=CLUSTERS)
                    for each in (labels, labels[border.ravel()]))
    objects = 2 * edges * len(points) < sizes * border.sum()
    return objects[labels].reshape(shape)


def foreground_tokens(mask):
    (f, h, w), (frames, rows, columns) = GRID, mask.shape
    parts = mask.reshape(f, frames // f, h, rows // h, w, columns // w)
    return parts.mean((1, 3, 5)).reshape(f, h * w) >= .5


def scores(received, mask, threshold=1.0):
    """Equation 6: received is (S, L, tokens)."""
    tokens = foreground_tokens(mask)
    frames = [f for f in range(GRID[0]) if tokens[f].any()]
    high = received.astype(np.float64) > threshold / received.shape[-1]
    high = high.reshape(*received.shape[:2], *tokens.shape)
    return np.mean([high[:, :, f, tokens[f]].mean(-1) for f in frames], 0)


class ProfileTests(Cases):
    @classmethod
    def setUpClass(cls):
        cls.report, cls.record, cls.folder = masked()
        cls.inputs = arrays(CORPUS / "wan_traj.npz")

    def test_attention_is_that_of_onnx_runtime(self):
        expected = attention_in_onnx_runtime(self.inputs, self.record["latents"])
        self.assertEqual(expected.shape, (12, 6, 72))
        self.assertNear(self.record["attention"], expected, 1e-6)

    def test_predictions_are_the_recorded_ones(self):
        self.assertNear(self.record["predictions"], self.inputs["model_out"][:, 0], 5e-5)

    def test_scores_and_focus_are_those_of_numpy(self):
        expected = scores(self.record["attention"], self.record["mask"])
        self.assertNear(self.record["scores"], expected, 1e-9)
        self.assertNear(self.report["scores"], expected, 1e-9)
        tokens = foreground_tokens(self.record["mask"]).ravel()
        received = self.record["attention"].astype(np.float64)
        focus = received[..., tokens].sum(-1) / received.sum(-1)
        self.assertNear(self.report["focus"], focus.mean(1) / tokens.mean(), 1e-6)

    def test_changes_are_those_of_numpy(self):
        outputs = self.record["predictions"].astype(np.float64)
        expected = [np.abs(b - a).mean() / np.abs(a).mean() for a, b in zip(outputs, outputs[1:])]
        self.assertNear(self.report["changes"], expected, 1e-9)

    def test_sixty_percent_of_the_blocks_are_background(self):
        block_scores = self.record["scores"][self.report["warmup"]:].mean(0)
        limit = np.percentile(block_scores, 60)
        self.assertAlmostEqual(self.report["threshold"], limit, places=9)
        found = [block["background"] for block in self.report["blocks"]]
        self.assertEqual(found, list(block_scores < limit))

    def test_the_proposed_schedule_runs(self):
        schedule = self.folder / "profiled.dcs"
        ditcache("schedule", "check", schedule)
        done = ditcache("sample", CORPUS / "wan.onnx", "--schedule", schedule,
                        "--inputs", CORPUS / "wan_traj.npz", "--json")
        sites = json.loads(done.stdout)["sites"]
        self.assertEqual(
            {tuple(step for step in range(12)
                   if step < self.report["warmup"] or step in self.report["refresh"])},
            {tuple(site["computed_steps"][0]) for site in sites})

    def test_the_page_stands_alone(self):
        text = check_page(self.folder / "profile.html")
        self.assertIn("Which blocks look at the foreground", text)
        self.assertIn("schedule profiled for any", text)

    def test_a_given_mask_is_used_as_it_is(self):
        mask = np.zeros((3, 8, 12), bool)
        mask[:, 2:6, 4:9] = True
        report, record, _ = masked("--attention", "1.01", mask=mask)
        np.testing.assert_array_equal(record["mask"], mask)
        self.assertNear(report["scores"], scores(record["attention"], mask, 1.01), 1e-9)

    def test_a_network_segments(self):
        folder = scratch_folder()
        helper = onnx.helper
        graph = helper.make_graph(
            [helper.make_node("Slice", ["picture", "zero", "one", "one"], ["red"]),
             helper.make_node("Sub", ["red", "half"], ["mask"])], "segmenter",
            [helper.make_tensor_value_info("picture", 1, [1, 3, 8, 12])],
            [helper.make_tensor_value_info("mask", 1, [1, 1, 8, 12])],
            [onnx.numpy_helper.from_array(np.int64([0]), "zero"),
             onnx.numpy_helper.from_array(np.int64([1]), "one"),
             onnx.numpy_helper.from_array(np.float32(.5), "half")])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        onnx.save(model, folder / "segmenter.onnx")
        _, record, _ = profile(
            "--inputs", CORPUS / "wan_traj.npz", "--segmenter", folder / "segmenter.onnx", "--mask-source", "prediction",
            "--mask-step", "3")
        red = components(record["predictions"][3])[0]
        unit = (red - red.min()) / (red.max() - red.min())
        np.testing.assert_array_equal(record["mask"].ravel(), unit > .5)

    def test_joint_attention_counts_the_tokens_of_the_latents(self):
        report, record, _ = masked(model="hunyuan")
        self.assertEqual(record["attention"].shape, (12, 8, 72))
        total = record["attention"].sum(-1)
        self.assertTrue((total < 1).all() and (total > .5).all())
        self.assertEqual(report["skipped"], [])

    def test_an_empty_mask_is_refused(self):
        folder = scratch_folder()
        np.save(folder / "mask.npy", np.zeros((3, 8, 12), bool))
        done = ditcache(
            "profile", CORPUS / "wan.onnx", "--inputs", CORPUS / "wan_traj.npz", "--masks",
            folder / "mask.npy", status=2)
        self.assertIn("the mask makes no token foreground", done.stderr)
        self.assertIn("--segmenter", done.stderr)


class TrainedModelTests(Cases):
    """On a model that shows something, masks need no help."""

    @classmethod
    def setUpClass(cls):
        cls.report, cls.record, cls.folder = profile(
            "--prompt", PROMPT, "--seeds", "0-1", "--steps", "20", model=MODELS / "wan_video.onnx")

    def test_masks_are_those_of_numpy(self):
        # The last level of the run: what the last prediction leaves is the result.
        clean = self.record["latents"][-1] - self.record["sigmas"][-2] * \
            self.record["predictions"][-1].astype(np.float64)
        np.testing.assert_array_equal(self.record["mask"], segmented(clean))

    def test_the_mask_is_a_part_of_the_picture_off_its_border(self):
        mask = self.record["mask"]
        self.assertGreater(mask.mean(), .01)
        self.assertLess(mask.mean(), .5)
        border = np.ones_like(mask)
        border[:, 1:-1, 1:-1] = False
        self.assertLess(mask[border].mean(), mask.mean())

    def test_a_run_whose_mask_is_empty_is_left_out(self):
        masks = np.zeros((2, 8, 32, 32), bool)
        masks[1, :, 8:24, 8:24] = True
        path = scratch_folder() / "masks.npy"
        np.save(path, masks)
        report, record, _ = profile(
            "--prompt", PROMPT, "--seeds", "0-1", "--steps", "3", "--masks", path,
            model=MODELS / "wan_video.onnx")
        self.assertEqual([run["seed"] for run in report["runs"]], [1])
        self.assertEqual(len(report["unclear"]), 1)
        self.assertIn("seed 0", report["unclear"][0])
        np.testing.assert_array_equal(record["mask"], masks[1])

    def test_every_block_is_scored_in_both_runs(self):
        self.assertEqual(self.report["skipped"], [])
        self.assertEqual(len(self.report["runs"]), 2)
        scores = np.array([run["scores"] for run in self.report["runs"]])
        self.assertNear([b["score"] for b in self.report["blocks"]], scores.mean(0), 1e-9)
        self.assertGreater(np.ptp(scores.mean(0)), .02)


class OtherLayoutTests(Cases):
    """Latents that are packed into tokens, or have frames before channels."""

    STEPS = 4

    def profile(self, model, *options, **named):
        """A profile from the golden inputs of a model, and the outputs that `sample` records."""
        folder = scratch_folder()
        given, _ = golden(CORPUS / f"{model}.npz")
        noise, _ = given.pop("hidden_states"), given.pop("timestep")
        sigmas = np.linspace(1, 0, self.STEPS + 1, dtype=np.float32)
        texts = {name for name in given if name.startswith("encoder")}
        np.savez(
            folder / "inputs.npz", initial_noise=noise, sigmas=sigmas,
            **{f"{'text' if name in texts else 'extra'}/{name}": array
               for name, array in given.items()})
        inputs = ["--inputs", folder / "inputs.npz", "--scheduler", "euler"]
        mask = np.zeros((3, 4, 6), bool)
        mask[:, 1:3, 2:4] = True
        np.save(folder / "mask.npy", mask)
        done = ditcache(
            "profile", CORPUS / f"{model}.onnx", *inputs, "--masks", folder / "mask.npy",
            "--record", folder / "profile.npz", "-o", folder / "out", *options, **named)
        if done.returncode:
            return done, None
        ditcache("sample", CORPUS / f"{model}.onnx", *inputs, "--record", folder / "sample.npz",
                 "--quiet")
        return arrays(folder / "profile.npz"), arrays(folder / "sample.npz")

    def test_packed_latents_are_unpacked_along_the_given_grid(self):
        profiled, sampled = self.profile("ltx", "--tokens", "3,4,6")
        outputs = sampled["model_out"][:, -1, 0]
        self.assertEqual(profiled["attention"].shape[::2], (self.STEPS, 72))
        self.assertNear(
            profiled["predictions"],
            outputs.reshape(self.STEPS, 3, 4, 6, -1).transpose(0, 4, 1, 2, 3), 1e-5)

    def test_packed_latents_without_a_grid_are_refused(self):
        done, _ = self.profile("ltx", status=4)
        self.assertIn("--tokens", done.stderr)

    def test_frames_may_stand_before_channels(self):
        profiled, sampled = self.profile("cogvideox")
        outputs = sampled["model_out"][:, -1, 0]
        self.assertNear(profiled["predictions"], outputs.transpose(0, 2, 1, 3, 4), 1e-5)


class ImageModelTests(Cases):
    """A model of pictures with a free batch, which guidance calls with two."""

    def test_a_free_batch_is_that_of_guidance(self):
        report, record, folder = profile(
            "--prompt", "red-circle", "--steps", "10", model=MODELS / "dit_image.onnx")
        self.assertEqual(report["tokens"], [1, 8, 8])
        self.assertEqual(record["attention"].shape, (10, 10, 64))
        self.assertNear(record["attention"].sum(-1), np.ones((10, 10)), 1e-5)
        # Predicted noise is compared as the velocity that it implies.
        sigmas = record["sigmas"][:10, None, None, None]
        alphas = np.sqrt(1 - sigmas ** 2)
        noise, latents = (record[key].astype(np.float64) for key in ("predictions", "latents"))
        clean = (latents - sigmas * noise) / alphas
        velocities = alphas * noise - sigmas * clean
        expected = [np.abs(b - a).mean() / np.abs(a).mean()
                    for a, b in zip(velocities, velocities[1:])]
        self.assertNear(record["changes"], expected, 1e-3)
        done = ditcache("evaluate", MODELS / "dit_image.onnx", "--schedule",
                        folder / "profiled.dcs", "--prompt", "red-circle", "--json")
        baseline, cached = json.loads(done.stdout)["methods"]
        self.assertLess(cached["flops"], baseline["flops"])


if __name__ == "__main__":
    unittest.main()
