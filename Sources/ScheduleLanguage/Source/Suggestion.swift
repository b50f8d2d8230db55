/// The nearest right word for a wrong one.
package enum Suggestion {
  private static let longestWord = 64

  /// The candidate nearest to a word by edit distance, if it is near enough to be meant.
  ///
  /// Near enough is a third of the word's length, at least one and at most three edits; a swap of
  /// neighbours is one edit. The first of equally near candidates wins.
  package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased().utf8)
    guard letters.count <= longestWord else { return nil }
    let limit = min(3, max(1, letters.count / 3))
    var best: (word: String, distance: Int)?
    for candidate in candidates where candidate != word {
      let other = Array(candidate.lowercased().utf8)
      guard other.count <= longestWord, abs(other.count - letters.count) <= limit else { continue }
      let distance = editDistance(letters, other)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
  }

  /// `did you mean 'refresh'?`, if a candidate is near.
  package static func hint(for word: String, among candidates: some Sequence<String>) -> String? {
    nearest(to: word, among: candidates).map { "did you mean '\($0)'?" }
  }

  /// The optimal string alignment distance: insertions, deletions, changes, and swaps of neighbours.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforePrevious = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in a.indices {
      var current = [i + 1]
      for j in b.indices {
        var cost = min(previous[j + 1] + 1, current[j] + 1)
        cost = min(cost, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforePrevious[j - 1] + 1)
        }
        current.append(cost)
      }
      (beforePrevious, previous) = (previous, current)
    }
    return previous[b.count]
  }
}
