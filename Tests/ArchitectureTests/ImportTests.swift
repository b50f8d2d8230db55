import Foundation
import TestSupport
import Testing

/// The table of the house: what each module may import besides the toolchain's own modules.
private let table: [String: Set<String>] = [
  "Tensors": [],
  "TensorFiles": ["Tensors", "CZlib"],
  "GraphIR": ["Tensors"],
  "OnnxFile": ["GraphIR", "Tensors", "COnnxShim", "CCrypto"],
  "Rewrite": ["GraphIR", "Tensors"],
  "Legalization": ["Rewrite", "GraphIR", "Tensors"],
  "Kernels": ["Tensors", "COpenBLAS", "CVectorKernels"],
  "Operators": ["GraphIR", "Tensors", "Kernels"],
  "TypeInference": ["Operators", "Rewrite", "GraphIR", "Tensors"],
  "ModelStructure": ["GraphIR", "Tensors"],
  "ScheduleLanguage": [],
  "CachePolicies": ["ScheduleLanguage"],
  "Catalogue": [],
  "CacheContract": ["GraphIR", "Tensors"],
  "CacheRewrite": [
    "CacheContract", "Rewrite", "ModelStructure", "CachePolicies", "ScheduleLanguage", "GraphIR",
    "Tensors",
  ],
  "Interpreter": [
    "CacheContract", "TypeInference", "Operators", "Rewrite", "GraphIR", "Tensors",
  ],
  "Adapters": ["ScheduleLanguage", "GraphIR", "ModelStructure", "Tensors"],
  "Diffusion": ["CacheContract", "Interpreter", "Adapters", "GraphIR", "Tensors"],
  "Quality": [
    "Tensors", "TensorFiles", "GraphIR", "Kernels", "Interpreter", "CPNG", "CWebP",
  ],
  "Profiling": ["Tensors", "GraphIR", "Kernels", "ModelStructure", "Interpreter", "Diffusion"],
  "Tuning": ["Tensors", "Diffusion"],
  "DiTCache": [
    "Tensors", "TensorFiles", "GraphIR", "OnnxFile", "Rewrite", "Legalization", "Operators",
    "TypeInference", "ModelStructure", "ScheduleLanguage", "CachePolicies", "Catalogue",
    "CacheContract", "CacheRewrite", "Interpreter", "Adapters", "Diffusion", "Quality",
    "Profiling", "Tuning",
  ],
  "DitcacheCommand": ["DiTCache", "ArgumentParser"],
  "ditcache-schedule": ["ScheduleLanguage", "CachePolicies"],
]

private let toolchain: Set<String> = ["Foundation", "Glibc", "Dispatch", "Synchronization"]

private struct Source {
  let module: String
  let path: String
  let lines: [Substring]
}

private func sources() throws -> [Source] {
  let root = Fixtures.package.appending(path: "Sources")
  let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
  var result: [Source] = []
  while let url = files?.nextObject() as? URL {
    guard url.pathExtension == "swift" else { continue }
    let relative = url.pathComponents.drop { $0 != "Sources" }.dropFirst()
    let text = try String(contentsOf: url, encoding: .utf8)
    result.append(
      Source(
        module: String(relative.first ?? ""), path: relative.joined(separator: "/"),
        lines: text.split(separator: "\n", omittingEmptySubsequences: false)))
  }
  return result
}

private func importedModule(_ line: Substring) -> String? {
  let words = line.split(separator: " ").drop {
    ["public", "package", "internal", "@preconcurrency", "@_exported"].contains($0)
  }
  guard words.first == "import", let last = words.last else { return nil }
  return String(last.split(separator: ".").first ?? last)
}

@Suite struct ImportTests {
  @Test func everyModuleImportsOnlyWhatItsRowNames() throws {
    let sources = try sources()
    #expect(sources.count > 100)
    for source in sources {
      let allowed = try #require(table[source.module], "\(source.module) has no row")
      for line in source.lines {
        guard let name = importedModule(line), !toolchain.contains(name) else { continue }
        #expect(allowed.contains(name), "\(source.path) imports \(name)")
      }
    }
  }

  @Test func modulesBelowTheFaçadeNeedNoFoundationForTheirTypes() throws {
    let pure: Set = ["Tensors", "GraphIR", "Rewrite", "ScheduleLanguage", "CachePolicies"]
    for source in try sources() where pure.contains(source.module) {
      #expect(!source.lines.contains { importedModule($0) == "Foundation" }, "\(source.path)")
    }
  }

  @Test func noFileIsLongerThanSixHundredLines() throws {
    for source in try sources() {
      #expect(source.lines.count <= 601, "\(source.path) has \(source.lines.count) lines")
    }
  }

  @Test func onlyTheFaçadeWritesToStandardOutput() throws {
    for source in try sources()
    where !["DitcacheCommand", "ditcache-schedule"].contains(source.module) {
      #expect(!source.lines.contains { $0.contains(" print(") }, "\(source.path) prints")
    }
  }
}
