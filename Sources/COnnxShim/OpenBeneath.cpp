#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "COnnxShim.h"

namespace {

constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

/// For kernels before 5.6: opens folder after folder and accepts no link at all.
int walk(int folder, const char *path) {
  int current = dup(folder);
  while (current >= 0) {
    while (*path == '/') ++path;
    const size_t length = strcspn(path, "/");
    char component[256];
    if (length == 0 || length >= sizeof component) {
      close(current);
      errno = length == 0 ? EISDIR : ENAMETOOLONG;
      return -1;
    }
    memcpy(component, path, length);
    component[length] = 0;
    if (strcmp(component, "..") == 0) {
      close(current);
      errno = EXDEV;
      return -1;
    }
    path += length;
    const bool isLast = *path == 0;
    const int next =
        openat(current, component, kFlags | O_NOFOLLOW | (isLast ? 0 : O_DIRECTORY));
    const int reason = errno;
    close(current);
    if (isLast || next < 0) {
      errno = reason;
      return next;
    }
    current = next;
  }
  return -1;
}

}  // namespace

int onnx_open_beneath(int folder, const char *path, bool followsLinks) noexcept {
  if (path[0] == '/') {
    errno = EXDEV;
    return -1;
  }
  open_how how = {};
  how.flags = static_cast<unsigned>(kFlags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (followsLinks ? 0 : RESOLVE_NO_SYMLINKS);
  const long descriptor = syscall(SYS_openat2, folder, path, &how, sizeof how);
  if (descriptor < 0 && (errno == ENOSYS || errno == EPERM)) return walk(folder, path);
  return static_cast<int>(descriptor);
}
