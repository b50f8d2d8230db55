import Foundation
import TestSupport
import Testing

/// The kernels in C, compiled for ARM by the toolchain's Clang.
@Suite struct ArmKernelsTests {
  static let compiler = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").map { "\($0)/clang" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Declarations of all that the kernels use of the C library, which need not be here for ARM.
  private static let headers = [
    "string.h": """
    #include <stddef.h>
    void *memcpy(void *, const void *, size_t);
    void *memmove(void *, const void *, size_t);
    void *memset(void *, int, size_t);
    int strcmp(const char *, const char *);
    """,
    "stdlib.h": "char *getenv(const char *);",
    "math.h": """
    #define INFINITY __builtin_inff()
    #define NAN __builtin_nanf("")
    #define isfinite __builtin_isfinite
    double fabs(double);
    float fabsf(float);
    float sqrtf(float);
    float powf(float, float);
    float copysignf(float, float);
    """,
  ]

  @Test(.enabled(if: ArmKernelsTests.compiler != nil, "no clang in PATH"))
  func theyCompileWithoutWarningsAndMultiplyWithNEON() throws {
    let folder = try TemporaryFolder()
    for (name, text) in Self.headers { _ = try folder.write([UInt8]("\(text)\n".utf8), to: name) }
    let package = Fixtures.package
    let sources = package.appending(path: "Sources/CVectorKernels")
    let names = try FileManager.default.contentsOfDirectory(atPath: sources.path()).filter {
      $0.hasSuffix(".c")
    }
    #expect(names.count > 5)
    for name in names {
      let output = folder.path("\(name).s")
      let messages = try clang(
        [
          "--target=aarch64-linux-gnu", "-nostdlibinc", "-isystem", folder.path,
          "-I\(sources.path())/include", "-O3", "-fno-math-errno", "-ffp-contract=off", "-Wall",
          "-Wextra", "-Werror", "-S", "-o", output, "\(sources.path())/\(name)",
        ])
      #expect(messages.isEmpty, "\(name): \(messages)")
    }
    let text = try String(contentsOfFile: folder.path("Products.c.s"), encoding: .utf8)
    // A tile of 12 rows by two registers.
    #expect(text.components(separatedBy: "fmla\tv").count > 24)
  }

  /// What Clang says.
  private func clang(_ arguments: [String]) throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: try #require(Self.compiler))
    process.arguments = arguments
    process.standardError = pipe
    try process.run()
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? said : "status \(process.terminationStatus)\n\(said)"
  }
}
