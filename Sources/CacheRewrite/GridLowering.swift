import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Tokens by their places in the latents.
extension ExpressionLowering {
  /// The score of the best token of each square cell, at that token, and 0 at all others; of equal
  /// ones the first, row by row.
  func gridPeaks(of scores: Operand, side: Int, in scope: GraphScope) throws -> Operand {
    guard let shape = scores.type.shape, shape.count == 3, shape[2] == 1 else {
      throw unsupported("'grid_peaks' of anything but one score a token")
    }
    let zero = scope.graph.constant([Float(0)], shape: .scalar)
    var result = scores
    guard let grid = try grid() else {
      result.value = scope.emit("Mul", [scores.value, zero], scores.valueType)
      return result
    }
    guard grid.rows % side == 0, grid.columns % side == 0 else {
      throw CacheRewriteError(
        "uneven-cells", at: place,
        "cells of \(side) x \(side) tokens do not tile frames of \(grid.rows) x \(grid.columns)",
        hint: "choose a side that divides both", category: .badSchedule)
    }
    let bands = grid.frames * grid.rows / side
    let across = grid.columns / side
    let batch = shape[0]
    func type(_ dataType: DataType, _ sizes: [Int]) -> ValueType {
      .tensor(dataType, [batch] + sizes.map { Dimension($0) })
    }
    func reshaped(_ value: ValueID, _ sizes: [Int]) -> ValueID {
      scope.emit("Reshape", [value, vector([-1] + sizes, in: scope)], type(.float32, sizes))
    }
    func swapped(_ value: ValueID, _ sizes: [Int]) -> ValueID {
      scope.emit(
        "Transpose", [value], [Attribute("perm", .ints([0, 1, 3, 2, 4]))], type(.float32, sizes))
    }
    let rows = reshaped(scores.value, [bands, side, across, side])
    let cells = reshaped(
      swapped(rows, [bands, across, side, side]), [bands * across, side * side])
    let best = scope.emit(
      "ArgMax", [cells], [Attribute("axis", .int(-1))], type(.int64, [bands * across, 1]))
    let places = scope.graph.constant(
      (0..<side * side).map(Int64.init), shape: .vector(side * side))
    let isBest = scope.emit("Equal", [places, best], type(.bool, [bands * across, side * side]))
    let peaks = scope.emit(
      "Where", [isBest, cells, zero], type(.float32, [bands * across, side * side]))
    let back = swapped(
      reshaped(peaks, [bands, across, side, side]), [bands, side, across, side])
    result.value = reshaped(back, [grid.count, 1])
    return result
  }
}
