extension Graph {
  /// The graph as text: stable from run to run, one line a node.
  ///
  /// Weights are shown by type only. `maximumNodes` cuts long graphs and says how many were left.
  public func text(maximumNodes: Int = .max) -> String {
    var lines: [String] = []
    write(to: &lines, indent: "", header: "graph", maximumNodes: maximumNodes)
    return lines.joined(separator: "\n") + "\n"
  }

  private func write(
    to lines: inout [String], indent: String, header: String, maximumNodes: Int,
    captured: [Name] = []
  ) {
    let versions = opsets.sorted { $0.key < $1.key }
      .map { $0.key.isEmpty ? "opset \($0.value)" : "\($0.key) \($0.value)" }
    lines.append("\(indent)\(header) '\(name)' (\(versions.joined(separator: ", "))) {")
    for value in inputs {
      let role = initializers[value] == nil ? "input" : "optional input"
      lines.append("\(indent)  \(role) \(self.name(of: value)): \(type(of: value))")
    }
    for (value, outer) in zip(captures, captured) {
      lines.append("\(indent)  capture \(self.name(of: value)): \(type(of: value)) <- \(outer)")
    }
    for value in initializerOrder where !inputs.contains(value) {
      lines.append("\(indent)  constant \(self.name(of: value)): \(type(of: value))")
    }
    for id in order.prefix(maximumNodes) { write(self[id], to: &lines, indent: indent + "  ") }
    if order.count > maximumNodes {
      lines.append("\(indent)  … \(order.count - maximumNodes) more nodes")
    }
    for pair in statePairs {
      lines.append("\(indent)  state \(self.name(of: pair.input)) <- \(self.name(of: pair.output))")
    }
    for value in outputs {
      lines.append("\(indent)  output \(self.name(of: value)): \(type(of: value))")
    }
    lines.append("\(indent)}")
  }

  private func write(_ node: Node, to lines: inout [String], indent: String) {
    let results = node.outputs.map { value in
      value.map { "\(name(of: $0)): \(type(of: $0))" } ?? "_"
    }
    let operands = node.inputs.map { value in value.map { name(of: $0).description } ?? "_" }
    var line = "\(indent)\(results.joined(separator: ", ")) = \(node.op)"
    line += "(\(operands.joined(separator: ", ")))"
    let constants = node.attributes.compactMap { attribute in
      attribute.value.inlineText.map { "\(attribute.name) = \($0)" }
    }
    if !constants.isEmpty { line += " {\(constants.joined(separator: ", "))}" }
    if let cache = node.cache { line += " rule \(cache.rule) site \(cache.site)" }
    lines.append(line)
    func write(_ subgraph: Subgraph, _ header: String) {
      subgraph.graph.write(
        to: &lines, indent: indent + "  ", header: header, maximumNodes: .max,
        captured: subgraph.captures.map { name(of: $0) })
    }
    for attribute in node.attributes {
      if case .graph(let subgraph) = attribute.value { write(subgraph, attribute.name) }
    }
    if let cache = node.cache {
      write(cache.body, "body")
      write(cache.reuse, "reuse")
    }
  }
}

extension AttributeValue {
  /// The value on one line; nil for graphs, which are written below their node.
  fileprivate var inlineText: String? {
    switch self {
    case .float(let value): "\(value)"
    case .int(let value): "\(value)"
    case .string(let bytes): "\"\(Name(bytes: bytes))\""
    case .tensor(let tensor): tensor.type.description
    case .graph: nil
    case .floats(let values): "\(values)"
    case .ints(let values): "\(values)"
    case .strings(let values):
      "[\(values.map { "\"\(Name(bytes: $0))\"" }.joined(separator: ", "))]"
    case .opaque(let kind): "<\(kind)>"
    }
  }
}
