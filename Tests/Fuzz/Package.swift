// swift-tools-version: 6.2
import PackageDescription

// The modules that read files from outside, built again with coverage and AddressSanitizer. They
// are links to the sources: the build of the main package knows nothing of fuzzing.
let instrumented: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags([
    "-enable-testing", "-sanitize=fuzzer,address", "-parse-as-library", "-assert-config", "Debug",
  ]),
]

func module(_ name: String, _ imports: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: imports, swiftSettings: instrumented)
}

func fuzzer(_ name: String, _ imports: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: imports + ["FuzzInput"], swiftSettings: instrumented,
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
}

let package = Package(
  name: "fuzz",
  targets: [
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
    .target(
      name: "COnnxShim",
      cxxSettings: [
        .unsafeFlags(["-std=c++17", "-O1", "-g", "-fsanitize=address,fuzzer-no-link"])
      ],
      linkerSettings: [.linkedLibrary("onnx_proto"), .linkedLibrary("protobuf")]),
    module("Tensors"),
    module("TensorFiles", ["Tensors", "CZlib"]),
    module("GraphIR", ["Tensors"]),
    module("OnnxFile", ["GraphIR", "Tensors", "COnnxShim", "CCrypto"]),
    module("ScheduleLanguage"),
    module("CachePolicies", ["ScheduleLanguage"]),
    module("FuzzInput"),
    fuzzer("FuzzModels", ["OnnxFile", "GraphIR", "Tensors"]),
    fuzzer("FuzzExternalData", ["OnnxFile", "GraphIR", "Tensors"]),
    fuzzer("FuzzSchedules", ["ScheduleLanguage", "CachePolicies"]),
    fuzzer("FuzzTensorFiles", ["TensorFiles", "Tensors"]),
  ]
)
