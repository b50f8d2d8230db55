import GraphIR

/// What an operator derives and what the file declares, made one.
struct MergedType {
  /// The most that is known.
  let type: ValueType
  /// Both sides in words, when they contradict each other; the derived one is kept.
  let contradiction: String?

  /// Combines both; `symbols` are those of the graph's inputs, which are worth more than symbols
  /// that were invented on the way.
  init(derived: ValueType, declared: ValueType, symbols: Set<String>) {
    guard case .tensor(let own) = derived, case .tensor(let other) = declared else {
      type = derived == .unknown ? declared : derived
      contradiction = nil
      return
    }
    var isContradiction = false
    if let a = own.dataType, let b = other.dataType, a != b { isContradiction = true }
    var shape = own.shape ?? other.shape
    if let a = own.shape, let b = other.shape {
      if a.count == b.count {
        shape = zip(a, b).map { Self.preferred($0, $1, symbols: symbols) }
        if zip(a, b).contains(where: { Self.contradict($0, $1) }) { isContradiction = true }
      } else {
        isContradiction = true
      }
    }
    type = .tensor(own.dataType ?? other.dataType, shape)
    contradiction =
      isContradiction
      ? "the file declares \(declared), but the operator yields \(derived)" : nil
  }

  private static func contradict(_ a: Dimension, _ b: Dimension) -> Bool {
    guard let a = a.value, let b = b.value else { return false }
    return a != b
  }

  private static func preferred(
    _ derived: Dimension, _ declared: Dimension, symbols: Set<String>
  ) -> Dimension {
    if derived.value != nil || derived == declared { return derived }
    if declared.value != nil { return declared }
    let derivedIsNative = derived.symbols.allSatisfy(symbols.contains)
    let declaredIsNative = declared.symbols.allSatisfy(symbols.contains)
    return !derivedIsNative && declaredIsNative ? declared : derived
  }
}
