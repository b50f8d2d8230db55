"""Seconds and memory of planning the cache of a full-size HunyuanVideo, whose weights are absent.

    python3 Tests/Benchmarks/dry_run.py

Runs `ditcache rewrite --dry-run` on Tests/Fixtures/full/hunyuan_13b.onnx.gz: 19,443 nodes, 51 GB
of weights that are named but not there. Fails when it takes over 500 MB. The binary is the one that
the environment variable DITCACHE names, else the release build.
"""

import gzip
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DITCACHE = os.environ.get("DITCACHE", str(ROOT / ".build" / "release" / "ditcache"))
MODEL = ROOT / "Tests" / "Fixtures" / "full" / "hunyuan_13b.onnx.gz"
MEGABYTE_LIMIT = 500


def main():
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / MODEL.stem
        with gzip.open(MODEL) as packed, open(model, "wb") as plain:
            shutil.copyfileobj(packed, plain)
        begun = time.perf_counter()
        done = subprocess.run(
            [DITCACHE, "rewrite", model, "--schedule", "profiling-hunyuan", "--dry-run",
             "-o", Path(folder) / "hunyuan_13b.cached.onnx"])
        seconds = time.perf_counter() - begun
    # The kernel counts kilobytes; this child is the only one.
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    print(f"\n{seconds:.1f} s, {megabytes:.0f} MB at most")
    if done.returncode:
        return done.returncode
    if megabytes > MEGABYTE_LIMIT:
        print(f"error: the limit is {MEGABYTE_LIMIT} MB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
