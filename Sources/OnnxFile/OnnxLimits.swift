/// What a model file may ask for before it is refused.
///
/// Real exports of diffusion transformers have 10³ to 10⁵ nodes; the limits leave room for a
/// hundred times that and stop files that would only use up memory.
public struct OnnxLimits: Sendable {
  /// Bytes of the model file, external data not counted; protobuf itself ends at 2³¹ − 1.
  public var fileByteCount = Int(Int32.max)

  /// Nodes, those of subgraphs and functions included; also after calls are inlined, which is
  /// counted before it is done.
  public var nodeCount = 1_000_000

  /// Tensors in initializers and attributes.
  public var tensorCount = 200_000

  /// Estimated bytes of memory that the parsed message may take whatever the size of the file.
  public var freeMemory = 256 << 20

  /// How many times its size a larger file may take in memory.
  ///
  /// Real exports take about six; a graph of the shortest nodes there can be, one operand and one
  /// result with names of a few letters, about eighteen.
  public var memoryRatio = 20

  /// Attributes of one node.
  public var attributeCount = 256

  /// Graphs inside one another, the main graph counting 1; real exports have one or two more.
  public var graphDepth = 9

  /// Functions that call one another, the main graph not counted.
  public var callDepth = 100

  /// Bytes of a value's or node's name.
  public var nameByteCount = 4096

  /// Dimensions of a tensor.
  public var rank = 16

  /// Bytes of fields that this software does not know; they are kept and written back.
  public var unknownByteCount = 16 << 20

  /// Whether external data may be a file with several names (hard links).
  ///
  /// ONNX's own library refuses such files from version 1.21 (CVE-2026-34446).
  public var allowsHardLinks = false

  /// Whether external data is mapped into memory instead of read.
  ///
  /// Mapped weights are shared with other processes and need no memory of their own, but a file
  /// that somebody shortens during a run ends the process with SIGBUS.
  public var mapsWeights = false

  /// The limits used unless a caller knows better.
  public static let standard = OnnxLimits()

  /// The standard limits, to be changed one by one.
  public init() {}
}
