"""Faults of the system while ditcache writes: the n-th call fails, the disk is full, the process dies.

Whatever happens, an old file is whole, a new one is whole, and nothing else is left behind.
"""

import os
import random
import resource
import signal
import subprocess
import time
import unittest

from support import DITCACHE, HAS_STRACE, INPUT_OUTPUT, FaultCase, Work, run, scratch_folder

WORKS = ["rewrite", "copy", "unwrap", "run", "sample", "format"]

# What a system call may answer when it fails.
FAULTS = [
    ("write", "ENOSPC"), ("write", "EIO"), ("write", "EDQUOT"), ("fsync", "EIO"),
    ("fsync", "ENOSPC"), ("renameat,renameat2,rename", "EXDEV"),
    ("renameat,renameat2,rename", "EACCES"), ("linkat", "EPERM"), ("linkat", "ENOSPC"),
    ("openat", "EMFILE"), ("openat", "EACCES"), ("openat,openat2", "EIO"), ("pread64", "EIO"),
    ("fchmod", "EPERM"),
]

# `full` and `long` runs look at every n; else some are enough.
IS_FULL = os.environ.get("DITCACHE_TESTS", "standard") != "standard"


def positions():
    """The n of the n-th calls that fail: all small ones, then fewer and fewer."""
    n = 1
    while True:
        yield n
        n += 1 if n < (20 if IS_FULL else 4) else max(1, n // (6 if IS_FULL else 2))


def traced(work, calls, fault, when):
    """Runs a command whose n-th call of a kind on a file of its outputs fails."""
    return run(
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}",
        "-e", f"inject={calls}:{fault}:when={when}", DITCACHE, *work.arguments)


