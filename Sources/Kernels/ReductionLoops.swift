import CVectorKernels
import Tensors

/// Folds numbers of one type into an accumulator of a wider one.
private struct Fold<Number, Accumulator> {
  let initial: Accumulator
  let add: (inout Accumulator, Number) -> Void
  let finish: (Accumulator, Int) -> Number
}

extension Reduction {
  /// `float32`: sums along dense rows and down columns run in C.
  static func floats(
    _ operation: ReductionOperation, _ walk: ReductionWalk, _ input: Tensor, _ output: Tensor
  ) {
    let source = input.pointer(as: Float.self)
    let result = output.pointer(as: Float.self)
    let divisor = operation == .mean ? Double(walk.reducedCount) : 1
    switch operation {
    case .sum where walk.isColumnwise, .mean where walk.isColumnwise:
      columnSums(walk, source, result, divisor)
    case .sum where walk.reduced.rowStrides[0] == 1, .mean where walk.reduced.rowStrides[0] == 1:
      rowSums(walk, source, result, divisor) { ditc_f32_sum($0, $1) }
    case .sumOfSquares where walk.reduced.rowStrides[0] == 1:
      rowSums(walk, source, result, 1) { ditc_f32_sum_of_squares($0, 0, $1) }
    case .maximum where walk.reduced.rowStrides[0] == 1 && !walk.isColumnwise:
      rowExtremes(walk, source, result, -.infinity, ditc_f32_largest) { $0 > $1 }
    case .minimum where walk.reduced.rowStrides[0] == 1 && !walk.isColumnwise:
      rowExtremes(walk, source, result, .infinity, ditc_f32_smallest) { $0 < $1 }
    default: numbers(Float.self, Double.self, operation, walk, input, output)
    }
  }

