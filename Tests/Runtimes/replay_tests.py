"""Cached trajectories against a replay that shares no code with the rewrite (replay.py)."""

import unittest
from dataclasses import dataclass

import numpy as np

from replay import Replay
from support import CORPUS, ORACLES, Cases, arrays, cached_model, denoise, for_each, recording
from support import schedule_text, scratch_folder

DUAL, SINGLE = [0, 1], [2, 3, 4, 5, 6, 7]


@dataclass
class Schedule:
    """The same schedule twice: as text, and as block positions with the steps they compute."""

    model: str
    rules: list
    meaning: list

    @property
    def text(self):
        return schedule_text(*self.rules, adapter=self.model)


SCHEDULES = {
    "one_run": Schedule(
        "wan", [("blocks[1-4]", "warmup_steps 2", "refresh every 3")],
        [([1, 2, 3, 4], {0, 1, 2, 5, 8, 11})]),
    "scattered_blocks": Schedule(
        "wan", [("blocks[0, 2-3, 5]", "warmup_steps 1", "refresh every 4")],
        [([0, 2, 3, 5], {0, 1, 5, 9})]),
    "stack": Schedule(
        "wan", [("stack", "warmup_steps 3", "refresh every 2")],
        [([0, 1, 2, 3, 4, 5], {0, 1, 2, 3, 5, 7, 9, 11})]),
    "step_list_and_cooldown": Schedule(
        "wan", [("blocks[2..]", "warmup_steps 2", "refresh at [4, 7]", "cooldown_steps 2")],
        [([2, 3, 4, 5], {0, 1, 4, 7, 10, 11})]),
    "two_rules": Schedule(
        "wan",
        [("blocks[0-1]", "warmup_steps 1", "refresh every 2"),
         ("blocks[-3..]", "warmup_steps 4", "refresh every 4")],
        [([0, 1], {0, 1, 3, 5, 7, 9, 11}), ([3, 4, 5], {0, 1, 2, 3, 4, 8})]),
    "both_families": Schedule(
        "hunyuan",
        [("dual[0-1]", "warmup_steps 2", "refresh every 2"),
         ("single[1-3]", "warmup_steps 1", "refresh every 3")],
        [(DUAL, {0, 1, 2, 4, 6, 8, 10}), ([3, 4, 5], {0, 1, 4, 7, 10})]),
    "to_the_last_block": Schedule(
        "hunyuan", [("single[3..]", "warmup_steps 2", "refresh every 4")],
        [([5, 6, 7], {0, 1, 2, 6, 10})]),
    "scattered_in_both": Schedule(
        "hunyuan",
        [("single[0, 2, 4-5]", "warmup_steps 3", "refresh at [6, 9]"),
         ("dual[1]", "warmup_steps 1", "refresh every 5")],
        [([2, 4, 6, 7], {0, 1, 2, 6, 9}), ([1], {0, 1, 6, 11})]),
    "whole_stack": Schedule(
        "hunyuan", [("stack", "warmup_steps 2", "refresh every 3")],
        [(DUAL + SINGLE, {0, 1, 2, 5, 8, 11})]),
}


class ReplayAloneTests(Cases):
    """The replay is right: it reproduces recordings made in PyTorch."""

    # HunyuanVideo's export differs from PyTorch by rounding in the timestep embedding.
    @for_each(("wan", 5e-5), ("hunyuan", 5e-4))
    def test_without_rules_it_is_the_original_trajectory(self, model, tolerance):
        inputs = arrays(CORPUS / f"{model}_traj.npz")
        outputs, latents = denoise(Replay(model), inputs)
        self.assertNear(outputs, inputs["model_out"], tolerance)
        self.assertNear(latents, inputs["latents"], tolerance)

    def test_it_agrees_with_profilingdit_in_pytorch(self):
        inputs = arrays(ORACLES / "wan_profilingdit.npz")
        outputs, latents = denoise(Replay("wan", [([0, 2, 3, 5], {0, 1, 2, 3, 6, 9})]), inputs)
        self.assertNear(outputs, inputs["model_out"], 5e-5)
        self.assertNear(latents, inputs["latents"], 5e-5)


class CachedTrajectoryTests(Cases):
    """`ditcache sample` on cached models against the replay and PyTorch."""

    @for_each(*SCHEDULES.items())
    def test_twelve_steps_agree_with_the_replay(self, _, schedule):
        path = CORPUS / f"{schedule.model}_traj.npz"
        replay = Replay(schedule.model, schedule.meaning)
        outputs, latents = denoise(replay, arrays(path))
        recorded = recording(cached_model(schedule.model, schedule.text), path)
        np.testing.assert_array_equal(recorded["computed"][:, 0], replay.computed)
        self.assertNear(recorded["model_out"][:, 0], outputs, 5e-5)
        self.assertNear(recorded["latents"], latents, 5e-5)
        self.assertNear(recorded["final"], latents[-1], 5e-5)

    def test_profilingdit_agrees_with_pytorch(self):
        path = ORACLES / "wan_profilingdit.npz"
        schedule = schedule_text(("blocks[0, 2-3, 5]", "warmup_steps 3", "refresh at [3, 6, 9]"))
        recorded, oracle = recording(cached_model("wan", schedule), path), arrays(path)
        self.assertNear(recorded["model_out"][:, 0], oracle["model_out"], 5e-5)
        self.assertNear(recorded["latents"], oracle["latents"], 5e-5)

    def test_h9_two_guidance_branches_keep_their_states_apart(self):
        schedule = SCHEDULES["one_run"]
        inputs = arrays(CORPUS / "wan_traj.npz")
        text = inputs["text/encoder_hidden_states"]
        path = guided_inputs(inputs, text)
        replays = [Replay("wan", schedule.meaning) for _ in range(2)]

        def guided(feeds, step):
            uncond, cond = (
                replay({**feeds, "encoder_hidden_states": words}, step)
                for replay, words in zip(replays, (-text, text)))
            return uncond + np.float32(3) * (cond - uncond)

        _, latents = denoise(guided, inputs)
        recorded = recording(cached_model("wan", schedule.text), path)
        self.assertEqual(recorded["model_out"].shape[1], 2)
        self.assertNear(recorded["latents"], latents, 2e-4)


def guided_inputs(inputs, text):
    """A trajectory's inputs with guidance 3 and an unconditional text; returns their path."""
    path = scratch_folder() / "guided.npz"
    np.savez(path, **{key: inputs[key] for key in ("initial_noise", "sigmas", "timesteps")},
             guidance_scale=np.float32(3), **{
                 "text/encoder_hidden_states": text, "text_uncond/encoder_hidden_states": -text})
    return path


if __name__ == "__main__":
    unittest.main()
