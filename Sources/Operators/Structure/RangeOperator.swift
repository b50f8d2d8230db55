import GraphIR
import Tensors

/// [Range](https://onnx.ai/onnx/operators/onnx__Range.html): numbers from a start up to a limit,
/// which is left out, by a step.
///
/// For float32, float64, int64, int32 and int16.
struct RangeOperator: Operator {
  static let key: OpKey = "Range"
  static let versions = 11...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    var operands: [ValueFact] = []
    for position in 0..<3 { operands.append(try inputs.required(position)) }
    let dataType = operands.compactMap(\.dataType).first
    if let count = Self.count(ofFloats: operands.compactMap(\.constant)) {
      return [ValueFact(dataType, [Dimension(count)])]
    }
    let numbers = operands.compactMap { $0.elements?.first }
    guard numbers.count == 3, let step = numbers[2].value, step != 0, step != .min else {
      return [ValueFact(dataType, [context.makeSymbol()])]
    }
    let distance = step > 0 ? numbers[1] - numbers[0] : numbers[0] - numbers[1]
    let stride = Dimension(abs(step))
    let count = (distance + stride - 1).floorDivided(by: stride) ?? context.makeSymbol()
    guard let number = count.value else { return [ValueFact(dataType, [count])] }
    var fact = ValueFact(dataType, [Dimension(max(number, 0))])
    if number <= ValueFact.maximumElements {
      fact.elements = (0..<max(number, 0)).map { numbers[0] + Dimension($0) * numbers[2] }
    }
    return [fact]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var operands: [Tensor] = []
    for position in 0..<3 { operands.append(try inputs.tensor(position)) }
    guard Set(operands.map(\.dataType)).count == 1,
      operands.allSatisfy({ $0.elementCount == 1 })
    else { throw .badOperands("the operands are not three numbers of one type") }
    switch operands[0].dataType {
    case .float32: return [.tensor(try floats(Float.self, operands, context))]
    case .float64: return [.tensor(try floats(Double.self, operands, context))]
    case .int64: return [.tensor(try integers(Int64.self, operands, context))]
    case .int32: return [.tensor(try integers(Int32.self, operands, context))]
    case .int16: return [.tensor(try integers(Int16.self, operands, context))]
    default: throw .unsupported("a range of \(operands[0].dataType) is not implemented")
    }
  }

  private func floats<Number: BinaryFloatingPoint & TensorElement>(
    _ type: Number.Type, _ operands: [Tensor], _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let numbers = operands.map { $0.elements(as: type)[0] }
    guard let count = Self.count(ofFloats: operands) else {
      throw .badOperands("no range leads from \(numbers[0]) to \(numbers[1]) by \(numbers[2])")
    }
    let result = try context.makeTensor(type.dataType, .checked([count]))
    let elements = result.pointer(as: type)
    for i in 0..<count { elements[i] = numbers[0] + Number(i) * numbers[2] }
    return result
  }

  /// How many numbers lie between three floats; nil for other types and for no or endless ranges.
  private static func count(ofFloats operands: [Tensor]) -> Int? {
    var numbers: [Double] = []
    for operand in operands where operand.elementCount == 1 {
      switch operand.dataType {
      case .float32: numbers.append(Double(operand.elements(as: Float.self)[0]))
      case .float64: numbers.append(operand.elements(as: Double.self)[0])
      default: return nil
      }
    }
    guard numbers.count == 3 else { return nil }
    return Int(exactly: ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up)).map { max($0, 0) }
  }

  private func integers<Number: FixedWidthInteger & TensorElement>(
    _ type: Number.Type, _ operands: [Tensor], _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let numbers = operands.map { Int($0.elements(as: type)[0]) }
    let (start, step) = (numbers[0], numbers[2])
    let (difference, overflow) = numbers[1].subtractingReportingOverflow(start)
    guard step != 0, !overflow else {
      throw .badOperands("no range leads from \(start) to \(numbers[1]) by \(step)")
    }
    let isEmpty = difference == 0 || (difference > 0) != (step > 0)
    let count = isEmpty ? 0 : Int((difference.magnitude - 1) / step.magnitude) + 1
    let result = try context.makeTensor(type.dataType, .checked([count]))
    let elements = result.pointer(as: type)
    for i in 0..<count { elements[i] = Number(truncatingIfNeeded: start + i * step) }
    return result
  }
}
