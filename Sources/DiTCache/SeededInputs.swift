import Diffusion
import GraphIR
import Interpreter
import Tensors

/// Inputs for a model of which nothing else is known.
enum SeededInputs {
  /// Floats N(0, 1), masks 1, timesteps 500, integers 0, bool true; free dimensions become 2.
  static func make(for ports: [Port]) throws -> [Name: Tensor] {
    var noise = GaussianNoise(seed: 0)
    var feeds: [Name: Tensor] = [:]
    for port in ports where !port.isOptional {
      guard let type = port.type.tensor, let dataType = type.dataType else {
        throw UsageError(
          "unknown-input-type", at: "input '\(port.name)'", "its type is not known",
          hint: "pass --input with real inputs")
      }
      let sizes = (type.shape ?? []).map { $0.value ?? 2 }
      let shape = try Shape(sizes)
      let count = shape.elementCount
      switch dataType {
      case .int64: feeds[port.name] = Tensor([Int64](repeating: 0, count: count), shape: shape)
      case .int32: feeds[port.name] = Tensor([Int32](repeating: 0, count: count), shape: shape)
      case .bool: feeds[port.name] = Tensor([Bool](repeating: true, count: count), shape: shape)
      default:
        let name = port.name.text
        if name.contains("timestep") || name.contains("mask") {
          let value: Float = name.contains("mask") ? 1 : 500
          feeds[port.name] = Tensor([Float](repeating: value, count: count), shape: shape)
        } else {
          feeds[port.name] = noise.tensor(shape)
        }
      }
    }
    return feeds
  }
}
