public import Diffusion
import Tensors

/// The inner products of everything a model predicted along an uncached run.
public struct Trajectory: Sendable {
  /// Scheduler steps.
  public let stepCount: Int
  /// How the predictions of one step are summed for guidance: [1 − g, g] for two calls.
  public let mixing: [Double]
  /// ⟨pᵢ, pⱼ⟩ of the predictions i = step · calls + call, in row-major order.
  public let products: [Double]
  /// Elements of a prediction.
  public let elementCount: Int

  /// The products of a recording; batched guidance is summed first.
  ///
  /// - Parameters:
  ///   - recording: an uncached run
  ///   - guidance: the guidance scale; nil without guidance
  public init(_ recording: Recording, guidance: Double?) {
    let outputs = recording.modelOutputs
    stepCount = outputs.shape[0]
    let values = outputs.elements(as: Float.self)
    let scale = Float(guidance ?? 1)
    var rows: [[Float]] = []
    if recording.branches == ["batched"] {
      let size = values.count / max(stepCount, 1)
      let half = size / 2
      for step in 0..<stepCount {
        rows.append(
          (0..<half).map { element in
            let uncond = values[step * size + element]
            return uncond + scale * (values[step * size + half + element] - uncond)
          })
      }
      mixing = [1]
    } else {
      let calls = recording.branches.count
      let size = values.count / max(stepCount * calls, 1)
      for row in 0..<stepCount * calls { rows.append(Array(values[row * size..<(row + 1) * size])) }
      mixing = calls == 2 ? [1 - Double(scale), Double(scale)] : [1]
    }
    elementCount = rows.first?.count ?? 0
    products = Self.products(of: rows)
  }

  /// A trajectory of known products.
  public init(stepCount: Int, mixing: [Double], products: [Double], elementCount: Int) {
    self.stepCount = stepCount
    self.mixing = mixing
    self.products = products
    self.elementCount = elementCount
  }

  private static func products(of rows: [[Float]]) -> [Double] {
    var products = [Double](repeating: 0, count: rows.count * rows.count)
    for i in rows.indices {
      for j in 0...i {
        let product = rows[i].withUnsafeBufferPointer { a in
          rows[j].withUnsafeBufferPointer { b in
            var sum = 0.0
            for element in a.indices { sum += Double(a[element]) * Double(b[element]) }
            return sum
          }
        }
        products[i * rows.count + j] = product
        products[j * rows.count + i] = product
      }
    }
    return products
  }
}
