// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// One row of the house: a module and what it may import.
///
/// `ArchitectureTests` compares the rows with the `import` lines of the sources.
func module(
  _ name: String, imports: [Target.Dependency] = [], exclude: [String] = [],
  plugins: [Target.PluginUsage] = []
) -> Target {
  .target(
    name: name, dependencies: imports, exclude: exclude, swiftSettings: swiftSettings,
    plugins: plugins)
}

func tests(
  _ name: String, of imports: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: imports + ["TestSupport"], exclude: exclude,
    swiftSettings: swiftSettings)
}

/// Loops begin at cache lines: products lose up to 3 % where the linker happens to shift them.
let optimised: [CSetting] = [
  .unsafeFlags([
    "-O3", "-falign-functions=64", "-falign-loops=64", "-fno-math-errno", "-ffp-contract=off",
    "-Wall", "-Wextra", "-Werror",
  ])
]

let package = Package(
  name: "ditcache",
  products: [
    .library(
      name: "DiTCache",
      targets: [
        "DiTCache", "CacheContract", "CachePolicies", "Diffusion", "GraphIR", "Interpreter",
        "ScheduleLanguage", "TensorFiles", "Tensors",
      ]),
    .executable(name: "ditcache", targets: ["DitcacheCommand"]),
    .executable(name: "ditcache-schedule", targets: ["ditcache-schedule"]),
    .plugin(name: "FormatSchedules", targets: ["FormatSchedules"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CWebP", pkgConfig: "libwebpmux", providers: [.apt(["libwebp-dev"])]),
    .target(
      name: "COnnxShim",
      cxxSettings: [.unsafeFlags(["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("onnx_proto"), .linkedLibrary("protobuf")]),
    .target(name: "CVectorKernels", cSettings: optimised),
    module("Tensors"),
    module("TensorFiles", imports: ["Tensors", "CZlib"]),
    module("GraphIR", imports: ["Tensors"]),
    module("OnnxFile", imports: ["GraphIR", "Tensors", "COnnxShim", "CCrypto"]),
    module("Rewrite", imports: ["GraphIR", "Tensors"]),
    module("Legalization", imports: ["Rewrite", "GraphIR", "Tensors"]),
    module("Kernels", imports: ["Tensors", "COpenBLAS", "CVectorKernels"]),
    module("Operators", imports: ["GraphIR", "Tensors", "Kernels"]),
    module("TypeInference", imports: ["Operators", "Rewrite", "GraphIR", "Tensors"]),
    module("ModelStructure", imports: ["GraphIR", "Tensors"]),
    module("ScheduleLanguage"),
    module("CachePolicies", imports: ["ScheduleLanguage"]),
    module("Catalogue", exclude: ["adapters", "rules", "schedules"], plugins: ["CheckSchedules"]),
    module("CacheContract", imports: ["GraphIR", "Tensors"]),
    module(
      "CacheRewrite",
      imports: [
        "CacheContract", "Rewrite", "ModelStructure", "CachePolicies", "ScheduleLanguage",
        "GraphIR", "Tensors",
      ]),
    module(
      "Interpreter",
      imports: ["CacheContract", "TypeInference", "Operators", "Rewrite", "GraphIR", "Tensors"]),
    module("Adapters", imports: ["ScheduleLanguage", "GraphIR", "ModelStructure", "Tensors"]),
    module(
      "Diffusion", imports: ["CacheContract", "Interpreter", "Adapters", "GraphIR", "Tensors"]),
    module(
      "Quality",
      imports: [
        "Tensors", "TensorFiles", "GraphIR", "Kernels", "Interpreter", "CPNG", "CWebP",
      ]),
    module(
      "Profiling",
      imports: ["Tensors", "GraphIR", "Kernels", "ModelStructure", "Interpreter", "Diffusion"]),
    module("Tuning", imports: ["Tensors", "Diffusion"]),
    module(
      "DiTCache",
      imports: [
        "Tensors", "TensorFiles", "GraphIR", "OnnxFile", "Rewrite", "Legalization", "Operators",
        "TypeInference", "ModelStructure", "ScheduleLanguage", "CachePolicies", "Catalogue",
        "CacheContract", "CacheRewrite", "Interpreter", "Adapters", "Diffusion", "Quality",
        "Profiling", "Tuning",
      ]),
    .executableTarget(
      name: "DitcacheCommand",
      dependencies: [
        "DiTCache", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "ditcache-schedule", dependencies: ["ScheduleLanguage", "CachePolicies"],
      swiftSettings: swiftSettings),
    .plugin(
      name: "CheckSchedules", capability: .buildTool(), dependencies: ["ditcache-schedule"]),
    .plugin(
      name: "FormatSchedules",
      capability: .command(
        intent: .custom(
          verb: "format-schedules", description: "Formats the schedule files of the package."),
        permissions: [.writeToPackageDirectory(reason: "Rewrites *.dcs files in place.")]),
      dependencies: ["ditcache-schedule"]),
    .target(
      name: "TestSupport", dependencies: ["GraphIR", "Tensors"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    tests(
      "AdaptersTests",
      of: [
        "Adapters", "CachePolicies", "Catalogue", "GraphIR", "ModelStructure", "OnnxFile",
        "Rewrite", "ScheduleLanguage", "Tensors", "TypeInference",
      ]),
    tests("ArchitectureTests", of: []),
    tests("CacheContractTests", of: ["CacheContract", "GraphIR", "Tensors"]),
    tests("CachePoliciesTests", of: ["CachePolicies", "Catalogue", "ScheduleLanguage"]),
    tests(
      "CacheRewriteTests",
      of: [
        "CacheRewrite", "CacheContract", "CachePolicies", "Interpreter", "ModelStructure",
        "ScheduleLanguage", "TypeInference", "Rewrite", "GraphIR", "Tensors",
      ], exclude: ["Golden"]),
    tests(
      "DiTCacheTests",
      of: [
        "Adapters", "CacheContract", "CacheRewrite", "DiTCache", "Diffusion", "GraphIR",
        "Interpreter", "OnnxFile", "TensorFiles", "Tensors", "TypeInference",
      ]),
    tests(
      "DiffusionTests",
      of: [
        "Adapters", "CacheContract", "Diffusion", "GraphIR", "Interpreter", "OnnxFile",
        "TensorFiles", "Tensors",
      ]),
    tests("GraphIRTests", of: ["GraphIR", "Tensors"], exclude: ["Golden"]),
    tests(
      "HostileInputTests",
      of: ["DiTCache", "GraphIR", "Interpreter", "OnnxFile", "TensorFiles", "Tensors"],
      exclude: ["README.md", "list"]),
    tests(
      "InterpreterTests",
      of: [
        "Interpreter", "TypeInference", "Operators", "GraphIR", "Rewrite", "Tensors",
        "TensorFiles", "OnnxFile",
      ]),
    tests("KernelsTests", of: ["Kernels", "Tensors"]),
    tests(
      "LegalizationTests",
      of: [
        "GraphIR", "Interpreter", "Legalization", "OnnxFile", "Rewrite", "TensorFiles", "Tensors",
        "TypeInference",
      ]),
    tests(
      "ModelStructureTests",
      of: ["ModelStructure", "OnnxFile", "Rewrite", "TypeInference", "GraphIR", "Tensors"],
      exclude: ["Golden"]),
    tests("OnnxFileTests", of: ["OnnxFile", "GraphIR", "Tensors"]),
    tests(
      "OperatorsTests",
      of: [
        "Interpreter", "OnnxFile", "Operators", "Rewrite", "TensorFiles", "TypeInference",
        "GraphIR", "Tensors",
      ]),
    tests(
      "ProfilingTests",
      of: [
        "Profiling", "Interpreter", "ModelStructure", "OnnxFile", "Rewrite", "TypeInference",
        "GraphIR", "TensorFiles", "Tensors",
      ]),
    tests(
      "QualityTests",
      of: ["Quality", "Interpreter", "OnnxFile", "TensorFiles", "Tensors", "CPNG", "CWebP"]),
    tests(
      "ReplayTests",
      of: [
        "CacheContract", "CacheRewrite", "DiTCache", "Diffusion", "GraphIR", "Interpreter",
        "TensorFiles", "Tensors",
      ],
      exclude: ["Schedules"]),
    tests("RewriteTests", of: ["GraphIR", "Rewrite", "Tensors"]),
    tests(
      "ScheduleLanguageTests", of: ["CachePolicies", "Catalogue", "ScheduleLanguage"],
      exclude: ["Golden", "Invalid"]),
    tests("TensorFilesTests", of: ["TensorFiles", "Tensors"]),
    tests("TensorsTests", of: ["Tensors"]),
    tests("TuningTests", of: ["Diffusion", "Tuning"]),
    tests(
      "TypeInferenceTests",
      of: ["TypeInference", "Operators", "Rewrite", "GraphIR", "Tensors"]),
  ]
)
