import Foundation

/// A run of the `ditcache` command that has ended.
package struct Command: CustomStringConvertible, Sendable {
  /// The arguments.
  package let arguments: [String]
  /// The exit status; 128 plus the number of the signal that ended the process; 124 for a process
  /// that had to be stopped.
  package let status: Int32
  /// What it wrote to standard output.
  package let output: String
  /// What it wrote to standard error.
  package let errors: String
  /// The largest resident size, 0 unless it was asked for.
  package let peakByteCount: Int

  /// The command and how it ended.
  package var description: String {
    "ditcache \(arguments.joined(separator: " ")): status \(status)\n\(output.prefix(2000))"
      + "\(errors.prefix(2000))"
  }

  /// The binary: what the variable DITCACHE names, else the release build.
  package static let path =
    ProcessInfo.processInfo.environment["DITCACHE"]
    ?? Fixtures.package.appending(path: ".build/release/ditcache").path(percentEncoded: false)

  /// Runs `ditcache` to its end, for at most a minute.
  ///
  /// `prelude` is shell code that comes before it, such as `ulimit -n 8`; `redirections` are shell
  /// redirections, which stand behind those of this function.
  package init(
    _ arguments: [String], in folder: TemporaryFolder, prelude: String = "true",
    redirections: String = "", measuresMemory: Bool = false
  ) throws {
    let id = UUID().uuidString
    let scratch = try TemporaryFolder()
    let (outputPath, errorPath) = (scratch.path("output-\(id)"), scratch.path("errors-\(id)"))
    let script = """
      cd '\(folder.path)' && \(prelude) && exec timeout -s KILL 60 "$0" "$@" \
      >'\(outputPath)' 2>'\(errorPath)' \(redirections)
      """
    // A process inherits the peak of whoever started it, so a small one stands in between.
    let measured = """
      import resource, subprocess, sys
      status = subprocess.call(sys.argv[2:])
      peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
      open(sys.argv[1], "w").write(str(peak))
      sys.exit(status if status >= 0 else 128 - status)
      """
    let measuring = ["python3", "-c", measured, scratch.path("peak-\(id)")]
    let words =
      ["/bin/sh", "-c", script] + (measuresMemory ? ["/usr/bin/env"] + measuring : [])
      + [Self.path] + arguments
    var copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Other tests have files open at the same time.
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for descriptor in open.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    var child: pid_t = 0
    let failure = posix_spawn(&child, "/bin/sh", &actions, nil, &copies, environ)
    guard failure == 0 else { throw CocoaError(.executableLoad) }
    var state: Int32 = 0
    while waitpid(child, &state, 0) < 0, errno == EINTR {}
    let signal = state & 0x7F
    self.arguments = arguments
    status = signal == 0 ? state >> 8 & 0xFF : 128 + signal
    output = (try? String(decoding: scratch.bytes("output-\(id)"), as: UTF8.self)) ?? ""
    errors = (try? String(decoding: scratch.bytes("errors-\(id)"), as: UTF8.self)) ?? ""
    let peak = (try? String(decoding: scratch.bytes("peak-\(id)"), as: UTF8.self)) ?? ""
    peakByteCount = peak.split(separator: "\n").last.flatMap { Int($0) }.map { $0 << 10 } ?? 0
  }
}
