import COnnxShim
import GraphIR
import Tensors

/// The tensors inside a model that several files are to share, and where each goes in a file of
/// weights.
///
/// Tensors below `minimumByteCount` stay inside each file, where runtimes fold them.
struct SharedWeights {
  /// Where a tensor lies in the file of weights.
  struct Place {
    let offset: Int
    let byteCount: Int
  }

  /// The size from which onnx's own `save_as_external_data` moves a tensor out (`size_threshold`).
  static let minimumByteCount = 1024

  /// What runtimes need to map a tensor instead of reading it: the size of a page, as
  /// `ExternalDataInfo` in onnx.proto recommends.
  static let alignment = 4096

  let location: String
  private(set) var byteCount = 0
  private var places: [UnsafeRawPointer: Place] = [:]
  private var tensors: [(stored: StoredTensor, place: Place)] = []

  /// The tensors of some graphs, each once.
  init(of graphs: [Graph], location: String, path: String) throws(OnnxFileError) {
    self.location = location
    for graph in graphs {
      for value in graph.initializerOrder where !graph.inputs.contains(value) {
        guard let stored = graph.initializers[value], let source = stored.source as? InlineTensor,
          let key = source.reference.tensor.message, places[key] == nil,
          stored.dataType != .string
        else { continue }
        let size: Int
        let start: Int
        do throws(ArithmeticOverflow) {
          size = try Checked.product(stored.shape.elementCount, stored.dataType.byteCount)
          guard size >= Self.minimumByteCount else { continue }
          start = try Checked.sum(byteCount, Self.alignment - 1) / Self.alignment * Self.alignment
          byteCount = try Checked.sum(start, size)
        } catch {
          throw OnnxFileError(
            .overLimit, at: path.escapedForTerminal, "The weights have too many bytes.")
        }
        let place = Place(offset: start, byteCount: size)
        places[key] = place
        tensors.append((stored, place))
      }
    }
  }

  /// True when nothing is shared, so that there is no file.
  var isEmpty: Bool { tensors.isEmpty }

  /// Where a tensor went; nil when it stays inside.
  func place(of stored: StoredTensor) -> Place? {
    guard let source = stored.source as? InlineTensor,
      let key = source.reference.tensor.message
    else { return nil }
    return places[key]
  }

  /// Writes the file's bytes.
  func write(to sink: FileSink) throws {
    let padding = [UInt8](repeating: 0, count: Self.alignment)
    for (stored, place) in tensors {
      let gap = place.offset - sink.byteCount
      let isPadded = padding.withUnsafeBytes { zeros in
        sink.take(UnsafeRawBufferPointer(rebasing: zeros[..<gap]))
      }
      let tensor = try stored.load().contiguous()
      let isWritten = withExtendedLifetime(tensor) {
        sink.take(UnsafeRawBufferPointer(start: tensor.base, count: tensor.byteCount))
      }
      guard isPadded, isWritten else {
        throw sink.failure.map { OnnxFileError($0) }
          ?? OnnxFileError(.internalFault, at: location, "Writing the weights failed.")
      }
    }
  }
}

extension GraphExporter {
  /// Writes a part of the model: what it kept is borrowed, everything else is left out.
  func addPart(_ graph: Graph, weights: SharedWeights) throws {
    let scope = ExportScope(graph)
    let target = draft.graph
    graph.name.bytes.withBytes { onnx_graph_draft_set_name(target, $0) }
    reserveNodeNames(of: graph)
    try addNodes(of: graph, in: scope, to: target, at: .main)
    for value in graph.initializerOrder {
      guard let stored = graph.initializers[value] else { continue }
      guard let place = weights.place(of: stored) else {
        try addInitializer(stored, named: scope[value], to: target)
        continue
      }
      let tensor = onnx_graph_draft_add_initializer(target)
      Array(weights.location.utf8).withBytes { location in
        stored.shape.dimensions.withInts {
          onnx_tensor_draft_set_external(
            tensor, stored.dataType.rawValue, $0, location, Int64(place.offset),
            Int64(place.byteCount))
        }
      }
      scope[value].bytes.withBytes { onnx_tensor_draft_set_name(tensor, $0) }
    }
    for value in graph.inputs {
      add(scope[value], graph.type(of: value), to: OnnxValueListInput, of: target)
    }
    for value in graph.outputs {
      add(scope[value], graph.type(of: value), to: OnnxValueListOutput, of: target)
    }
  }
}