@unittest.skipUnless(HAS_STRACE, "strace is missing or may not trace here")
class InjectedFaultTests(FaultCase):
    def check(self, work, calls, fault):
        work.reset()
        old = work.contents()
        done = run(DITCACHE, *work.arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        new = work.contents()
        failures = 0
        for n in positions():
            work.reset()
            done = traced(work, calls, f"error={fault}", f"{n}")
            found = work.contents()
            self.assertNotIn(".ditcache-", " ".join(found), f"{fault} at {calls} {n}: a temporary")
            self.assertWhole(work, new, f"{fault} at {calls} {n}: {done}", old)
            if done.returncode == 0:
                # A call that is allowed to fail, or there are fewer than n.
                self.assertEqual(found, new, f"{fault} at {calls} {n}")
                if n > self.count(work, calls):
                    break
                continue
            failures += 1
            self.assertGreater(done.returncode, 0, f"{fault} at {calls} {n}: {done}")
            if b"error while loading" not in done.stderr.encode() and done.returncode != 127:
                self.assertIn(done.returncode, {2, 6, 64}, f"{fault} at {calls} {n}: {done}")
        return failures

    def count(self, work, calls):
        """How many calls of a kind a good run makes."""
        key = (work.name, calls)
        if key not in self.counts:
            log = scratch_folder() / "calls"
            work.reset()
            run("strace", "-f", "-qq", "-o", log, "-e", f"trace={calls}", DITCACHE, *work.arguments)
            self.counts[key] = len(log.read_text().splitlines())
        return self.counts[key]

    counts = {}


def add_tests():
    for name in WORKS:
        for calls, fault in FAULTS:
            def test(self, name=name, calls=calls, fault=fault):
                self.check(Work(name), calls, fault)
            word = calls.split(",")[0]
            setattr(InjectedFaultTests, f"test_i3_{name}_when_{word}_gives_{fault}", test)


add_tests()


@unittest.skipUnless(HAS_STRACE, "strace is missing or may not trace here")
class InterruptionTests(FaultCase):
    def test_i3_interrupted_calls_are_made_again(self):
        for name in WORKS:
            work = Work(name)
            work.reset()
            self.assertEqual(run(DITCACHE, *work.arguments).returncode, 0)
            new = work.contents()
            # The loader's own first reads are not repeated.
            for calls, first in (("write", "1+7"), ("pread64", "6+3")):
                work.reset()
                done = traced(work, calls, "error=EINTR", first)
                self.assertEqual(done.returncode, 0, f"{name}, {calls}: {done}")
                self.assertEqual(work.contents(), new)

    def test_i3_a_failed_sync_is_not_tried_again(self):
        work = Work("rewrite")
        work.reset()
        log = scratch_folder() / "calls"
        done = run(
            "strace", "-f", "-qq", "-o", log, "-e", "trace=fsync",
            "-e", "inject=fsync:error=EIO:when=1", DITCACHE, *work.arguments)
        self.assertEqual(done.returncode, INPUT_OUTPUT, done.stderr)
        self.assertEqual(len(log.read_text().splitlines()), 1)

    def test_i3_a_folder_that_cannot_be_synced_keeps_the_new_file(self):
        work = Work("copy")
        work.reset()
        self.assertEqual(run(DITCACHE, *work.arguments).returncode, 0)
        new = work.contents()
        work.reset()
        last = InjectedFaultTests.count(InjectedFaultTests(), work, "fsync")
        work.reset()
        done = traced(work, "fsync", "error=EIO", f"{last}")
        self.assertEqual(done.returncode, INPUT_OUTPUT, done.stderr)
        self.assertEqual(work.contents(), new, "a model in place keeps its weights")


class FullDiskTests(FaultCase):
    def setUp(self):
        self.disk = scratch_folder()
        done = run("mount", "-t", "tmpfs", "-o", "size=64k", "ditcache-test", self.disk)
        if done.returncode != 0:
            self.skipTest(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
        self.addCleanup(run, "umount", self.disk)

    def test_i2_a_full_disk_keeps_the_old_file(self):
        for name in ["copy", "unwrap", "sample"]:
            work = Work(name, outputs=self.disk)
            if name == "copy":
                work.output = self.disk / "out.onnx"
            work.reset()
            old = work.contents()
            done = run(DITCACHE, *work.arguments)
            self.assertEqual(done.returncode, INPUT_OUTPUT, f"{name}: {done}")
            self.assertIn("No space left", done.stderr)
            self.assertWhole(work, {}, done, old)
            self.assertEqual(set(work.contents()) - set(old), set(), name)


class LimitTests(FaultCase):
    def test_i2_a_file_size_limit_keeps_the_old_file(self):
        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        for name in ["rewrite", "copy", "unwrap", "run", "sample"]:
            work = Work(name)
            work.reset()
            old = work.contents()
            done = run(DITCACHE, *work.arguments, preexec_fn=limited)
            self.assertEqual(done.returncode, INPUT_OUTPUT, f"{name}: {done}")
            self.assertEqual(work.contents(), old)

    def test_i2_the_signal_of_a_file_size_limit_ends_no_process(self):
        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        work = Work("rewrite")
        work.reset()
        old = work.contents()
        done = run(DITCACHE, *work.arguments, preexec_fn=limited)
        self.assertEqual(done.returncode, INPUT_OUTPUT, done)
        self.assertEqual(work.contents(), old)

    @unittest.skipIf(os.geteuid() == 0 and not os.path.exists("/usr/bin/setpriv"),
                     "root may write everywhere and setpriv is missing")
    def test_i2_a_folder_that_is_read_only_keeps_the_old_file(self):
        work = Work("rewrite")
        work.reset()
        old = work.contents()
        for folder in [work.inputs, work.outputs]:
            os.chmod(folder, 0o555)
        for folder in [work.inputs, *work.inputs.parents]:
            if folder.stat().st_uid == os.geteuid() and str(folder).startswith("/tmp/ditcache"):
                os.chmod(folder, folder.stat().st_mode | 0o055)
        drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        words = (drop if os.geteuid() == 0 else []) + [DITCACHE]
        done = run(*words, *work.arguments)
        if done.returncode == 127 or "cannot execute" in done.stderr:
            self.skipTest("another user cannot run the binary here")
        self.assertEqual(done.returncode, INPUT_OUTPUT, done)
        self.assertEqual(work.contents(), old)

    def test_i12_one_descriptor_less_each_time(self):
        for name in ["rewrite", "run"]:
            work = Work(name)
            for count in range(3, 16):
                work.reset()
                old = work.contents()
                done = run(DITCACHE, *work.arguments, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_NOFILE, (count, count)))
                if done.returncode == 0:
                    break
                self.assertEqual(work.contents(), old, f"{count} descriptors: {done}")
                self.assertIn(done.returncode, {6, 127}, f"{count} descriptors: {done}")
            self.assertEqual(done.returncode, 0)


class KillTests(FaultCase):
    def kill(self, signals, repeats):
        rng = random.Random(int(os.environ.get("DITCACHE_SEED", "1")))
        for name in ["rewrite", "copy", "unwrap", "run"]:
            work = Work(name)
            work.reset()
            old = work.contents()
            start = time.monotonic()
            self.assertEqual(run(DITCACHE, *work.arguments).returncode, 0)
            length = time.monotonic() - start
            new = work.contents()
            for _ in range(repeats):
                work.reset()
                process = subprocess.Popen(
                    [DITCACHE, *map(str, work.arguments)], stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
                time.sleep(rng.uniform(0, length * 1.1))
                process.send_signal(rng.choice(signals))
                process.wait()
                # Between getting a name and getting its own, a new file has a temporary one.
                self.assertWhole(work, new, f"{name} killed", old, leftovers=True)

    def test_i4_h6_a_killed_process_leaves_the_old_file_or_the_new_one(self):
        self.kill([signal.SIGKILL, signal.SIGTERM, signal.SIGINT], 60 if IS_FULL else 12)


if __name__ == "__main__":
    unittest.main()
