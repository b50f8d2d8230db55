import GraphIR
import Kernels
import Tensors

/// Tensors of one shape made one with an axis more.
enum Stacking {
  /// The tensors along a new axis; with none of them, an empty tensor of a declared type.
  static func stack(
    _ parts: [Tensor], like type: ValueType, axis: Int, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    guard let first = parts.first else {
      guard let dataType = type.tensor?.dataType else {
        throw .badOperands("the type of a result that no trip yields is not declared")
      }
      let sizes = (type.tensor?.shape ?? []).map { $0.value ?? 0 }
      return try context.makeTensor(dataType, .checked([0] + sizes))
    }
    let axis = try Axes.normalize(axis, rank: first.rank + 1)
    var dimensions = first.shape.dimensions
    dimensions.insert(parts.count, at: axis)
    let result = try context.makeTensor(first.dataType, .checked(dimensions))
    for (position, part) in parts.enumerated() {
      guard part.shape == first.shape, part.dataType == first.dataType else {
        throw .badOperands(
          "\(part.dataType)\(part.shape) cannot be stacked with "
            + "\(first.dataType)\(first.shape)")
      }
      Copying.copy(part, into: try result.slice(axis: axis, at: position))
    }
    return result
  }

  /// The tensors, at least one, one after another along an axis they have.
  static func join(
    _ parts: [Tensor], axis: Int, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let axis = try Axes.normalize(axis, rank: parts[0].rank)
    var dimensions = parts[0].shape.dimensions
    dimensions[axis] = 0
    for part in parts {
      let own = part.shape.dimensions
      guard part.dataType == parts[0].dataType, own.count == dimensions.count else {
        throw .badOperands("\(parts[0].shape) and \(part.shape) cannot be joined")
      }
      let (total, overflow) = dimensions[axis].addingReportingOverflow(own[axis])
      dimensions[axis] = total
      guard !overflow, own.indices.allSatisfy({ $0 == axis || own[$0] == dimensions[$0] }) else {
        throw .badOperands("\(parts[0].shape) and \(part.shape) cannot be joined")
      }
    }
    let result = try context.makeTensor(parts[0].dataType, .checked(dimensions))
    var first = 0
    for part in parts {
      Copying.copy(
        part, into: result.sliced(axis: axis, first: first, count: part.shape[axis]))
      first += part.shape[axis]
    }
    return result
  }
}

extension Tensor {
  /// What lies at one index of an axis, without the axis; a view.
  func slice(axis: Int, at index: Int) throws(OperatorError) -> Tensor {
    let part = sliced(axis: axis, first: index, count: 1)
    var (sizes, strides) = (part.shape.dimensions, part.strides)
    sizes.remove(at: axis)
    strides.remove(at: axis)
    return part.view(shape: try .checked(sizes), strides: strides)
  }
}
