import COnnxShim
import GraphIR
import Tensors

extension OnnxModel {
  /// IR versions that can be read; 3 is ONNX 1.0.
  static let irVersions = 3...13

  /// Versions of ONNX's own operator set that can be read; operators have their own limits.
  static let opsetVersions = 7...26

  /// Reads a model file.
  ///
  /// The size is checked before anything is parsed, and the structure before protobuf allocates
  /// for it. External data is not opened. Errors name the file and the part of it that is wrong.
  ///
  /// With a `randomWeightSeed`, tensors whose file does not exist have random elements
  /// (`RandomElements`).
  public static func read(
    _ path: String, limits: OnnxLimits = .standard, randomWeightSeed: UInt64? = nil
  ) throws(OnnxFileError) -> OnnxModel {
    let file: InputFile
    let storage: TensorStorage
    do {
      file = try InputFile(path: path)
      try check(byteCount: file.byteCount, path: path, limits: limits)
      storage = try file.read(at: 0, byteCount: file.byteCount)
    } catch let error as FileError {
      throw OnnxFileError(error)
    } catch let error as OnnxFileError {
      throw error
    } catch {
      throw OnnxFileError(.internalFault, at: path.escapedForTerminal, "\(error)")
    }
    return try withExtendedLifetime(storage) { () throws(OnnxFileError) in
      try OnnxModel(
        parsing: UnsafeRawBufferPointer(start: storage.base, count: storage.byteCount), path: path,
        identity: file.identity, limits: limits, randomWeightSeed: randomWeightSeed)
    }
  }

  private static func check(
    byteCount: Int, path: String, limits: OnnxLimits
  ) throws(OnnxFileError) {
    guard byteCount > 0 else {
      throw OnnxFileError(.emptyFile, at: path.escapedForTerminal, "The file is empty.")
    }
    let limit = min(limits.fileByteCount, Int(Int32.max))
    guard byteCount <= limit else {
      throw OnnxFileError(
        .overLimit, at: path.escapedForTerminal,
        "The file has \(byteCount) bytes; a model may have at most \(limit).",
        hint: "Export with external data, so that weights lie in a file of their own.")
    }
  }

  /// Parses and imports bytes as if they had been read from `path`.
  init(
    parsing bytes: UnsafeRawBufferPointer, path: String, identity: FileIdentity?,
    limits: OnnxLimits, randomWeightSeed: UInt64? = nil
  ) throws(OnnxFileError) {
    try WireScan.check(bytes, path: path, limits: limits)
    let message = try ModelMessage(parsing: bytes, path: path)
    let place = path.escapedForTerminal
    guard onnx_model_has_graph(message.reference) else {
      throw OnnxFileError(.notOnnx, at: place, "The file holds no graph.")
    }
    let irVersion = Int(onnx_model_ir_version(message.reference))
    guard Self.irVersions.contains(irVersion) else {
      throw OnnxFileError(
        .unsupported, at: place,
        "The file has IR version \(irVersion); \(Self.irVersions.lowerBound) to "
          + "\(Self.irVersions.upperBound) are supported.")
    }
    var opsets = try Self.opsets(of: message, place: place)
    let functions = try FunctionLibrary(of: message, limits: limits, place: place)
    try functions.addOpsets(to: &opsets, place: place)
    let folder = ExternalFolder(modelPath: path, modelIdentity: identity, limits: limits)
    let importer = GraphImporter(
      model: message, path: path, limits: limits,
      files: GraphImporter.Box(ExternalFiles(folder: folder, randomSeed: randomWeightSeed)),
      functions: functions)
    let graph = try importer.graph(
      message.graph, inside: nil, opsets: opsets, place: place
    ).graph
    do {
      try graph.verify()
    } catch {
      throw OnnxFileError(error, in: path)
    }
    let files = importer.files.value
    self.init(
      path: path, graph: graph, irVersion: irVersion,
      producerName: onnx_model_producer_name(message.reference).text, metadata: message.metadata,
      fileDigest: Digest.sha256(bytes), fileByteCount: bytes.count, message: message,
      identity: identity, files: Array(zip(files.files, files.ends)),
      hasExternalAttributes: files.areUsedByAttributes)
  }

  private static func opsets(
    of message: ModelMessage, place: String
  ) throws(OnnxFileError) -> [String: Int] {
    var opsets: [String: Int] = [:]
    for position in 0..<onnx_model_opset_count(message.reference) {
      let text = onnx_model_opset_domain(message.reference, position).text
      let domain = text == "ai.onnx" ? "" : text
      let version = Int(onnx_model_opset_version(message.reference, position))
      guard opsets.updateValue(version, forKey: domain) == nil else {
        throw OnnxFileError(
          .malformedModel, at: place,
          "The operator set '\(domain.escapedForTerminal)' is imported twice.")
      }
    }
    guard !opsets.isEmpty else {
      throw OnnxFileError(.malformedModel, at: place, "The model imports no operator set.")
    }
    if let version = opsets[""], !opsetVersions.contains(version) {
      throw OnnxFileError(
        .unsupported, at: place,
        "The model uses operator set \(version); \(opsetVersions.lowerBound) to "
          + "\(opsetVersions.upperBound) are supported.")
    }
    return opsets
  }
}
