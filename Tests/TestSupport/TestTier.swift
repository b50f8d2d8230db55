import Foundation

/// How much time the tests may take; `Tests/run` sets it in the variable DITCACHE_TESTS.
package enum TestTier: Int, Comparable, Sendable {
  /// Minutes: before each commit.
  case standard
  /// Tens of minutes: in continuous integration.
  case full
  /// As long as somebody waits.
  case long

  /// The tier of this process.
  package static let current: TestTier =
    switch ProcessInfo.processInfo.environment["DITCACHE_TESTS"] {
    case "full": .full
    case "long": .long
    default: .standard
    }

  /// Whether a tier takes less time than another.
  package static func < (a: TestTier, b: TestTier) -> Bool { a.rawValue < b.rawValue }
}
