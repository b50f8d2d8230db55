import Foundation
import Interpreter
import Quality
import TensorFiles
import Tensors

/// Compares results that were written before: folders of `sample -o`, or archives.
public struct ResultComparison: Sendable {
  private let networks: QualityNetworks

  /// A comparison with networks that judge pictures, if there are any.
  public init(networks: QualityNetworks) {
    self.networks = networks
  }

  /// Compares every result after the first with the first.
  ///
  /// An archive holds `final` (B, …); decoded `pixels` (B, 1 or 3, …), `latents` (S + 1, B, …) and
  /// `seconds`, one number, are used where they are. A single archive with `baseline` as well is compared with that. Each path is
  /// an archive or a folder that holds `final.npz`.
  public func run(_ paths: [String]) throws -> Evaluation {
    var results: [(name: String, result: GeneratedResult)] = []
    for path in paths { results.append((path, try Self.result(path, key: "final"))) }
    if paths.count == 1 {
      results.insert(("baseline", try Self.result(paths[0], key: "baseline")), at: 0)
    }
    let measurement = Measurement(networks: networks)
    var methods: [MethodRuns] = []
    for (index, (name, result)) in results.enumerated() {
      var method = MethodRuns(name)
      if let seconds = result.seconds { method.seconds = [seconds] }
      method.features = try measurement.features(of: result)
      if index > 0 {
        method.samples = try measurement.samples(of: result, against: results[0].result)
          .map { (nil, nil, result.seconds, $0) }
      }
      methods.append(method)
    }
    let report = EvaluationReport(
      model: nil, content: GeneratedContent(shape: results[0].result.shown.shape).rawValue,
      setting: nil, methods: try methods.map { try $0.row(against: methods[0]) })
    let exhibits = results.dropFirst().prefix(Evaluation.exhibitCount).map { name, result in
      Evaluation.Exhibit(
        method: name, prompt: nil, result: result.shown, reference: results[0].result.shown)
    }
    return Evaluation(report: report, exhibits: exhibits)
  }

  private static func result(_ path: String, key: String) throws -> GeneratedResult {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let archive = isThere && isFolder.boolValue ? "\(path)/final.npz" : path
    let file = try NPZFile(readingFrom: archive)
    guard file.entry(key) != nil else {
      throw UsageError(
        "no-result", at: archive, "the archive has no array '\(key)'",
        hint: key == "baseline"
          ? "compare it with a second result"
          : "it has \(file.keys.joined(separator: ", "))", category: .badModel)
    }
    let isOwn = key == "final"
    let pixels = isOwn ? "pixels" : "baseline_pixels"
    let seconds = isOwn && file.entry("seconds") != nil ? try file.tensor("seconds") : nil
    return GeneratedResult(
      final: try file.tensor(key),
      pixels: file.entry(pixels) == nil ? nil : try file.tensor(pixels),
      latents: isOwn && file.entry("latents") != nil ? try file.tensor("latents") : nil,
      seconds: try seconds?.asFloat32().elements(as: Float.self).first.map(Double.init))
  }
}
