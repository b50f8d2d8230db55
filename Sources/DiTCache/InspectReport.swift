import CacheContract
import Foundation
import GraphIR
import ModelStructure
import OnnxFile
import Tensors
import TypeInference

/// What `inspect` says about a model, as JSON of schema 1.
public struct InspectReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// Blocks on the spine of the latents.
  public let blocks: [BlockReport]
  /// Blocks of text, or before text enters.
  public let refiners: [BlockReport]
  /// Chains that only add into the spine.
  public let control: [BlockReport]
  /// Inputs without a default.
  public let inputs: [PortReport]
  /// Outputs.
  public let outputs: [PortReport]
  /// Nodes by operator, graphs inside nodes included.
  public let operators: [String: Int]
  /// FLOPs of one call, nil while a dimension is free.
  public let flops: Int?
  /// Why something is not a site.
  public let notes: [String]
  /// Sizes of free dimensions that must be equal, or one of them 1, because an operator says so.
  public let constraints: [String]
  /// What is wrong with the file.
  public let defects: [DefectReport]
  /// What each runtime would need before it can run the model; empty for a cached model.
  public let targets: [String: [LegalizationCost]]
  /// External weight files that do not exist.
  public let absentWeights: [String]
  /// The schedule of a cached model.
  public let schedule: ScheduleReport?

  enum CodingKeys: String, CodingKey {
    case schema, blocks, refiners, control, inputs, outputs, operators, flops, notes, defects,
      constraints
    case targets, schedule
    case absentWeights = "absent_weights"
  }

  /// One block.
  public struct BlockReport: Encodable, Sendable {
    /// `<family>.<index>`.
    public let name: String
    /// The list it belongs to.
    public let family: String
    /// The position in the family.
    public let index: Int
    /// The position overall.
    public let position: Int
    /// How many streams pass through.
    public let streams: Int
    /// Its residual branches.
    public let modules: [ModuleReport]
  }

  /// One module.
  public struct ModuleReport: Encodable, Sendable {
    /// Such as `self_attention`.
    public let kind: String
    /// The exporter's name.
    public let name: String
  }

  /// One input or output.
  public struct PortReport: Encodable, Sendable {
    /// The name.
    public let name: String
    /// The element type.
    public let dtype: String
    /// Dimensions as text.
    public let shape: [String]
  }

  /// What a cached file says about its schedule.
  public struct ScheduleReport: Encodable, Sendable {
    /// The schedule's name.
    public let name: String
    /// Steps it was resolved for.
    public let steps: Int
    /// The sites in report order.
    public let sites: [String]
    /// The schedule's text.
    public let text: String
  }

  /// The report of a model.
  public init(_ model: LoadedModel) throws {
    func reports(_ blocks: [Block]) -> [BlockReport] {
      blocks.map { block in
        BlockReport(
          name: block.name, family: block.family, index: block.index, position: block.position,
          streams: block.streams.count,
          modules: block.modules.map { ModuleReport(kind: $0.kind.rawValue, name: $0.name) })
      }
    }
    func ports(_ values: [ValueID]) -> [PortReport] {
      values.map { value in
        let type = model.graph.tensorType(of: value)
        return PortReport(
          name: model.graph.name(of: value).description,
          dtype: type?.dataType?.description ?? "?",
          shape: type?.shape?.map(\.description) ?? [])
      }
    }
    blocks = reports(model.structure.blocks)
    refiners = reports(model.structure.refiners)
    control = reports(model.structure.control)
    inputs = ports(model.graph.requiredInputs)
    outputs = ports(model.graph.outputs)
    operators = Dictionary(
      uniqueKeysWithValues: model.graph.operatorCounts().map { ($0.key.description, $0.value) })
    flops = model.flops
    constraints = try InferTypes().assumptions(of: model.measured).map(\.text)
    defects = DefectReport.all(of: model.defects)
    targets = try model.needs()
    absentWeights = model.file.absentWeightLocations
    let part = model.file.metadata(FormFolder.partKey).map { text in
      "file: a part of a form '\(text.split(separator: " ").first ?? "")', see "
        + FormFolder.manifestName
    }
    notes = [part].compactMap { $0 } + model.structure.notes.map { "\($0.place): \($0.message)" }
    schedule = model.manifest.map { manifest in
      ScheduleReport(
        name: manifest.schedule, steps: manifest.steps, sites: manifest.sites.map(\.name),
        text: model.file.metadata(ContractNames.scheduleKey) ?? "")
    }
  }
}

extension LoadedModel {
  /// FLOPs of one call with every site computed, nil while a dimension is free.
  var flops: Int? {
    if !parts.isEmpty { return formFlops }
    var sum: Int? = 0
    measured.forEachGraph { graph in
      for id in graph.order {
        guard let total = sum else { return }
        let own = graph[id].op == "If" ? 0 : graph[id].flops
        sum = own.flatMap { own in
          let (result, overflow) = total.addingReportingOverflow(own)
          return overflow ? nil : result
        }
      }
    }
    return sum
  }
}

/// Values as JSON with sorted keys.
public enum JSONText {
  /// The text of a value.
  public static func of(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
