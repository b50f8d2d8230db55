import CacheContract
import Foundation
import GraphIR
import Interpreter
public import OnnxFile
import Tensors

/// Facts about this tool and machine.
public enum ToolDescription {
  /// The version that `--version` prints.
  public static let version = ToolVersion.number

  /// The number of processors.
  public static var availableThreads: Int { EngineOptions.availableThreads }

  /// The limits of model files with what the command line permits besides.
  public static func limits(allowingHardLinks: Bool, mapping: Bool) -> OnnxLimits {
    var limits = OnnxLimits.standard
    limits.allowsHardLinks = allowingHardLinks
    limits.mapsWeights = mapping
    return limits
  }
}

/// Memory of this process.
enum ProcessMemory {
  /// The peak resident size, VmHWM of /proc/self/status; 0 where there is none.
  static var peakByteCount: Int {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
    else { return 0 }
    return (Int(kilobytes) ?? 0) * 1024
  }
}

extension LoadedModel {
  /// External weight files that do not exist.
  public var absentWeights: [String] {
    parts.isEmpty
      ? file.absentWeightLocations
      : Set(parts.values.flatMap(\.file.absentWeightLocations)).sorted()
  }

  /// One line of facts.
  public var summary: String {
    let nodes = graph.operatorCounts().values.reduce(0, +)
    let weights = graph.initializers.values.reduce(0.0) { sum, tensor in
      sum + Double(tensor.shape.elementCount) * Double(tensor.dataType.byteCount)
    }
    let megabytes = weights / 1e6
    return "opset \(graph.opset), \(nodes) nodes, "
      + String(format: "%.1f MB of weights", megabytes)
  }

  /// The whole graph as stable text.
  public func graphText() -> String { graph.text() }
}
