import GraphIR

/// The names that the values of one graph get in a file.
///
/// ONNX forbids a name in a subgraph that an enclosing graph has, while IR graphs name their
/// values independently; captures get the name of what they stand for.
final class ExportScope {
  private let names: [Name]
  private let live: Set<Name>
  private let parent: ExportScope?

  /// Names for `graph`; `captured` are the outer names of its captures.
  init(_ graph: Graph, captured: [Name] = [], parent: ExportScope? = nil) {
    var names = (0..<graph.valueCount).map { graph.name(of: ValueID($0)) }
    var live: Set<Name> = []
    for (capture, name) in zip(graph.captures, captured) { names[Int(capture.index)] = name }
    var values = graph.inputs + graph.initializerOrder.filter { !graph.inputs.contains($0) }
    for id in graph.order { values += graph[id].outputs.compactMap { $0 } }
    var pending: [ValueID] = []
    for value in values {
      let name = names[Int(value.index)]
      if parent?.isTaken(name) ?? false {
        pending.append(value)
      } else {
        live.insert(name)
      }
    }
    for value in pending {
      var number = 1
      var name = names[Int(value.index)]
      let stem = name.bytes
      repeat {
        name = Name(bytes: stem + Array("_\(number)".utf8))
        number += 1
      } while live.contains(name) || parent?.isTaken(name) ?? false
      names[Int(value.index)] = name
      live.insert(name)
    }
    self.names = names
    self.live = live
    self.parent = parent
  }

  subscript(value: ValueID) -> Name { names[Int(value.index)] }

  /// The name of an operand, empty for an absent one.
  subscript(value: ValueID?) -> Name { value.map { self[$0] } ?? "" }

  private func isTaken(_ name: Name) -> Bool {
    live.contains(name) || parent?.isTaken(name) ?? false
  }
}