  private static func rowExtremes(
    _ walk: ReductionWalk, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>,
    _ worst: Float, _ extreme: (UnsafePointer<Float>, Int) -> Float,
    _ beats: (Float, Float) -> Bool
  ) {
    Parallel.forEachPart(of: walk.outputCount, operationsPerItem: walk.reducedCount / 8 + 4) {
      range in
      walk.kept.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          let start = source + places[0] + i * walk.kept.rowStrides[0]
          var best = worst
          walk.reduced.forEachRow(in: 0..<walk.reducedCount) { _, inner, length in
            let found = extreme(start + inner[0], length)
            if found.isNaN || beats(found, best) { best = found }
          }
          result[position + i] = best
        }
      }
    }
  }

  private static func rowSums(
    _ walk: ReductionWalk, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>,
    _ divisor: Double, _ sum: (UnsafePointer<Float>, Int) -> Double
  ) {
    Parallel.forEachPart(of: walk.outputCount, operationsPerItem: walk.reducedCount / 8 + 4) {
      range in
      walk.kept.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          let start = source + places[0] + i * walk.kept.rowStrides[0]
          var total = 0.0
          walk.reduced.forEachRow(in: 0..<walk.reducedCount) { _, inner, length in
            total += sum(start + inner[0], length)
          }
          result[position + i] = Float(total / divisor)
        }
      }
    }
  }

  private static func columnSums(
    _ walk: ReductionWalk, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>,
    _ divisor: Double
  ) {
    Parallel.forEachPart(
      of: walk.outputCount, operationsPerItem: walk.reducedCount / 2 + 1, grain: 16
    ) { range in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: ReductionWalk.tileCount) { buffer in
        guard let totals = buffer.baseAddress else { return }
        walk.kept.forEachRow(in: range) { position, places, count in
          for first in stride(from: 0, to: count, by: ReductionWalk.tileCount) {
            let width = Swift.min(ReductionWalk.tileCount, count - first)
            totals.update(repeating: 0, count: width)
            walk.reduced.forEachRow(in: 0..<walk.reducedCount) { _, inner, length in
              let start = source + places[0] + first + inner[0]
              for i in 0..<length {
                ditc_f32_accumulate(start + i * walk.reduced.rowStrides[0], totals, width)
              }
            }
            for i in 0..<width { result[position + first + i] = Float(totals[i] / divisor) }
          }
        }
      }
    }
  }

  /// Any floating-point type, element by element.
  static func numbers<Number: BinaryFloatingPoint & BitwiseCopyable>(
    _ type: Number.Type, _ accumulator: Double.Type, _ operation: ReductionOperation,
    _ walk: ReductionWalk, _ input: Tensor, _ output: Tensor
  ) {
    let fold: Fold<Number, Double> =
      switch operation {
      case .sum: Fold(initial: 0, add: { $0 += Double($1) }, finish: { total, _ in Number(total) })
      case .mean:
        Fold(
          initial: 0, add: { $0 += Double($1) },
          finish: { total, count in Number(total / Double(count)) })
      case .maximum:
        Fold(
          initial: -.infinity, add: { if $1.isNaN || Double($1) > $0 { $0 = Double($1) } },
          finish: { total, _ in Number(total) })
      case .minimum:
        Fold(
          initial: .infinity, add: { if $1.isNaN || Double($1) < $0 { $0 = Double($1) } },
          finish: { total, _ in Number(total) })
      case .product:
        Fold(initial: 1, add: { $0 *= Double($1) }, finish: { total, _ in Number(total) })
      case .sumOfSquares:
        Fold(
          initial: 0, add: { $0 += Double($1) * Double($1) }, finish: { total, _ in Number(total) })
      case .sumOfMagnitudes:
        Fold(
          initial: 0, add: { $0 += Double($1.magnitude) }, finish: { total, _ in Number(total) })
      }
    run(fold, walk, input, output)
  }

  /// Any integer type, element by element, wrapping around in 64 bits.
  static func numbers<
    Number: FixedWidthInteger & BitwiseCopyable, Wide: FixedWidthInteger & BitwiseCopyable
  >(
    _ type: Number.Type, _ wide: Wide.Type, _ operation: ReductionOperation,
    _ walk: ReductionWalk, _ input: Tensor, _ output: Tensor
  ) {
    let narrow: (Wide, Int) -> Number = { total, _ in Number(truncatingIfNeeded: total) }
    let fold: Fold<Number, Wide> =
      switch operation {
      case .sum: Fold(initial: 0, add: { $0 = $0 &+ Wide($1) }, finish: narrow)
      case .mean:
        Fold(
          initial: 0, add: { $0 = $0 &+ Wide($1) },
          finish: { total, count in
            count == 0 ? 0 : Number(truncatingIfNeeded: total / Wide(count))
          })
      case .maximum:
        Fold(initial: Wide(Number.min), add: { $0 = Swift.max($0, Wide($1)) }, finish: narrow)
      case .minimum:
        Fold(initial: Wide(Number.max), add: { $0 = Swift.min($0, Wide($1)) }, finish: narrow)
      case .product: Fold(initial: 1, add: { $0 = $0 &* Wide($1) }, finish: narrow)
      case .sumOfSquares:
        Fold(initial: 0, add: { $0 = $0 &+ Wide($1) &* Wide($1) }, finish: narrow)
      case .sumOfMagnitudes:
        Fold(
          initial: 0, add: { $0 = $0 &+ ($1 < 0 ? 0 &- Wide($1) : Wide($1)) }, finish: narrow)
      }
    run(fold, walk, input, output)
  }

  private static func run<Number: BitwiseCopyable, Accumulator>(
    _ fold: Fold<Number, Accumulator>, _ walk: ReductionWalk, _ input: Tensor, _ output: Tensor
  ) {
    let source = input.pointer(as: Number.self)
    let result = output.pointer(as: Number.self)
    let (outerStep, innerStep) = (walk.kept.rowStrides[0], walk.reduced.rowStrides[0])
    Parallel.forEachPart(of: walk.outputCount, operationsPerItem: walk.reducedCount * 2 + 4) {
      range in
      walk.kept.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          let start = source + places[0] + i * outerStep
          var total = fold.initial
          walk.reduced.forEachRow(in: 0..<walk.reducedCount) { _, inner, length in
            for j in 0..<length { fold.add(&total, start[inner[0] + j * innerStep]) }
          }
          result[position + i] = fold.finish(total, walk.reducedCount)
        }
      }
    }
  }
}
