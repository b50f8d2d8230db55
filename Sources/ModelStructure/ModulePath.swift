import GraphIR

/// The module a node was exported from, such as `blocks.0.attn1.to_q`; empty for the model itself.
struct ModulePath: Hashable {
  let components: [Substring]

  /// Reads the exporter's scopes, or the node name of a legacy export.
  init(of node: Node) {
    let text =
      node.scopes.count >= 2
      ? node.scopes[node.scopes.count - 2] : Self.legacyPath(node.name.text)
    components = text.split(separator: ".")
  }

  /// `/blocks.0/attn1/to_q/MatMul` as `blocks.0.attn1.to_q`.
  private static func legacyPath(_ name: String) -> String {
    guard name.hasPrefix("/") else { return "" }
    return name.split(separator: "/").dropLast().joined(separator: ".")
  }

  var isRoot: Bool { components.isEmpty }

  /// The outermost numbered list on the path: its name, the number and what follows.
  var listElement: (family: String, index: Int, rest: ArraySlice<Substring>)? {
    for (position, component) in components.enumerated() where position > 0 {
      guard let index = Int(component), index >= 0 else { continue }
      let family = components[..<position].joined(separator: ".")
      return (family, index, components[(position + 1)...])
    }
    return nil
  }
}
