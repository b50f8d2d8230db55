"""What more workers would bring: a batch simulated from measured steps and transfer sizes.

    python scaling.py RESULTS [--items 256] [--workers 1,2,4,8,16,32,64]

RESULTS is a folder that batch.py filled. Each simulated item takes the steps of one of its results;
its inputs come from one machine and its result goes back there, over one link that all workers
share, an item at a time. Workers load the model once, from that link too. All workers are taken to
be as fast as the measured ones were.
"""

import argparse
import heapq
from pathlib import Path

import numpy as np


def simulate(durations, workers, *, input_bytes, result_bytes, model_bytes, load_seconds, link):
    """Seconds from the start until the last result is back; first come, first served."""
    shared = 0.0

    def transfer(now, size):
        """When a transfer ends that could begin now, on a link that does one after the other."""
        nonlocal shared
        shared = max(now, shared) + size / link
        return shared

    # What happens next, ordered by time: a worker asks for an item, or hands back its result.
    events = [(0.0, number, "load") for number in range(workers)]
    waiting, end = list(reversed(durations)), 0.0
    while events:
        now, number, event = heapq.heappop(events)
        if event == "load":
            ready = transfer(now, model_bytes) + load_seconds
            heapq.heappush(events, (ready, number, "ask"))
        elif event == "ask" and waiting:
            ready = transfer(now, input_bytes) + waiting.pop()
            heapq.heappush(events, (ready, number, "return"))
        elif event == "return":
            end = transfer(now, result_bytes)
            heapq.heappush(events, (end, number, "ask"))
    return end


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--items", type=int, default=256)
    parser.add_argument("--workers", default="1,2,4,8,16,32,64")
    parser.add_argument("--model-bytes", type=float, default=6e6)
    parser.add_argument("--input-bytes", type=float, default=75e3, help="of one item")
    parser.add_argument("--load-seconds", type=float, default=1.0)
    parser.add_argument("--gigabits", type=float, default=1.0, help="of the link, a second")
    arguments = parser.parse_args()

    files = sorted(arguments.results.glob("*.npz"))
    if not files:
        raise SystemExit(f"{arguments.results} holds no results")
    measured = [float(np.load(file)["seconds"].sum()) for file in files]
    durations = [measured[number % len(measured)] for number in range(arguments.items)]
    facts = {
        "input_bytes": arguments.input_bytes, "model_bytes": arguments.model_bytes,
        "result_bytes": np.mean([file.stat().st_size for file in files]),
        "load_seconds": arguments.load_seconds, "link": arguments.gigabits * 1e9 / 8}
    print(f"{len(files)} items measured, {np.mean(measured):.2f} s each on average")
    print(f"{'workers':>7} {'seconds':>9} {'speed-up':>9} {'efficiency':>11}")
    alone = simulate(durations, 1, **facts)
    for workers in map(int, arguments.workers.split(",")):
        seconds = simulate(durations, workers, **facts)
        speedup = alone / seconds
        print(f"{workers:7} {seconds:9.1f} {speedup:9.2f} {speedup / workers:11.1%}")


if __name__ == "__main__":
    main()
