import ScheduleLanguage
import Testing

@Suite struct ExpressionTests {
  private let context = EvaluationContext(
    controls: [.step: .integer(7), .steps: .integer(50), .sigma: .number(0.5)],
    slots: ["total": .number(.nan), "flag": .boolean(true)])

  @Test func integersFollowTheUsualRules() throws {
    #expect(try (Expression.step - 9).value(in: context) == .integer(-2))
    #expect(try (Expression.step - 9).modulo(6).value(in: context) == .integer(4))
    #expect(try Expression.step.modulo(6).equals(1).isTrue(in: context))
    #expect(try Expression.step.isMember(of: [6, 7]).isTrue(in: context))
    #expect(try Expression.binary(.divide, 1, 4).value(in: context) == .number(0.25))
    #expect(try (Expression.control(.sigma) < 1).isTrue(in: context))
  }

  @Test func theRemainderOfRealNumbersIsThatOfTheDivisionRoundedDown() throws {
    #expect(try Expression.number(7.5).modulo(2).value(in: context) == .number(1.5))
    #expect(try Expression.number(-7.25).modulo(2.5).value(in: context) == .number(0.25))
    let half = Expression.call(.round, [.number(0.5) * .steps])
    #expect(try (half - .step).modulo(4).equals(2).isTrue(in: context))
    #expect(!(try Expression.number(1).modulo(0).equals(0).isTrue(in: context)))
  }

  @Test func comparisonsWithNotANumberAreFalseSoThatTheirOppositeComputes() throws {
    let isSmall = Expression.slot("total") < .number(0.1)
    #expect(try isSmall.isTrue(in: context) == false)
    #expect(try Expression.not(isSmall).isTrue(in: context))
  }

  @Test func whatHasNoValueIsAnErrorWithAName() {
    let cases: [(Expression, String)] = [
      (.step.modulo(0), "division-by-zero"),
      (.integer(.min).modulo(-1), "division-by-zero"),
      (.integer(.max) + 1, "overflow"),
      (.slot("missing"), "unknown-value"),
      (.site(.input), "not-a-scalar"),
      (.step && .boolean(true), "not-a-boolean"),
      (.boolean(true) < 3, "wrong-type"),
      (.slot("flag") + .slot("flag"), "wrong-type"),
    ]
    for (expression, code) in cases {
      let error = #expect(throws: EvaluationError.self) { try expression.value(in: context) }
      #expect(error?.code == code)
    }
  }

  @Test func aDecidedAndOrOrDoesNotLookFurther() throws {
    let broken = Expression.step.modulo(0).equals(0)
    #expect(try Expression.any([.boolean(true), broken]).isTrue(in: context))
    #expect(try (Expression.boolean(false) && broken).isTrue(in: context) == false)
    #expect(try Expression.any([]).isTrue(in: context) == false)
  }

  @Test func theTextHasTheParenthesesItNeeds() {
    let sum = Expression.step - (.steps - 2)
    #expect(sum.description == "step - (steps - 2)")
    #expect((Expression.step - .steps - 2).description == "step - steps - 2")
    #expect(Expression.not(.step < 3).description == "not (step < 3)")
    #expect(
      (Expression.any([.step < 1, .step < 2]) && .boolean(true)).description
        == "(step < 1 or step < 2) and true")
  }

  @Test func staticMeansThatATableOfStepsSaysItAll() {
    #expect((Expression.control(.cachedSteps) >= 3).isStatic)
    #expect(!(Expression.control(.sigma) < 3).isStatic)
    #expect(!(Expression.slot("total") < 3).isStatic)
    #expect(Expression.slot("a").equals(.slot("b")).slots == ["a", "b"])
  }

  @Test func theFirstStepComputesAndReadsOutsideTheTableAreClipped() throws {
    let table = try StepTable(deciding: .step.isMember(of: [2, 4]), steps: 6)
    #expect(table.computedSteps == [0, 2, 4])
    #expect((table.isComputed(at: -3), table.isComputed(at: 99)) == (true, false))
    #expect((table.computedCount, table.reusedCount) == (3, 3))
    #expect(table.computedFraction == 0.5)
  }
}
