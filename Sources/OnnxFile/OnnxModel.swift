public import GraphIR
import Tensors

/// An ONNX model: its graph, and the parsed file behind it.
///
/// The file stays parsed in memory because writing moves its messages instead of building them
/// again, so that whatever this software does not understand survives. Weights are not read until
/// a tensor of the graph is loaded.
public struct OnnxModel: Sendable {
  /// The path the model was read from; empty for a model made in memory.
  public let path: String

  /// The graph; every node of the main graph has its origin.
  public let graph: Graph

  /// The version of the file format.
  public let irVersion: Int

  /// The tool that wrote the file.
  public let producerName: String

  /// The file's key-value metadata in its order.
  public let metadata: [(key: String, value: String)]

  /// The SHA-256 of the file, 64 lowercase hexadecimal digits.
  public let fileDigest: String

  /// The size of the file in bytes, external data not counted.
  public let fileByteCount: Int

  let message: ModelMessage
  let identity: FileIdentity?
  let files: [(file: ExternalFile, end: Int)]
  let hasExternalAttributes: Bool

  /// Operator set versions by domain; ONNX's own domain is the empty string.
  public var opsets: [String: Int] { graph.opsets }

  /// The first metadata value with a key.
  public func metadata(_ key: String) -> String? {
    metadata.first { $0.key == key }?.value
  }

  /// Locations of the external data files, relative to the model's folder.
  public var weightLocations: [String] { files.map(\.file.location) }

  /// Those of `weightLocations` at which there is no file.
  public var absentWeightLocations: [String] {
    files.map(\.file).filter(\.isAbsent).map(\.location)
  }

  /// Checks that every external data file is there and long enough, reading none.
  ///
  /// An absent file counts as there when the model was read with a seed for random weights.
  /// Throws `external-data-missing`, `external-data-short` or `external-data-location`.
  public func requireWeights() throws(OnnxFileError) {
    for (file, end) in files { try file.require(end: end) }
  }
}
