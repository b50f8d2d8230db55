public import Tensors

/// Functions of single elements, with ONNX's multidirectional broadcasting.
///
/// Inputs may be any views that broadcast to the shape of the output, which is contiguous. An input
/// may be the very memory of the output, not overlap it otherwise. `float16` and `bfloat16` are
/// computed in `float32` and rounded.
public enum Elementwise {
  /// `output = a operation b`; all three have one numeric type.
  public static func binary(
    _ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, into output: Tensor
  ) throws(KernelError) {
    precondition(a.dataType == b.dataType && a.dataType == output.dataType, "types differ")
    switch output.dataType {
    case .float32: zip(operation.row() as BinaryRow<Float, Float>, a, b, output)
    case .float64: zip(operation.row() as BinaryRow<Double, Double>, a, b, output)
    case .float16, .bfloat16:
      try ElementwiseChain(.binary(operation), as: output.dataType).run([a, b], into: output)
    case .int64: try integers(Int64.self, operation, a, b, output)
    case .int32: try integers(Int32.self, operation, a, b, output)
    case .int16: try integers(Int16.self, operation, a, b, output)
    case .int8: try integers(Int8.self, operation, a, b, output)
    case .uint64: try integers(UInt64.self, operation, a, b, output)
    case .uint32: try integers(UInt32.self, operation, a, b, output)
    case .uint16: try integers(UInt16.self, operation, a, b, output)
    case .uint8: try integers(UInt8.self, operation, a, b, output)
    default: throw .unsupported(operation.rawValue, output.dataType)
    }
  }

  /// `output = base ^ exponent`, where the exponent may have another numeric type than the other
  /// two.
  ///
  /// Between an integer base and a floating-point exponent the power is taken in `float64` and
  /// truncated.
  public static func power(
    _ base: Tensor, _ exponent: Tensor, into output: Tensor
  ) throws(KernelError) {
    if base.dataType == exponent.dataType {
      return try binary(.power, base, exponent, into: output)
    }
    if base.dataType.isInteger, exponent.dataType.isFloatingPoint {
      let wide = try Copying.makeTensor(.float64, output.shape)
      try binary(
        .power, Casting.cast(base, to: .float64), Casting.cast(exponent, to: .float64), into: wide)
      return try Casting.cast(wide, into: output)
    }
    try binary(.power, base, Casting.cast(exponent, to: base.dataType), into: output)
  }

  /// `output = a comparison b`; the inputs have one type, `bool` compares by `equal` only.
  public static func compare(
    _ comparison: Comparison, _ a: Tensor, _ b: Tensor, into output: Tensor
  ) throws(KernelError) {
    precondition(a.dataType == b.dataType && output.dataType == .bool, "types differ")
    switch a.dataType {
    case .float32: zip(comparison.row() as BinaryRow<Float, Bool>, a, b, output)
    case .float64: zip(comparison.row() as BinaryRow<Double, Bool>, a, b, output)
    case .float16, .bfloat16:
      try compare(comparison, HalfPrecision.widened(a), HalfPrecision.widened(b), into: output)
    case .int64: zip(comparison.row() as BinaryRow<Int64, Bool>, a, b, output)
    case .int32: zip(comparison.row() as BinaryRow<Int32, Bool>, a, b, output)
    case .int16: zip(comparison.row() as BinaryRow<Int16, Bool>, a, b, output)
    case .int8: zip(comparison.row() as BinaryRow<Int8, Bool>, a, b, output)
    case .uint64: zip(comparison.row() as BinaryRow<UInt64, Bool>, a, b, output)
    case .uint32: zip(comparison.row() as BinaryRow<UInt32, Bool>, a, b, output)
    case .uint16: zip(comparison.row() as BinaryRow<UInt16, Bool>, a, b, output)
    case .uint8: zip(comparison.row() as BinaryRow<UInt8, Bool>, a, b, output)
    case .bool where comparison == .equal:
      zip(BinaryRow<Bool, Bool> { $0 == $1 }, a, b, output)
    default: throw .unsupported(comparison.rawValue, a.dataType)
    }
  }

  /// `output = a operation b`; all three are `bool`.
  public static func logical(
    _ operation: LogicalOperation, _ a: Tensor, _ b: Tensor, into output: Tensor
  ) {
    precondition(
      a.dataType == .bool && b.dataType == .bool && output.dataType == .bool, "types differ")
    zip(operation.row(), a, b, output)
  }

