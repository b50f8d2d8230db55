"""`ditcache tune`: what it claims, against NumPy on what `sample` records of its schedule."""

import json
import re
import unittest

import numpy as np

from pages import check_page
from support import ROOT, Cases, arrays, ditcache, scratch_folder

MODEL = ROOT / "examples" / "models" / "wan_video.onnx"
PROMPTS = [
    "background:checker background:blue first:circle first:red first:right",
    "background:diagonal background:white first:square first:orange first:down",
    "background:checker background:red first:triangle first:green first:left",
]
STEPS = 8


def final(folder, prompt, seed, *options):
    path = folder / "record.npz"
    ditcache("sample", MODEL, "--prompt", prompt, "--seed", seed, "--steps", STEPS,
             "--no-baseline", "--record", path, *options)
    return arrays(path)["final"].astype(np.float64)


def psnr(cached, uncached):
    """Of pixels in [-1, 1], mapped to [0, 1] and clamped."""
    a, b = (np.clip((x + 1) / 2, 0, 1) for x in (cached, uncached))
    return 10 * np.log10(1 / np.mean((a - b) ** 2))


def tune(folder, *options, status=0):
    done = ditcache("tune", MODEL, "--steps", STEPS, "--seeds", "0", "-o", folder, "--json",
                    *options, status=status)
    return json.loads(done.stdout)


class TuneTests(Cases):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch_folder()
        prompts = cls.folder / "prompts.txt"
        prompts.write_text("\n".join(PROMPTS) + "\n")
        cls.report = tune(
            cls.folder / "out", "--at-least", "psnr=19", "--budget", "70", "--prompts", prompts)
        cls.schedule = cls.folder / "out" / "tuned.dcs"

    def test_held_out_runs_are_others(self):
        training, held_out = self.report["training"], self.report["held_out"]
        self.assertEqual(training["prompts"], PROMPTS[:2])
        self.assertEqual(held_out["prompts"], PROMPTS[2:])
        self.assertEqual((training["seeds"], held_out["seeds"]), ([0], [1]))

    def test_claims_are_those_of_numpy(self):
        for part in "training", "held_out":
            own = self.report[part]
            values = []
            for prompt in own["prompts"]:
                seed = own["seeds"][0]
                cached = final(self.folder, prompt, seed, "--schedule", self.schedule)
                values.append(psnr(cached, final(self.folder, prompt, seed)))
            self.assertNear(own["samples_psnr_db"], values, 1e-3)
            self.assertAlmostEqual(own["psnr_db"]["mean"], np.mean(values), places=3)
            self.assertAlmostEqual(own["psnr_db"]["minimum"], min(values), places=3)
        self.assertGreaterEqual(self.report["training"]["psnr_db"]["mean"], 19)
        self.assertTrue(self.report["kept"])

    def test_the_schedule_says_where_it_comes_from(self):
        text = self.schedule.read_text()
        comments = [line for line in text.splitlines() if line.startswith("#")]
        evidence = "\n".join(comments)
        for part in "training", "held_out":
            figures = self.report[part]
            self.assertIn(
                f"PSNR {figures['psnr_db']['mean']:.2f} dB, at least "
                f"{figures['psnr_db']['minimum']:.2f}, {100 * figures['computed']:.1f} % computed",
                evidence)
            for prompt in figures["prompts"]:
                self.assertIn(prompt, evidence)
        ditcache("schedule", "check", self.schedule)
        self.assertEqual(ditcache("schedule", "format", self.schedule).stdout or text, text)

    def test_the_front_is_what_nothing_tried_beats(self):
        trials = self.report["trials"]
        for trial in trials:
            beaten = any(
                other["computed"] <= trial["computed"] and other["psnr_db"] >= trial["psnr_db"]
                and (other["computed"], other["psnr_db"]) != (trial["computed"], trial["psnr_db"])
                for other in trials)
            if trial["on_front"]:
                self.assertFalse(beaten)
            elif not beaten:
                self.assertTrue(any(
                    other["on_front"] and other["computed"] == trial["computed"]
                    and other["psnr_db"] == trial["psnr_db"] for other in trials))
        kept = [trial["computed"] for trial in trials if trial["kept"]]
        self.assertAlmostEqual(self.report["training"]["computed"], min(kept))
        self.assertLess(min(kept), 0.9)

    def test_the_same_budget_finds_the_same_schedule(self):
        prompts = self.folder / "prompts.txt"
        again = tune(
            scratch_folder(), "--at-least", "psnr=19", "--budget", "70", "--prompts", prompts)
        strip = lambda report: re.sub(r"[0-9.]+x by the clock", "", report["schedule"])
        self.assertEqual(strip(again), strip(self.report))
        self.assertLessEqual(again["runs"], 70)

    def test_a_profile_orders_the_blocks(self):
        """Those of the lowest scores are cached, and none is tried by itself."""
        folder = scratch_folder()
        order = sorted(range(12), key=lambda block: 7 * block % 12)
        profile = folder / "profile.json"
        profile.write_text(json.dumps({"blocks": [
            {"position": block, "score": place / 12} for place, block in enumerate(order)]}))
        report = tune(
            folder / "out", "--at-least", "psnr=20", "--budget", "30", "--sites", "blocks",
            "--profile", profile, "--prompt", PROMPTS[0], "--held-out-seeds", "0")
        self.assertEqual({trial["family"] for trial in report["trials"]}, {"blocks by profile"})
        listed = re.search(r"cache blocks\[(.*)\]", report["schedule"])[1]
        cached = set()
        for part in listed.split(", "):
            first, _, last = part.partition("-")
            cached |= set(range(int(first), int(last or first) + 1))
        self.assertEqual(cached, set(order[:len(cached)]))

    def test_the_page_stands_alone(self):
        check_page(self.folder / "out" / "tune.html")


