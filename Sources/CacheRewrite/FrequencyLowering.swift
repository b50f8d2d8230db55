import GraphIR
import ScheduleLanguage
import Tensors

extension ExpressionLowering {
  /// The part of a tensor whose frequencies along its last two axes lie within a circle of radius
  /// ⌊min(H, W) / n⌋ about zero: Re F⁻¹(M · F(x)).
  ///
  /// M is FasterCache's mask (arXiv 2410.19355, Eq. 6; github.com/huggingface/diffusers,
  /// hooks/faster_cache.py): 1 where dy² + dx² ≤ r², frequency k of H being (k + H/2) mod H − H/2.
  func lowFrequencies(
    of operand: Operand, _ part: Int, in scope: GraphScope
  ) throws -> Operand {
    guard let rank = operand.type.shape?.count, rank >= 2, scope.graph.opset >= 17 else {
      throw unsupported("'low_frequencies' of a value of unknown rank, or below opset 17,")
    }
    let spectrum: ValueType = .tensor(.float32, nil)
    let number: ValueType = .tensor(.int64, [])
    func vector(_ elements: Int...) -> ValueID {
      scope.graph.constant(elements.map(Int64.init), shape: .vector(elements.count))
    }
    func scalar(_ value: Int) -> ValueID {
      scope.graph.constant([Int64(value)], shape: .scalar)
    }
    func transformed(_ value: ValueID, axis: Int, inverse: Bool) -> ValueID {
      let direction = Attribute("inverse", .int(inverse ? 1 : 0))
      guard scope.graph.opset < 20 else {
        return scope.emit("DFT", [value, nil, scalar(axis)], [direction], spectrum)
      }
      return scope.emit("DFT", [value], [Attribute("axis", .int(axis)), direction], spectrum)
    }
    let real = scope.cast(operand.value, to: .float32)
    let sizes = scope.emit("Shape", [real], .tensor(.int64, [Dimension(rank)]))
    let height = scope.emit("Gather", [sizes, scalar(rank - 2)], number)
    let width = scope.emit("Gather", [sizes, scalar(rank - 1)], number)
    /// The squared frequencies along an axis.
    func squares(_ size: ValueID) -> ValueID {
      let along: ValueType = .tensor(.int64, nil)
      let half = scope.emit("Div", [size, scalar(2)], number)
      let places = scope.emit("Range", [scalar(0), size, scalar(1)], along)
      let shifted = scope.emit("Mod", [scope.emit("Add", [places, half], along), size], along)
      let frequencies = scope.emit("Sub", [shifted, half], along)
      return scope.emit("Mul", [frequencies, frequencies], along)
    }
    let radius = scope.emit(
      "Div", [scope.emit("Min", [height, width], number), scalar(part)], number)
    let rows = scope.emit("Unsqueeze", [squares(height), vector(1)], .tensor(.int64, nil))
    let distance = scope.emit("Add", [rows, squares(width)], .tensor(.int64, nil))
    let isLow = scope.emit(
      "LessOrEqual", [distance, scope.emit("Mul", [radius, radius], number)], .tensor(.bool, nil))
    let mask = scope.emit("Unsqueeze", [scope.cast(isLow, to: .float32), vector(-1)], spectrum)
    var value = scope.emit("Unsqueeze", [real, vector(-1)], spectrum)
    for axis in [rank - 1, rank - 2] { value = transformed(value, axis: axis, inverse: false) }
    value = scope.emit("Mul", [value, mask], spectrum)
    for axis in [rank - 1, rank - 2] { value = transformed(value, axis: axis, inverse: true) }
    var type = operand.type
    type.dataType = .float32
    value = scope.emit(
      "Gather", [value, scalar(0)], [Attribute("axis", .int(rank))], .tensor(type))
    return Operand(value: value, kind: .tensor, type: type)
  }
}
