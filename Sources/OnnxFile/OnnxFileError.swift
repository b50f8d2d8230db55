import GraphIR
public import Tensors

/// An ONNX file that cannot be read or written, and why.
public struct OnnxFileError: ReportedError, Hashable {
  /// What is wrong.
  public enum Kind: Hashable, Sendable {
    /// The file has no bytes.
    case emptyFile
    /// The bytes are not an ONNX model.
    case notOnnx
    /// The message is one, but breaks a rule of the format.
    case malformedModel
    /// A tensor whose bytes, type and shape do not agree.
    case malformedTensor
    /// A record of external data that cannot be right.
    case externalDataRecord
    /// External data that lies where a model may not read.
    case externalDataLocation
    /// External data whose file is absent or unreadable.
    case externalDataMissing
    /// External data whose file ends early.
    case externalDataShort
    /// External data whose file does not have the checksum that the model gives.
    case externalDataChecksum
    /// The format allows it, this reader does not.
    case unsupported
    /// A limit of `OnnxLimits` is passed.
    case overLimit
    /// An output that would be separated from its weights.
    case outputAwayFromWeights
    /// The model was rewritten before, so a second undo record would hide the first.
    case alreadyRewritten
    /// There is no undo record, or it does not fit the model.
    case undoRecord
    /// A rule of graphs is broken; the text is the graph error's code.
    case graph(String, FailureCategory)
    /// The operating system refused.
    case file(FileError.Kind)
    /// A fault of this software.
    case internalFault
  }

  /// What is wrong.
  public let kind: Kind
  /// The file and, where known, the part of it.
  public let place: String
  /// One sentence, with the numbers.
  public let message: String
  /// What to do about it.
  public let hint: String?

  /// An error at a place.
  public init(_ kind: Kind, at place: String, _ message: String, hint: String? = nil) {
    self.kind = kind
    self.place = place
    self.message = message
    self.hint = hint
  }

  init(_ error: FileError) {
    self.init(.file(error.kind), at: error.place, error.message, hint: error.hint)
  }

  init(_ error: GraphError, in path: String) {
    self.init(
      .graph(error.code, error.category), at: "\(path.escapedForTerminal): \(error.place)",
      error.message, hint: error.hint)
  }

  /// The kind as a kebab-case word.
  public var code: String {
    switch kind {
    case .emptyFile: "empty-file"
    case .notOnnx: "not-onnx"
    case .malformedModel: "malformed-model"
    case .malformedTensor: "malformed-tensor"
    case .externalDataRecord: "external-data-record"
    case .externalDataLocation: "external-data-location"
    case .externalDataMissing: "external-data-missing"
    case .externalDataShort: "external-data-short"
    case .externalDataChecksum: "external-data-checksum"
    case .unsupported: "unsupported-model"
    case .overLimit: "model-limit"
    case .outputAwayFromWeights: "output-away-from-weights"
    case .alreadyRewritten: "already-rewritten"
    case .undoRecord: "undo-record"
    case .graph(let code, _): code
    case .file(let kind): kind.rawValue
    case .internalFault: "internal-fault"
    }
  }

  /// The category, which decides the exit status.
  public var category: FailureCategory {
    switch kind {
    case .emptyFile, .notOnnx, .malformedModel, .malformedTensor, .externalDataRecord,
      .externalDataLocation, .externalDataShort, .externalDataChecksum, .undoRecord:
      .badModel
    case .unsupported: .unsupported
    case .overLimit: .overLimit
    case .outputAwayFromWeights, .alreadyRewritten: .usage
    case .graph(_, let category): category
    case .file(let kind): kind.category
    case .externalDataMissing: .inputOutput
    case .internalFault: .internalFault
    }
  }
}
