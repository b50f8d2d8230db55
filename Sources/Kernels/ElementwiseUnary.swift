public import Tensors

extension Elementwise {
  /// `output = operation(input)`; both have one type and one shape.
  public static func unary(
    _ operation: UnaryOperation, _ input: Tensor, into output: Tensor
  ) throws(KernelError) {
    precondition(input.dataType == output.dataType, "\(input.dataType) into \(output.dataType)")
    switch output.dataType {
    case .float32: map(operation.row() as UnaryRow<Float, Float>, input, output)
    case .float64: map(operation.row() as UnaryRow<Double, Double>, input, output)
    case .float16, .bfloat16:
      try ElementwiseChain(.unary(operation), as: output.dataType).run([input], into: output)
    case .int64: try integers(Int64.self, operation, input, output)
    case .int32: try integers(Int32.self, operation, input, output)
    case .int16: try integers(Int16.self, operation, input, output)
    case .int8: try integers(Int8.self, operation, input, output)
    case .uint64: try integers(UInt64.self, operation, input, output)
    case .uint32: try integers(UInt32.self, operation, input, output)
    case .uint16: try integers(UInt16.self, operation, input, output)
    case .uint8: try integers(UInt8.self, operation, input, output)
    default: throw .unsupported(operation.rawValue, output.dataType)
    }
  }

  /// `output = not input`; both are `bool`.
  public static func not(_ input: Tensor, into output: Tensor) {
    precondition(input.dataType == .bool && output.dataType == .bool, "types differ")
    map(UnaryRow<Bool, Bool> { !$0 }, input, output)
  }

  /// `output = input is NaN`; the output is `bool`.
  public static func isNaN(_ input: Tensor, into output: Tensor) throws(KernelError) {
    precondition(output.dataType == .bool, "isNaN gives bool")
    switch input.dataType {
    case .float32: map(UnaryRow<Float, Bool> { $0.isNaN }, input, output)
    case .float64: map(UnaryRow<Double, Bool> { $0.isNaN }, input, output)
    case .float16: map(UnaryRow<UInt16, Bool> { $0 & 0x7FFF > 0x7C00 }, input, output)
    case .bfloat16: map(UnaryRow<UInt16, Bool> { $0 & 0x7FFF > 0x7F80 }, input, output)
    default: throw .unsupported("isNaN", input.dataType)
    }
  }

  private static func integers<Number: FixedWidthInteger>(
    _ type: Number.Type, _ operation: UnaryOperation, _ input: Tensor, _ output: Tensor
  ) throws(KernelError) {
    guard let row = operation.row() as UnaryRow<Number, Number>? else {
      throw .unsupported(operation.rawValue, output.dataType)
    }
    map(row, input, output)
  }

  private static func map<Operand, Result>(
    _ row: UnaryRow<Operand, Result>, _ input: Tensor, _ output: Tensor
  ) {
    precondition(output.isContiguous, "an output is contiguous")
    let loop = StridedLoop(over: output.shape, input)
    let source = input.pointer(as: Operand.self)
    let result = output.pointer(as: Result.self)
    let step = loop.rowStrides[0]
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: row.cost, grain: 64) {
      range in
      if step == 1 {
        loop.forEachRow(in: range) { position, places, count in
          row.apply(source + places[0], result + position, count)
        }
      } else {
        withUnsafeTemporaryAllocation(of: Operand.self, capacity: gatherCount) { buffer in
          guard let gathered = buffer.baseAddress else { return }
          loop.forEachRow(in: range) { position, places, count in
            for start in stride(from: 0, to: count, by: gatherCount) {
              let part = Swift.min(gatherCount, count - start)
              let x = source + places[0] + start * step
              for i in 0..<part { gathered[i] = x[i * step] }
              row.apply(gathered, result + position + start, part)
            }
          }
        }
      }
    }
  }
}
