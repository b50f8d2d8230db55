"""The n-th allocation of protobuf and the shim fails: an error with its status, never an abort."""

import os
import shutil
import unittest

from support import DITCACHE, FaultCase, Work, run, scratch_folder

OVER_LIMIT = 5

# Replaces the allocation of C++ where protobuf, ONNX's messages or the shim ask for it.
SOURCE = r"""
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>

namespace {
struct Fault {
  long at = -1;
  long count = 0;
  const char *log = nullptr;
  Fault() {
    if (const char *text = getenv("DITCACHE_FAIL_AT")) at = atol(text);
    log = getenv("DITCACHE_COUNT");
  }
  ~Fault() {
    if (log == nullptr) return;
    if (FILE *file = fopen(log, "w")) {
      fprintf(file, "%ld", count);
      fclose(file);
    }
  }
};
Fault &fault() {
  static Fault fault;
  return fault;
}
bool isOurs(void *caller) {
  Dl_info info;
  if (dladdr(caller, &info) == 0 || info.dli_fname == nullptr) return false;
  for (const char *name : {"libprotobuf", "libonnx", "ditcache"}) {
    if (strstr(info.dli_fname, name) != nullptr) return true;
  }
  return false;
}
}  // namespace

void *operator new(std::size_t size) {
  if (isOurs(__builtin_return_address(0)) && fault().count++ == fault().at) {
    throw std::bad_alloc();
  }
  if (void *memory = malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { free(memory); }
void operator delete(void *memory, std::size_t) noexcept { free(memory); }
"""


@unittest.skipIf(shutil.which("g++") is None, "g++ is missing")
class AllocationTests(FaultCase):
    @classmethod
    def setUpClass(cls):
        folder = scratch_folder()
        (folder / "fail.cpp").write_text(SOURCE)
        cls.library = folder / "fail.so"
        done = run("g++", "-O1", "-shared", "-fPIC", "-o", cls.library, folder / "fail.cpp",
                   "-ldl")
        assert done.returncode == 0, done.stderr

    def with_fault(self, *arguments, **variables):
        environment = {**os.environ, "LD_PRELOAD": str(self.library), **variables}
        return run(DITCACHE, *arguments, env=environment)

    def count(self, *arguments):
        log = scratch_folder() / "count"
        self.with_fault(*arguments, DITCACHE_COUNT=str(log))
        return int(log.read_text())

    def check(self, name):
        work = Work(name)
        work.reset()
        old = work.contents()
        start = self.count("--version")
        end = self.count(*work.arguments)
        new = work.contents()
        self.assertGreater(end, start)
        points = 400 if os.environ.get("DITCACHE_TESTS", "standard") != "standard" else 16
        for n in sorted({start + 1 + (end - start) * i // points for i in range(points)}):
            work.reset()
            done = self.with_fault(*work.arguments, DITCACHE_FAIL_AT=str(n))
            self.assertIn(done.returncode, {0, OVER_LIMIT}, f"allocation {n}: {done}")
            self.assertWhole(work, new, f"allocation {n}: {done}", old)

    def test_i12_rewriting_without_memory(self):
        self.check("rewrite")

    def test_i12_restoring_without_memory(self):
        self.check("unwrap")


if __name__ == "__main__":
    unittest.main()
