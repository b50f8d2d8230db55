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
      KeepDelta.self,
      KeepAccumulatedDelta.self,
      KeepOutput.self,
    ],
    forecasts: [
      ForecastTaylor.self,
      ForecastHermite.self,
      ForecastLinear.self,
    ],
    functions: [
      RelativeL1.self,
      RelativeL2.self,
      L1Distance.self,
      CosineDistance.self,
      Polynomial.self,
      PerStep.self,
    ])
}
