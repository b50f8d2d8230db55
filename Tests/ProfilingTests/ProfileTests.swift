import ModelStructure
import Profiling
import Tensors
import Testing

/// The arithmetic of a profile on small numbers worked out by hand or with NumPy.
@Suite struct ProfileTests {
  /// Three channels of twenty numbers that depend on each other a little.
  static let channels: [[Double]] = (0..<3).map { (channel: Int) -> [Double] in
    (0..<20).map { (index: Int) -> Double in
      Double(index * (7 + 4 * channel) % 11) - Double(channel * index) / 5
    }
  }

  @Test func componentsAreUncorrelatedAndTheFirstVariesMost() throws {
    let found = try PrincipalComponents(of: Self.channels, count: 2)
    #expect(found.axes.count == 2)
    let projected = found.project(Self.channels)
    func product(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0.0) { $0 + $1.0 * $1.1 }
    }
    #expect(product(projected[0], projected[0]) > product(projected[1], projected[1]))
    #expect(abs(product(projected[0], projected[1])) < 1e-9)
    for axis in found.axes {
      #expect(abs(product(axis, axis) - 1) < 1e-12)
      let largest = axis.max { abs($0) < abs($1) } ?? 0
      #expect(largest > 0)
    }
  }

  /// A disc of another colour before two kinds of stripes, without noise.
  static func scene() -> FeatureMap {
    var components = [[Double]](repeating: [], count: 3)
    for frame in 0..<2 {
      for row in 0..<12 {
        for column in 0..<12 {
          let isDisc = abs(row - 6) < 3 && abs(column - 4 - 2 * frame) < 3
          let stripe = row / 2 % 2 == 0 ? 1.0 : -1.0
          components[0].append(isDisc ? 0 : stripe)
          components[1].append(isDisc ? 5 : 0)
          components[2].append(0)
        }
      }
    }
    return FeatureMap(frames: 2, rows: 12, columns: 12, components: components)
  }

  @Test func theBuiltInSegmentationFindsWhatDoesNotTouchTheBorder() throws {
    let mask = ForegroundMask(segmenting: Self.scene())
    #expect(mask.isForeground.count { $0 } == 50)
    for frame in 0..<2 {
      let start = frame * 144
      #expect(mask.isForeground[start + 6 * 12 + 4 + 2 * frame])
      #expect(!mask.isForeground[start])
    }
    let tokens = try mask.tokens(TokenGrid(frames: 2, rows: 6, columns: 6))
    #expect(tokens.count == 72 && tokens[3 * 6 + 2])
  }

  @Test func halfOfATokensPlacesMakeItForeground() throws {
    let mask = ForegroundMask(
      frames: 1, rows: 2, columns: 4,
      isForeground: [true, true, true, false, false, false, false, false])
    #expect(try mask.tokens(TokenGrid(frames: 1, rows: 1, columns: 2)) == [true, false])
    let error = #expect(throws: ProfilingError.self) {
      try mask.tokens(TokenGrid(frames: 1, rows: 1, columns: 3))
    }
    #expect(error?.code == "mask-size")
  }

  @Test func masksComeFromArraysAndAnswers() throws {
    let array = Tensor([0, 2, 0, -1] as [Float], shape: try Shape([2, 2]))
    let mask = try ForegroundMask(array, place: "masks.npy")
    #expect(mask.isForeground == [false, true, false, false] && mask.frames == 1)
    let answer = Tensor([3, -3] as [Float], shape: try Shape([1, 1, 1, 2]))
    let wide = try ForegroundMask(answers: [answer], rows: 2, columns: 4, place: "net")
    #expect(wide.isForeground == [true, true, false, false, true, true, false, false])
    #expect(throws: ProfilingError.self) { try ForegroundMask(Tensor([1] as [Float]), place: "") }
  }

  @Test func scoresAreThePartOfTheForegroundThatIsLookedAt() throws {
    // Two frames of two tokens; the foreground is token 0 of frame 0 and both of frame 1.
    let received: [[[Float]]] = [
      [[0.4, 0.1, 0.3, 0.2], [0.2, 0.3, 0.2, 0.3]],
      [[0.1, 0.1, 0.4, 0.4], [0.7, 0.1, 0.1, 0.1]],
    ]
    let scores = try BlockScores(
      received: received, keyCounts: [4, 4], foreground: [true, false, true, true],
      grid: TokenGrid(frames: 2, rows: 1, columns: 2), threshold: 1)
    #expect(scores.scores == [[0.75, 0.25], [0.5, 0.5]])
    #expect(abs(scores.focus[0] - (0.9 + 0.7) / 2 / 0.75) < 1e-6)
    #expect(throws: ProfilingError.self) {
      try BlockScores(
        received: received, keyCounts: [4, 4], foreground: [false, false, false, false],
        grid: TokenGrid(frames: 2, rows: 1, columns: 2), threshold: 1)
    }
  }

  @Test func evenChangesGiveEvenIntervals() {
    let plan = StepPlan(changes: [Double](repeating: 0.1, count: 49), warmup: 6, interval: 6)
    #expect(plan.warmup == 6)
    #expect(abs(plan.longest - 6) < 1e-6 && abs(plan.shortest - 6) < 1e-6)
    #expect(plan.refresh == [6, 12, 18, 24, 30, 36, 42, 48])
  }

  @Test func intervalsShrinkWhereChangesGrow() {
    let changes = (1..<50).map { $0 < 6 ? 1.0 : 0.02 + 0.002 * Double($0) }
    let plan = StepPlan(changes: changes)
    #expect(plan.warmup == 6)
    #expect(plan.longest > plan.shortest && plan.shortest >= 1)
    let gaps = zip(plan.refresh, plan.refresh.dropFirst()).map { $1 - $0 }
    #expect(gaps == gaps.sorted(by: >))
  }

  @Test func aProfileListsBlocksBelowTheThresholdAndWritesThem() throws {
    func run(_ scores: [[Double]]) throws -> ModelProfile.Run {
      // Scores are parts of eight foreground tokens among sixteen.
      let received = scores.map { row in
        row.map { score in (0..<16).map { Float(Double($0) < score * 8 ? 0.1 : 0.01) } }
      }
      let blocks = try BlockScores(
        received: received, keyCounts: [Int](repeating: 16, count: scores[0].count),
        foreground: (0..<16).map { $0 < 8 }, grid: TokenGrid(frames: 1, rows: 4, columns: 4),
        threshold: 1)
      return ModelProfile.Run(
        scores: blocks, changes: [Double](repeating: 0.1, count: scores.count - 1))
    }
    let first = try run([[1, 1, 1, 1], [0.25, 0.5, 0.75, 0.5], [0.25, 0.5, 1, 0.5]])
    let second = try run([[1, 1, 1, 1], [0.25, 0.75, 0.75, 0.5], [0.25, 0.75, 1, 0.5]])
    var options = ModelProfile.Options()
    options.warmup = 1
    options.threshold = 0.6
    options.interval = 2
    let profile = try ModelProfile(
      [first, second], blocks: (0..<4).map { ("b.\($0)", $0) }, options: options)
    #expect(profile.blocks.map(\.score) == [0.25, 0.625, 0.875, 0.5])
    #expect(profile.blocks.map(\.isBackground) == [true, false, false, true])
    #expect(profile.blocks[2].stepDeviation == 0.125 && profile.blocks[1].runDeviation == 0.125)
    // The first run alone would have block 1 as well.
    #expect(abs(profile.runAgreement - (2.0 / 3 + 1) / 2) < 1e-12)
    let schedule = ProposedSchedule(
      profile, name: "profiled", adapter: "any", evidence: ["toy.onnx, 2 runs."])
    #expect(schedule.background == "blocks[0, 3]")
    #expect(schedule.text.contains("    refresh at [1]\n"))
    #expect(schedule.text.contains("#   0 b.0: 0.250 ± 0.000 ± 0.000 background\n"))
    options.threshold = nil
    options.backgroundShare = 0.5
    let half = try ModelProfile(
      [first, second], blocks: (0..<4).map { ("b.\($0)", $0) }, options: options)
    #expect(half.threshold == 0.5625 && half.blocks.count { $0.isBackground } == 2)
  }
}
