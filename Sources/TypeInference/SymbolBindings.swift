package import GraphIR

/// The sizes that symbolic dimensions take, solved from what is known of some axes.
package struct SymbolBindings: Sendable {
  /// One axis whose size is known.
  package struct Axis: Sendable {
    /// How the model declares it.
    package let declared: Dimension
    /// The size it has.
    package let actual: Int
    /// The axis in words, such as `input 'hidden_states' axis 2`.
    package let place: String

    /// An axis of a declared and an actual size.
    package init(declared: Dimension, actual: Int, place: String) {
      self.declared = declared
      self.actual = actual
      self.place = place
    }
  }

  /// The size of each bound symbol.
  package private(set) var sizes: [String: Int]

  private var origins: [String: String] = [:]

  /// Sizes of symbols given by name.
  package init(_ sizes: [String: Int] = [:]) {
    self.sizes = sizes
  }

  /// Binds the symbols of all axes, or throws the first contradiction.
  ///
  /// Axes with one unbound symbol are solved for it until none is left; an axis with more stays
  /// unchecked.
  package mutating func bind(_ axes: [Axis]) throws(DimensionError) {
    var open = axes
    var progress = true
    while progress {
      progress = false
      var next: [Axis] = []
      for axis in open {
        if try settle(axis) { progress = true } else { next.append(axis) }
      }
      open = next
    }
  }

  /// True when the axis needs no further look.
  private mutating func settle(_ axis: Axis) throws(DimensionError) -> Bool {
    let rest = axis.declared.substituting(sizes)
    if let expected = rest.value {
      guard expected == axis.actual else { throw conflict(axis, expected: expected) }
      return true
    }
    guard rest.terms.count == 1, let term = rest.terms.first, term.isSymbol else { return false }
    let (difference, overflow) = axis.actual.subtractingReportingOverflow(rest.constant)
    guard !overflow, difference.isMultiple(of: term.coefficient),
      difference == 0 || (difference > 0) == (term.coefficient > 0)
    else {
      throw DimensionError(
        "dimension-conflict", at: axis.place,
        "the size is \(axis.actual), which no value of \(term.symbol) makes equal to "
          + "\(axis.declared)")
    }
    sizes[term.symbol] = difference / term.coefficient
    origins[term.symbol] = axis.place
    return true
  }

  private func conflict(_ axis: Axis, expected: Int) -> DimensionError {
    let reasons = axis.declared.symbols.compactMap { symbol in
      sizes[symbol].map { size in
        "\(symbol) = \(size)" + (origins[symbol].map { " by \($0)" } ?? "")
      }
    }
    guard !reasons.isEmpty else {
      return DimensionError(
        "dimension-conflict", at: axis.place,
        "the size is \(axis.actual), the model requires \(expected)")
    }
    return DimensionError(
      "dimension-conflict", at: axis.place,
      "the size is \(axis.actual), the model requires \(axis.declared) = \(expected) "
        + "(\(reasons.joined(separator: ", ")))")
  }
}

extension ValueType {
  /// The type with bound symbols replaced by their sizes.
  package func substituting(_ sizes: [String: Int]) -> ValueType {
    if sizes.isEmpty { return self }
    switch self {
    case .unknown: return .unknown
    case .tensor(let type):
      return .tensor(type.dataType, type.shape?.map { $0.substituting(sizes) })
    case .sequence(let element): return .sequence(element.substituting(sizes))
    case .optional(let element): return .optional(element.substituting(sizes))
    }
  }
}