  /// `output = condition ? a : b`; `a`, `b` and the output have one type of fixed width.
  public static func select(
    _ condition: Tensor, _ a: Tensor, _ b: Tensor, into output: Tensor
  ) {
    precondition(condition.dataType == .bool, "a condition is bool, not \(condition.dataType)")
    precondition(a.dataType == b.dataType && a.dataType == output.dataType, "types differ")
    switch output.dataType.byteCount {
    case 1: selectWords(UInt8.self, condition, a, b, output)
    case 2: selectWords(UInt16.self, condition, a, b, output)
    case 4: selectWords(UInt32.self, condition, a, b, output)
    case 8: selectWords(UInt64.self, condition, a, b, output)
    default: selectWords(SIMD2<UInt64>.self, condition, a, b, output)
    }
  }

  private static func integers<Number: FixedWidthInteger & TensorElement>(
    _ type: Number.Type, _ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, _ output: Tensor
  ) throws(KernelError) {
    if [.divide, .modulo, .remainder].contains(operation), output.elementCount > 0,
      try Copying.contiguous(b).hasElement(0 as Number)
    {
      throw KernelError(.divisionByZero, "an integer of type \(b.dataType) is divided by zero")
    }
    zip(operation.row() as BinaryRow<Number, Number>, a, b, output)
  }

  /// Elements gathered at once from an input whose rows are not dense.
  static let gatherCount = 512

  static func zip<Operand: BitwiseCopyable, Result: BitwiseCopyable>(
    _ row: BinaryRow<Operand, Result>, _ a: Tensor, _ b: Tensor, _ output: Tensor
  ) {
    precondition(output.isContiguous, "an output is contiguous")
    let loop = StridedLoop(over: output.shape, a, b)
    let (left, right) = (a.pointer(as: Operand.self), b.pointer(as: Operand.self))
    let result = output.pointer(as: Result.self)
    let (aStep, bStep) = (loop.rowStrides[0], loop.rowStrides[1])
    let isDense = (aStep == 0 || aStep == 1) && (bStep == 0 || bStep == 1)
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: isDense ? 1 : 2, grain: 64) {
      range in
      if isDense {
        loop.forEachRow(in: range) { position, places, count in
          row.apply(left + places[0], aStep, right + places[1], bStep, result + position, count)
        }
      } else {
        withUnsafeTemporaryAllocation(of: Operand.self, capacity: 2 * gatherCount) { buffer in
          guard let gathered = buffer.baseAddress else { return }
          let other = gathered + gatherCount
          loop.forEachRow(in: range) { position, places, count in
            for start in stride(from: 0, to: count, by: gatherCount) {
              let part = Swift.min(gatherCount, count - start)
              let x = left + places[0] + start * aStep
              let y = right + places[1] + start * bStep
              for i in 0..<part { gathered[i] = x[i * aStep] }
              for i in 0..<part { other[i] = y[i * bStep] }
              row.apply(gathered, 1, other, 1, result + position + start, part)
            }
          }
        }
      }
    }
  }

  private static func selectWords<Word: BitwiseCopyable>(
    _ word: Word.Type, _ condition: Tensor, _ a: Tensor, _ b: Tensor, _ output: Tensor
  ) {
    precondition(output.isContiguous, "an output is contiguous")
    let loop = StridedLoop(over: output.shape, condition, a, b)
    let choice = condition.pointer(as: UInt8.self)
    let (left, right) = (a.pointer(as: word), b.pointer(as: word))
    let result = output.pointer(as: word)
    let steps = loop.rowStrides
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: 2, grain: 64) { range in
      loop.forEachRow(in: range) { position, places, count in
        let (c, x, y) = (choice + places[0], left + places[1], right + places[2])
        for i in 0..<count {
          result[position + i] = c[i * steps[0]] != 0 ? x[i * steps[1]] : y[i * steps[2]]
        }
      }
    }
  }
}

extension Tensor {
  /// True when a contiguous tensor contains an element equal to `value`.
  func hasElement<Element: TensorElement & Equatable>(_ value: Element) -> Bool {
    let elements = pointer(as: Element.self)
    for i in 0..<elementCount where elements[i] == value { return true }
    return false
  }
}
