"""The batch on Ray: what workers generate, when one is killed, and when everything is.

Ray is large: its environment is made when `Tests/run --full` asks for it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import numpy as np

from support import ROOT, arrays, ditcache, scratch_folder

EXAMPLES = ROOT / "examples"
sys.path.insert(0, str(EXAMPLES / "onnxruntime"))
sys.path.insert(0, str(EXAMPLES / "ray"))
from host import Model, denoise, load_with  # noqa: E402
from items import is_whole, png, read_items, replace, sample_inputs, write_result  # noqa: E402
from scaling import simulate  # noqa: E402

PROMPTS = [
    "background:checker background:red first:circle first:yellow first:left",
    "background:diagonal background:blue first:square first:orange first:up"]
IS_FULL = os.environ.get("DITCACHE_TESTS") in ("full", "long")


def setUpModule():
    global PYTHON, MODEL
    MODEL = scratch_folder() / "model.onnx"
    ditcache("rewrite", EXAMPLES / "models" / "wan_video.onnx", "--schedule",
             EXAMPLES / "schedules" / "quickstart.dcs", "--target", "onnxruntime", "-o", MODEL)
    if IS_FULL:
        PYTHON = subprocess.run(
            [EXAMPLES / "install", "python", EXAMPLES / "ray" / "requirements.txt"],
            stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def items(count):
    """A file of items of 50 steps, each with a noise of its own."""
    path = scratch_folder() / "items.jsonl"
    path.write_text("".join(
        json.dumps({"name": f"item-{number}", "prompt": PROMPTS[number % 2], "seed": number}) + "\n"
        for number in range(count)))
    return path


def has_ended(process):
    """Whether a process is gone, or waits for its parent to notice."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Batch:
    """batch.py in a process group of its own, read line by line."""

    def __init__(self, listed, results, workers=2):
        self.process = subprocess.Popen(
            [PYTHON, EXAMPLES / "ray" / "batch.py", MODEL, listed, results, "--workers",
             str(workers), "--progress", "0.1"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.lines = []

    def until(self, pattern):
        """Reads on to a line that matches; returns the match."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"no line matches {pattern}:\n" + "\n".join(self.lines))

    def finish(self):
        """Reads to the end; returns the exit status."""
        with self.process.stdout as output:
            self.lines += output.read().splitlines()
        return self.process.wait(timeout=60)

    def kill(self):
        """Ends the driver and its workers, as when the power goes."""
        workers = [int(word) for word in re.findall(r"is process (\d+)", "\n".join(self.lines))]
        for process in (self.process.pid, *workers):
            os.kill(process, signal.SIGKILL)
        self.process.stdout.close()
        self.process.wait()
        while not all(map(has_ended, workers)):
            time.sleep(0.05)


@unittest.skipUnless(IS_FULL, "Ray belongs to Tests/run --full")
class BatchTests(unittest.TestCase):
    def test_a_killed_worker_loses_its_running_item_only(self):
        listed, results = items(5), scratch_folder() / "results"
        batch = Batch(listed, results)
        processes = {}
        for _ in range(2):
            number, process = batch.until(r"worker (\d) is process (\d+)").groups()
            processes[number] = int(process)
        number, name = batch.until(r"worker (\d): (\S+) step (?:[12]\d)$").groups()
        before = {path.name: path.stat().st_mtime_ns for path in results.glob("*.npz")}
        self.assertNotIn(f"{name}.npz", before)
        os.kill(processes[number], signal.SIGKILL)
        self.assertEqual(batch.finish(), 0, "\n".join(batch.lines))
        text = "\n".join(batch.lines)
        self.assertIn(f"worker {number} died at {name}", text)
        self.assertEqual(text.count("died at"), 1)
        self.assertEqual(len(re.findall(r" done in ", text)), 5)
        again = re.search(rf"{name} done in .* by worker (\d)", text)
        self.assertNotEqual(again.group(1), number)
        self.assertTrue(all(is_whole(results / f"item-{n}.npz") for n in range(5)))
        self.assertEqual([path for path in results.iterdir() if path.name.startswith(".")], [])
        for file, modified in before.items():
            self.assertEqual((results / file).stat().st_mtime_ns, modified)
        self.assert_as_alone(listed, results, name)

    def test_a_killed_batch_goes_on_where_it_stopped(self):
        listed, results = items(4), scratch_folder() / "results"
        batch = Batch(listed, results)
        batch.until(r"item-\d done in")
        batch.kill()
        kept = {path: path.stat().st_mtime_ns for path in results.glob("item-*.npz")}
        self.assertTrue(1 <= len(kept) < 4)
        broken = results / "item-3.npz"
        self.assertNotIn(broken, kept)
        broken.write_bytes(next(iter(kept)).read_bytes()[:-100])
        again = Batch(listed, results)
        self.assertEqual(again.finish(), 0, "\n".join(again.lines))
        self.assertIn(f"{len(kept)} of 4 items are done already", again.lines)
        self.assertIn(f"{4 - len(kept)} items in ", "\n".join(again.lines))
        for path, modified in kept.items():
            self.assertEqual(path.stat().st_mtime_ns, modified)
        self.assert_as_alone(listed, results, "item-3")
        self.assertEqual(Batch(listed, results).finish(), 0)

    def test_an_item_that_fails_does_not_stop_the_others(self):
        listed, results = items(1), scratch_folder() / "results"
        with open(listed, "a") as file:
            file.write('{"name": "odd", "prompt": "a cat"}\n')
            file.write('{"name": "short", "inputs": "short.npz"}\n')
        np.savez(listed.parent / "short.npz", sigmas=np.float32([1, 0]),
                 **{"text/encoder_hidden_states": np.zeros((1, 8, 64), np.float32)})
        batch = Batch(listed, results)
        self.assertEqual(batch.finish(), 1)
        text = "\n".join(batch.lines)
        self.assertIn("short failed: the model was cached for 50 steps, not 1", text)
        self.assertNotIn("died", text)
        self.assertEqual(set(batch.lines[-1].split()[1:]), {"odd", "short"})
        self.assertTrue(is_whole(results / "item-0.npz"))

    def assert_as_alone(self, listed, results, name):
        """A result is that of the host by itself, so no state came from anywhere else."""
        item = next(item for item in read_items(listed) if item["name"] == name)
        model = Model(MODEL, load_with(1))
        record = denoise(model, sample_inputs(item, model, "hidden_states"), "hidden_states",
                         "timestep", on_step=lambda *_: None)
        result = arrays(results / f"{name}.npz")
        np.testing.assert_array_equal(result["computed"], record["computed"])
        np.testing.assert_allclose(result["final"], record["final"], rtol=0, atol=1e-5)


class ItemTests(unittest.TestCase):
    def read(self, text, name="items.jsonl"):
        path = scratch_folder() / name
        path.write_text(text)
        return read_items(path)

    def test_csv_and_json_lines_say_the_same(self):
        lines = self.read('{"name": "a", "prompt": "x y", "seed": "3"}\n\n'
                          '{"name": "b", "inputs": "b.npz"}\n')
        table = self.read("name,prompt,seed,inputs\na,x y,3,\nb,,,b.npz\n", "items.csv")
        for item in (lines[1], table[1]):
            self.assertTrue(Path(item["inputs"]).is_absolute())
            item["inputs"] = Path(item["inputs"]).name
        self.assertEqual(lines, table)

    def test_names_are_names_of_files(self):
        for name in ("../a", "", ".hidden", "a/b", "a b"):
            with self.subTest(name), self.assertRaises(SystemExit):
                self.read(json.dumps({"name": name, "prompt": "x"}))
        with self.assertRaises(SystemExit):
            self.read('{"name": "a", "prompt": "x"}\n' * 2)
        with self.assertRaises(SystemExit):
            self.read('{"name": "a"}\n')

    def test_noise_has_the_shape_of_the_model_in_every_form(self):
        noises = []
        for form in ("if", "static", "split"):
            path = scratch_folder() / "model"
            ditcache("rewrite", EXAMPLES / "models" / "wan_video.onnx", "--schedule",
                     EXAMPLES / "schedules" / "quickstart.dcs", "--form", form, "-o", path)
            item = {"name": "a", "prompt": PROMPTS[0], "seed": "7", "guidance": "3"}
            inputs = sample_inputs(item, Model(path, load_with(1)), "hidden_states")
            self.assertEqual(inputs["guidance_scale"], 3)
            self.assertEqual(len(inputs["sigmas"]), 51)
            noises.append(inputs["initial_noise"])
        self.assertEqual(noises[0].shape, (1, 3, 8, 32, 32))
        for noise in noises[1:]:
            np.testing.assert_array_equal(noise, noises[0])

    def test_a_result_is_whole_or_not_there(self):
        folder = scratch_folder()
        record = {"final": np.zeros((1, 3, 2, 4, 4), np.float32), "computed": np.ones((2, 1, 1))}
        write_result(folder, "a", record, [1.0, 2.0])
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["a.npz", "a.png"])
        self.assertTrue(is_whole(folder / "a.npz"))
        whole = (folder / "a.npz").read_bytes()
        for length in range(0, len(whole), 37):
            (folder / "a.npz").write_bytes(whole[:length])
            self.assertFalse(is_whole(folder / "a.npz"))
        self.assertFalse(is_whole(folder / "b.npz"))

    def test_a_write_that_fails_leaves_what_was_there(self):
        folder = scratch_folder()
        (folder / "a").write_bytes(b"before")

        def write(file):
            file.write(b"half of")
            raise OSError("the disk is full")

        with self.assertRaises(OSError):
            replace(folder / "a", write)
        self.assertEqual([path.name for path in folder.iterdir()], ["a"])
        self.assertEqual((folder / "a").read_bytes(), b"before")

    def test_frames_stand_side_by_side_in_a_picture(self):
        picture = png(np.ones((3, 2, 4, 5)))
        self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(int.from_bytes(picture[16:20], "big"), 10)
        self.assertEqual(int.from_bytes(picture[20:24], "big"), 4)


class ScalingTests(unittest.TestCase):
    FACTS = {"input_bytes": 10, "result_bytes": 30, "model_bytes": 100, "load_seconds": 1, "link": 10}

    def test_one_worker_waits_for_everything(self):
        self.assertAlmostEqual(simulate([5, 7], 1, **self.FACTS), 10 + 1 + 1 + 5 + 3 + 1 + 7 + 3)

    def test_two_workers_share_the_link(self):
        # Models arrive at 10 and 20, the first input behind the second model at 21, the second one
        # at 22; generations end at 26 and 27, and the second result waits for the first.
        self.assertAlmostEqual(simulate([5, 5], 2, **self.FACTS), 26 + 3 + 3)

    def test_a_free_link_scales_with_the_workers(self):
        facts = {**self.FACTS, "link": 1e12, "load_seconds": 0}
        self.assertAlmostEqual(simulate([3] * 64, 16, **facts), 12, places=6)


if __name__ == "__main__":
    unittest.main()
