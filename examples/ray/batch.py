"""Generate a list of prompts on a pool of Ray actors, each with a cached model in ONNX Runtime.

    python batch.py MODEL ITEMS RESULTS [--workers N]

MODEL is what `ditcache rewrite` wrote, in any form. ITEMS is JSON Lines or CSV; every item has a
name and either a prompt (words of ../models/video_prompt_table.txt) or inputs (an .npz file as of
../onnxruntime/host.py), and may have a seed and a guidance. RESULTS gets NAME.npz and, where
latents have three channels, NAME.png.

An item is done when its result file is whole. A worker that dies loses the item it was at, which
another one begins anew; run the same command again to go on after anything else.
"""

import argparse
import collections
import sys
import time
from pathlib import Path

import ray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "onnxruntime"))
from items import is_whole, read_items, sample_inputs, write_result  # noqa: E402

ATTEMPTS = 3


class Worker:
    """One session of the cached model, and the state of the generation that is under way."""

    def __init__(self, model, threads, latents, timestep):
        from forms import Model, load_with

        begun = time.perf_counter()
        self.model = Model(model, load_with(threads))
        self.names = latents, timestep
        self.at = ("", 0)
        self.load_seconds = time.perf_counter() - begun

    def process(self):
        import os

        return os.getpid(), self.load_seconds

    def progress(self):
        """The item and the number of steps that are done; answered while `generate` runs."""
        return self.at

    def generate(self, item, results):
        from host import denoise

        seconds = []

        def on_step(step, duration, *_):
            seconds.append(duration)
            self.at = (item["name"], step + 1)

        self.at = (item["name"], 0)
        inputs = sample_inputs(item, self.model, self.names[0])
        try:
            record = denoise(self.model, inputs, *self.names, on_step=on_step)
        except SystemExit as refusal:  # it would end the worker
            raise ValueError(str(refusal)) from None
        write_result(Path(results), item["name"], record, seconds)
        return sum(seconds)


class Pool:
    """Workers, the item that each is at, and those that wait."""

    def __init__(self, arguments, items):
        self.arguments, self.waiting = arguments, collections.deque(items)
        self.attempts, self.running, self.failed = collections.Counter(), {}, []
        self.count, self.total, self.done = 0, len(items), 0
        self.Actor = ray.remote(num_cpus=1, max_concurrency=2)(Worker)
        for _ in range(min(arguments.workers, len(items))):
            self.start()

    def start(self):
        """A new worker takes the next item."""
        actor = self.Actor.remote(
            str(self.arguments.model.resolve()), self.arguments.threads, self.arguments.latents,
            self.arguments.timestep)
        self.give((self.count, actor))
        self.count += 1

    def give(self, worker):
        if not self.waiting:
            return
        item = self.waiting.popleft()
        self.attempts[item["name"]] += 1
        call = worker[1].generate.remote(item, str(self.arguments.results.resolve()))
        self.running[call] = (item, worker)

    def run(self):
        announced = set()
        while self.running:
            ready, _ = ray.wait(list(self.running), timeout=self.arguments.progress)
            for call in ready:
                self.finish(call, *self.running.pop(call))
            for item, (number, actor) in self.running.values():
                try:
                    if number not in announced:
                        process, seconds = ray.get(actor.process.remote(), timeout=60)
                        say(f"worker {number} is process {process}, loaded in {seconds:.2f} s")
                        announced.add(number)
                    name, steps = ray.get(actor.progress.remote(), timeout=60)
                    if name == item["name"]:
                        say(f"worker {number}: {name} step {steps}")
                except ray.exceptions.RayError:
                    pass  # `finish` sees it

    def finish(self, call, item, worker):
        name = item["name"]
        try:
            seconds = ray.get(call)
            self.done += 1
            say(f"{name} done in {seconds:.2f} s by worker {worker[0]}, {self.done} of {self.total}")
            self.give(worker)
        except ray.exceptions.RayActorError:
            if self.attempts[name] < ATTEMPTS:
                say(f"worker {worker[0]} died at {name}, which begins anew elsewhere")
                self.waiting.appendleft(item)
            else:
                self.fail(name, f"its worker died {ATTEMPTS} times")
            if self.waiting:
                self.start()
        except ray.exceptions.RayTaskError as error:
            self.fail(name, str(error.cause))
            self.give(worker)

    def fail(self, name, reason):
        self.failed.append(name)
        say(f"{name} failed: {reason}")


def say(line):
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a file or folder written by `ditcache rewrite`")
    parser.add_argument("items", type=Path, help="a .jsonl or .csv file")
    parser.add_argument("results", type=Path, help="the folder of the results")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of each worker; 0 takes all cores")
    parser.add_argument("--address", default="local", help="a Ray cluster that is running: auto")
    parser.add_argument("--progress", type=float, default=1.0, help="seconds between reports")
    parser.add_argument("--latents", default="hidden_states", help="the model's input for latents")
    parser.add_argument("--timestep", default="timestep", help="the model's input for the timestep")
    arguments = parser.parse_args()

    items = read_items(arguments.items)
    arguments.results.mkdir(parents=True, exist_ok=True)
    rest = [item for item in items if not is_whole(arguments.results / f"{item['name']}.npz")]
    say(f"{len(items) - len(rest)} of {len(items)} items are done already")
    options = {"num_cpus": arguments.workers} if arguments.address == "local" else {}
    ray.init(
        arguments.address, include_dashboard=False, log_to_driver=False, logging_level="error",
        runtime_env={"env_vars": {"PYTHONPATH": ":".join(
            str(Path(__file__).resolve().parents[1] / name) for name in ("ray", "onnxruntime"))}},
        **options)
    begun = time.perf_counter()
    pool = Pool(arguments, rest)
    pool.run()
    say(f"{pool.done} items in {time.perf_counter() - begun:.2f} s by {arguments.workers} workers")
    ray.shutdown()
    if pool.failed:
        raise SystemExit(f"failed: {' '.join(pool.failed)}")


if __name__ == "__main__":
    main()
