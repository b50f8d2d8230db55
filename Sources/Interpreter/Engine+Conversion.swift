public import GraphIR
import Operators
public import Tensors

extension Engine {
  /// Feeds with numbers converted to the element types that the model declares.
  ///
  /// Names that the model does not have, and bools where numbers are due or the other way round,
  /// pass unchanged, for `run` to refuse.
  public func converted(_ feeds: [Name: Tensor]) throws(InterpreterError) -> [Name: Tensor] {
    var result = feeds
    for port in inputs {
      guard let tensor = feeds[port.name], let type = port.type.tensor?.dataType,
        type != tensor.dataType, type != .bool, tensor.dataType != .bool
      else { continue }
      do throws(OperatorError) {
        result[port.name] = try tensor.converted(to: type)
      } catch {
        throw InterpreterError(error.at("input '\(port.name)'"))
      }
    }
    return result
  }
}

extension Tensor {
  /// The elements as float32, by the rules of ONNX's `Cast`.
  public func asFloat32() throws(InterpreterError) -> Tensor {
    do throws(OperatorError) {
      return try converted(to: .float32)
    } catch {
      throw InterpreterError(error)
    }
  }
}