class ThresholdTests(Cases):
    def test_a_threshold_inside_the_interval_decides_the_same(self):
        folder = scratch_folder()
        report = tune(
            folder, "--at-least", "psnr=25", "--no-lists", "--schedule", "first-block",
            "--budget", "20", "--prompt", PROMPTS[0], "--held-out-seeds", "0")
        text = (folder / "tuned.dcs").read_text()
        threshold = float(re.search(r"threshold in 0 to 1 .*= ([0-9.]+)", text)[1])
        own = [trial for trial in report["trials"] if trial["kept"]]
        self.assertIn(threshold, [trial["threshold"] for trial in own])
        cached = final(folder, PROMPTS[0], 0, "--schedule", folder / "tuned.dcs")
        self.assertNear(
            report["training"]["samples_psnr_db"], [psnr(cached, final(folder, PROMPTS[0], 0))],
            1e-3)
        # Sorted by threshold, the part that computes never grows.
        shares = [trial["computed"] for trial in sorted(
            report["trials"], key=lambda trial: trial["threshold"])]
        self.assertEqual(shares, sorted(shares, reverse=True))

    def test_a_speed_is_kept_by_the_best_quality(self):
        report = tune(
            scratch_folder(), "--at-least", "speedup=1.5", "--no-lists", "--schedule",
            "first-block", "--budget", "20", "--prompt", PROMPTS[0], "--held-out-seeds", "0")
        fast = [trial for trial in report["trials"] if 1.5 * trial["computed"] <= 1 + 1e-9]
        best = max(fast, key=lambda trial: trial["psnr_db"])
        self.assertAlmostEqual(report["training"]["psnr_db"]["mean"], best["psnr_db"])

    def test_thresholds_leave_half_of_the_budget_to_lists(self):
        report = tune(
            scratch_folder(), "--at-least", "psnr=25", "--schedule", "first-block", "--schedule",
            "easycache-wan", "--sites", "output", "--budget", "33", "--prompt", PROMPTS[0],
            "--held-out-seeds", "0")
        families = [trial["family"] for trial in report["trials"]]
        self.assertLessEqual(families.count("first-block"), 8)
        self.assertLessEqual(
            families.count("first-block") + families.count("easycache-wan"), 16)
        self.assertTrue(any(family.startswith("output") for family in families))

    def test_a_broken_promise_is_status_1(self):
        report = tune(
            scratch_folder(), "--at-least", "psnr=99", "--no-lists", "--schedule", "every-2",
            "--budget", "5", "--prompt", PROMPTS[0], status=1)
        self.assertFalse(report["kept"] or report["confirmed"])

    def test_words_that_are_no_promise_are_refused(self):
        for words in (["--at-least", "psnr"], ["--at-least", "colour=3"],
                      ["--at-least", "speedup=0.5"], ["--at-least", "ssim=2"],
                      ["--at-least", "psnr=30", "--budget", "soon"],
                      ["--at-least", "psnr=30", "--no-lists"]):
            ditcache("tune", MODEL, "--prompt", PROMPTS[0], *words, status=64)


if __name__ == "__main__":
    unittest.main()
