public import GraphIR

extension OperatorTable {
  /// The operators that fusions write, in alphabetical order; no file may contain them.
  ///
  /// Their domain is `ai.ditcache`.
  public static let fusedTypes: [any Operator.Type] = [
    FusedAttention.self,
    FusedElementwise.self,
    FusedLinear.self,
    FusedNormalization.self,
    FusedProjections.self,
    FusedRotary.self,
  ]
}

extension OpKey {
  /// An operator that fusions write.
  public static func fused(_ name: String) -> OpKey { OpKey(name, domain: "ai.ditcache") }
}
