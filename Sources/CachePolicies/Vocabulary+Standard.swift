public import ScheduleLanguage

extension Vocabulary {
  /// The primitives that ship with the tool; decisions in the order in which they are asked.
  public static let standard = Vocabulary(
    decisions: [
      WarmupSteps.self,
      CooldownSteps.self,
      RefreshAt.self,
      RefreshEvery.self,
      MaxCachedSteps.self,
      MaxContinuousCachedSteps.self,
    ],
    reuses: [
      KeepDelta.self
    ])
}
