extension OperatorTable {
  /// Every operator of this module, in alphabetical order.
  public static let standard = OperatorTable([
    Identity.self
  ])
}
