public import ScheduleLanguage

extension AdapterDescription {
  /// The model's own name for an input of the adapter.
  ///
  /// - Parameters:
  ///   - input: a name that the adapter uses
  ///   - roles: the model's names, by the adapter's name or by the role: `latents`, `timestep`,
  ///     `guidance`, and `text`, `mask`, `pooled` or `extra` where the adapter names one such input
  /// - Returns: the name, `input` itself when no role says otherwise
  public func ownName(of input: String, roles: [String: String]) -> String {
    roles[input] ?? roleWord(of: input).flatMap { roles[$0] } ?? input
  }

  private func roleWord(of input: String) -> String? {
    if case .embedded(input, _) = guidance { return "guidance" }
    let words = [
      ("latents", [latents]), ("timestep", [timestep]), ("text", text), ("mask", masks),
      ("pooled", pooled), ("extra", extras),
    ]
    return words.first { $0.1 == [input] }?.0
  }
}
