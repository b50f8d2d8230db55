import GraphIR
import Operators
import Tensors
import TypeInference

/// Checks what a caller feeds against what a model declares.
struct Feeds {
  private let graph: Graph

  init(_ graph: Graph) {
    self.graph = graph
  }

  /// The values by input, in the graph's order; nil where the default is to be taken.
  func ordered(_ feeds: consuming [Name: Tensor]) throws(InterpreterError) -> [RuntimeValue?] {
    var values: [RuntimeValue?] = []
    values.reserveCapacity(graph.inputs.count)
    for input in graph.inputs {
      values.append(feeds.removeValue(forKey: graph.name(of: input)).map { .tensor($0) })
    }
    if let unknown = feeds.keys.min(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
      throw unknownInput(unknown)
    }
    return values
  }

  /// Checks types, shapes and that every symbol has one size.
  func check(_ values: [RuntimeValue?]) throws(InterpreterError) {
    var axes: [SymbolBindings.Axis] = []
    for (input, value) in zip(graph.inputs, values) {
      guard let value else {
        if graph.initializers[input] == nil { throw missingInput(input) }
        continue
      }
      guard case .tensor(let tensor) = value else { continue }
      guard let declared = graph.type(of: input).held.tensor else {
        if graph.type(of: input).held == .unknown { continue }
        throw wrongShape(input, tensor)
      }
      if let dataType = declared.dataType, dataType != tensor.dataType {
        throw InterpreterError(
          "wrong-input-type", at: place(input),
          "\(dataType) is expected, \(tensor.dataType) was given")
      }
      guard let shape = declared.shape else { continue }
      guard shape.count == tensor.rank else { throw wrongShape(input, tensor) }
      for axis in shape.indices {
        if let size = shape[axis].value, size != tensor.shape[axis] {
          throw wrongShape(input, tensor)
        }
        axes.append(
          .init(
            declared: shape[axis], actual: tensor.shape[axis],
            place: "\(place(input)) axis \(axis)"))
      }
    }
    var bindings = SymbolBindings()
    do throws(DimensionError) {
      try bindings.bind(axes)
    } catch {
      throw InterpreterError(
        error.code, at: error.place, error.message, hint: error.hint, category: error.category)
    }
  }

  private func place(_ input: ValueID) -> String { "input '\(graph.name(of: input))'" }

  private func missingInput(_ input: ValueID) -> InterpreterError {
    InterpreterError(
      "missing-input", at: place(input), "\(graph.type(of: input)) is expected, nothing was given")
  }

  private func wrongShape(_ input: ValueID, _ tensor: Tensor) -> InterpreterError {
    InterpreterError(
      "wrong-input-shape", at: place(input),
      "\(graph.type(of: input)) is expected, \(tensor.dataType)\(tensor.shape) was given")
  }

  private func unknownInput(_ name: Name) -> InterpreterError {
    let names = graph.inputs.map { graph.name(of: $0).description }
    let nearest = nearestWord(to: name.description, in: names)
    return InterpreterError(
      "unknown-input", at: "input '\(name)'", "the model has no such input",
      hint: nearest.map { "did you mean '\($0)'?" }
        ?? "its inputs are \(names.joined(separator: ", "))")
  }
}

extension ValueType {
  /// The type of what an optional holds; any other type itself.
  fileprivate var held: ValueType {
    if case .optional(let held) = self { held } else { self }
  }
}

/// The word with the fewest inserted, deleted or replaced letters (Levenshtein distance), if that
/// is at most a third of the word.
func nearestWord(to word: String, in candidates: [String]) -> String? {
  let letters = Array(word)
  var best: (word: String, distance: Int)?
  for candidate in candidates {
    var row = Array(0...letters.count)
    for (i, letter) in candidate.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in letters.indices {
        let replaced = diagonal + (letters[j] == letter ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    if best.map({ row[letters.count] < $0.distance }) ?? true {
      best = (candidate, row[letters.count])
    }
  }
  guard let best, best.distance <= max(1, word.count / 3) else { return nil }
  return best.word
}
