/// A size or an index that does not fit.
public struct ArithmeticOverflow: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was being computed, with the numbers.
  public let message: String

  /// An overflow described by one sentence.
  public init(_ message: String) {
    self.message = message
  }

  /// The sentence.
  public var description: String { message }
}

/// Arithmetic for numbers that came from a file or a user: it throws where Swift's would trap.
public enum Checked {
  /// The sum, or an error that names both numbers.
  public static func sum(_ a: Int, _ b: Int) throws(ArithmeticOverflow) -> Int {
    let (result, overflow) = a.addingReportingOverflow(b)
    guard !overflow else { throw ArithmeticOverflow("\(a) + \(b) does not fit in 64 bits") }
    return result
  }

  /// The product, or an error that names both numbers.
  public static func product(_ a: Int, _ b: Int) throws(ArithmeticOverflow) -> Int {
    let (result, overflow) = a.multipliedReportingOverflow(by: b)
    guard !overflow else { throw ArithmeticOverflow("\(a) × \(b) does not fit in 64 bits") }
    return result
  }

  /// The product of all dimensions, 1 for none.
  ///
  /// Negative dimensions are an error, and so are dimensions whose product without the zeros does
  /// not fit: strides are made of them.
  public static func product(of dimensions: some Sequence<Int>) throws(ArithmeticOverflow) -> Int {
    var result = 1
    var isEmpty = false
    for dimension in dimensions {
      guard dimension >= 0 else { throw ArithmeticOverflow("dimension \(dimension) is negative") }
      isEmpty = isEmpty || dimension == 0
      result = try product(result, Swift.max(dimension, 1))
    }
    return isEmpty ? 0 : result
  }
}
