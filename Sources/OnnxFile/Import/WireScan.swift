import Tensors

/// Walks the bytes of a model before protobuf does, allocating nothing.
///
/// Protobuf accepts two concatenated models as one, turns two bytes into a hundred in memory, and
/// says nothing about where a file is broken. This scan refuses all that first.
struct WireScan {
  private struct Frame {
    var end: Int
    var message: WireMessage
    var seen: UInt32 = 0
  }

  private let bytes: UnsafeRawBufferPointer
  private let place: String
  private let limits: OnnxLimits
  private var position = 0
  private var nodeCount = 0
  private var tensorCount = 0
  private var unknownByteCount = 0
  private var graphDepth = 0
  private var memory = 0

  /// Estimated bytes that protobuf takes for a message, a tensor, a text, a number of a list and a
  /// field it does not know (measured on 64-bit Linux with protobuf 3.21).
  private static let messageCost = 160
  private static let tensorCost = 256
  private static let textCost = 64
  private static let numberCost = 8
  private static let unknownCost = 48

  private init(_ bytes: UnsafeRawBufferPointer, place: String, limits: OnnxLimits) {
    self.bytes = bytes
    self.place = place
    self.limits = limits
  }

  /// Throws when the bytes are not one model within the limits.
  static func check(
    _ bytes: UnsafeRawBufferPointer, path: String, limits: OnnxLimits
  ) throws(OnnxFileError) {
    if let kind = FileKind(bytes) {
      throw OnnxFileError(
        .notOnnx, at: path.escapedForTerminal, "The file is \(kind.description), not an ONNX model."
      )
    }
    var scan = WireScan(bytes, place: path.escapedForTerminal, limits: limits)
    try scan.run()
  }

  private mutating func run() throws(OnnxFileError) {
    var stack = [Frame(end: bytes.count, message: .model)]
    while var frame = stack.last {
      guard position < frame.end else {
        if frame.message == .graph { graphDepth -= 1 }
        stack.removeLast()
        continue
      }
      let start = position
      let tag = try varint(until: frame.end)
      let number = UInt32(truncatingIfNeeded: tag >> 3)
      guard tag <= UInt64(UInt32.max), number > 0 else { throw malformed(at: start) }
      let field = frame.message.field(number)
      switch tag & 7 {
      case 0:
        _ = try varint(until: frame.end)
        try countNumber(field, number, &frame, at: start)
      case 1:
        try skip(8, until: frame.end)
        try countNumber(field, number, &frame, at: start)
      case 5:
        try skip(4, until: frame.end)
        try countNumber(field, number, &frame, at: start)
      case 2:
        let length = try varint(until: frame.end)
        guard length <= UInt64(frame.end - position) else { throw malformed(at: start) }
        let end = position + Int(length)
        stack[stack.count - 1] = try counted(field, number, frame, end: end, at: start)
        if case .message(let message, _) = field, message != .leaf {
          guard stack.count < 100 else { throw tooDeep() }
          stack.append(Frame(end: end, message: message))
        } else {
          position = end
        }
        continue
      default:
        throw malformed(at: start)
      }
      stack[stack.count - 1] = frame
    }
  }

  /// Counts a length-delimited field that ends at `end`.
  private mutating func counted(
    _ field: WireField, _ number: UInt32, _ frame: Frame, end: Int, at start: Int
  ) throws(OnnxFileError) -> Frame {
    var frame = frame
    switch field {
    case .message(let message, let isSingular):
      if isSingular { try markSeen(number, &frame, at: start) }
      memory += message == .tensor ? Self.tensorCost : Self.messageCost
      try count(message)
    case .bytes:
      memory += Self.textCost
    case .numbers, .singularNumber:
      memory += (end - position) * Self.numberCost
    case .unknown:
      memory += Self.unknownCost
      unknownByteCount += end - start
    }
    try checkMemory()
    return frame
  }

  private mutating func count(_ message: WireMessage) throws(OnnxFileError) {
    switch message {
    case .node:
      nodeCount += 1
      guard nodeCount <= limits.nodeCount else {
        throw overLimit("The model has more than \(limits.nodeCount) nodes.")
      }
    case .tensor:
      tensorCount += 1
      guard tensorCount <= limits.tensorCount else {
        throw overLimit("The model has more than \(limits.tensorCount) tensors.")
      }
    case .graph:
      graphDepth += 1
      guard graphDepth <= limits.graphDepth else { throw tooDeep() }
    default:
      break
    }
  }

  private mutating func countNumber(
    _ field: WireField, _ number: UInt32, _ frame: inout Frame, at start: Int
  ) throws(OnnxFileError) {
    switch field {
    case .singularNumber: try markSeen(number, &frame, at: start)
    case .numbers: memory += Self.numberCost
    case .message, .bytes, .unknown:
      memory += Self.unknownCost
      unknownByteCount += position - start
    }
    try checkMemory()
  }

  private func markSeen(
    _ number: UInt32, _ frame: inout Frame, at start: Int
  ) throws(OnnxFileError) {
    let bit = UInt32(1) << (number & 31)
    guard frame.seen & bit == 0 else {
      throw OnnxFileError(
        .malformedModel, at: place,
        "Field \(number) of a \(frame.message) is given twice, the second time at byte \(start).",
        hint: "Two files may have been joined into one.")
    }
    frame.seen |= bit
  }

  private func checkMemory() throws(OnnxFileError) {
    guard unknownByteCount <= limits.unknownByteCount else {
      throw overLimit(
        "More than \(limits.unknownByteCount) bytes are in fields that ONNX does not have.")
    }
    guard memory <= max(limits.freeMemory, limits.memoryRatio * bytes.count) else {
      throw overLimit(
        "The \(bytes.count) bytes would take more than \(limits.memoryRatio) times as much memory.")
    }
  }

  private mutating func varint(until end: Int) throws(OnnxFileError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end, shift < 70 {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw malformed(at: start)
  }

  private mutating func skip(_ count: Int, until end: Int) throws(OnnxFileError) {
    guard end - position >= count else { throw malformed(at: position) }
    position += count
  }

  private func malformed(at offset: Int) -> OnnxFileError {
    OnnxFileError(
      .notOnnx, at: place,
      "The bytes are not an ONNX model: byte \(offset) of \(bytes.count) begins no valid field.",
      hint: offset > 64 ? "The file may be incomplete." : nil)
  }

  private func tooDeep() -> OnnxFileError {
    overLimit("Graphs nest deeper than \(limits.graphDepth).")
  }

  private func overLimit(_ message: String) -> OnnxFileError {
    OnnxFileError(.overLimit, at: place, message)
  }
}
