/// Words that options take.
enum OptionWord {
  static func parse<Word: RawRepresentable & CaseIterable>(
    _ text: String, option: String
  ) throws -> Word where Word.RawValue == String {
    guard let word = Word(rawValue: text) else {
      let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw UsageError(
        "unknown-word", at: "\(option) \(text)", "this is not one of \(known)")
    }
    return word
  }
}
