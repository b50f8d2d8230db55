"""What the fault tests share: a small DiT, commands that write, and faults of the system.

Only the standard library is needed; `strace`, and the right to mount a tmpfs, add tests.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DITCACHE = os.environ.get("DITCACHE", str(ROOT / ".build" / "release" / "ditcache"))
UNPACKED = Path(subprocess.run(
    [sys.executable, ROOT / "Tests" / "Fixtures" / "unpack"], capture_output=True, text=True,
    check=True).stdout.strip())
CORPUS = UNPACKED / "corpus"
INPUT_OUTPUT = 6
SCHEDULE = "schedule s for any { steps 12 cache stack { keep delta refresh every 3 } }\n"

_scratch = tempfile.TemporaryDirectory(prefix="ditcache-faults-")


def has_strace():
    """True when strace can trace here: containers may forbid it."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True)
    return done.returncode == 0


HAS_STRACE = has_strace()


def scratch_folder():
    return Path(tempfile.mkdtemp(dir=_scratch.name))


def run(*words, **options):
    return subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=120, **options)


class Work:
    """A command that writes, in a folder of its own.

    `files` are the paths that it may write, `arguments` its words. Every file that it reads is in
    the folder `inputs`; it writes into `outputs`.
    """

    def __init__(self, name, outputs=None):
        self.name = name
        self.inputs = scratch_folder()
        self.outputs = outputs or scratch_folder()
        model = "wan_ext" if name == "copy" else "wan"
        for file in CORPUS.glob(f"{model}.onnx*"):
            shutil.copyfile(file, self.inputs / file.name)
        self.model = self.inputs / f"{model}.onnx"
        (self.inputs / "s.dcs").write_text(SCHEDULE)
        self.output = self.outputs / "out.onnx"
        self.arguments = getattr(self, name)()

    def rewrite(self):
        return ["rewrite", self.model, "--schedule", self.inputs / "s.dcs", "-o", self.output]

    def copy(self):
        return [*self.rewrite(), "--copy-weights"]

    def unwrap(self):
        cached = self.inputs / "cached.onnx"
        done = run(DITCACHE, *self.rewrite()[:-1], cached)
        assert done.returncode == 0, done.stderr
        return ["unwrap", cached, "-o", self.output]

    def run(self):
        self.output = self.outputs / "out.npz"
        feeds = self.inputs / "feeds.npz"
        feeds.write_bytes(feeds_of(CORPUS / "wan.npz"))
        return ["run", self.model, "--input", feeds, "--output", self.output, "--threads", "1"]

    def sample(self):
        self.output = self.outputs / "final.npz"
        return ["sample", self.model, "--inputs", CORPUS / "wan_traj.npz", "-o", self.outputs,
                "--record", self.outputs / "record.npz", "--threads", "1"]

    def format(self):
        self.output = self.outputs / "s.dcs"
        return ["schedule", "format", "--in-place", self.output]

    def reset(self):
        """Empties the folder of the outputs but for the old ones."""
        for file in self.outputs.iterdir():
            file.unlink()
        if self.name == "format":
            self.output.write_text(SCHEDULE)
        else:
            self.output.write_bytes(b"old")

    def contents(self):
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()
                for file in self.outputs.iterdir()}


def feeds_of(golden):
    """The bytes of an archive of a golden file's inputs, by their bare names."""
    import io
    import zipfile
    result = io.BytesIO()
    with zipfile.ZipFile(golden) as source, zipfile.ZipFile(result, "w") as target:
        for name in source.namelist():
            if name.startswith("in/"):
                target.writestr(name.removeprefix("in/"), source.read(name))
    return result.getvalue()


class FaultCase(unittest.TestCase):
    def assertWhole(self, work, new, done, old=None, leftovers=False):
        """Old files are as they were or as a good run leaves them; nothing else is there."""
        found = work.contents()
        if leftovers:
            found = {name: digest for name, digest in found.items()
                     if not re.fullmatch(r"\.ditcache-[0-9a-f]+", name)}
        for name, digest in found.items():
            self.assertIn(
                digest, {(old or {}).get(name), new.get(name)},
                f"{name} is neither old nor new\n{done}")
        for name in old or {}:
            self.assertIn(name, found, f"{name} is gone\n{done}")
