public import CacheContract
public import CacheRewrite
public import Legalization

/// What a runtime does with a form of a cached model, where that is not what one may hope for.
public enum RuntimeNotes {
  /// What matters of a rewrite.
  public struct Facts: Sendable {
    /// How cache nodes are written.
    public let form: Form.Kind
    /// Whether state inputs have defaults.
    public let convention: StateConvention
    /// Whether an input has a free dimension.
    public let hasFreeDimensions: Bool
    /// Whether a rule decides during the run.
    public let isAdaptive: Bool

    /// Facts of a rewrite.
    public init(
      form: Form.Kind, convention: StateConvention, hasFreeDimensions: Bool, isAdaptive: Bool
    ) {
      self.form = form
      self.convention = convention
      self.hasFreeDimensions = hasFreeDimensions
      self.isAdaptive = isAdaptive
    }

    var hasIf: Bool { form == .if || form == .function }
  }

  /// All that is known for a runtime.
  public static func warnings(for target: RuntimeTarget, _ facts: Facts) -> [DefectReport] {
    table.filter { $0.targets.contains(target) && $0.applies(facts) }.map { row in
      DefectReport(
        rule: "runtime", place: target.rawValue, message: row.message, repaired: false,
        instead: row.instead?.text(facts), source: row.source)
    }
  }

  // MARK: - The table

  private enum Remedy {
    case noIf, requiredState, formIf, fixedDimensions

    func text(_ facts: Facts) -> String {
      switch self {
      case .noIf: facts.isAdaptive ? "--form split" : "--form static"
      case .requiredState: "--state required"
      case .formIf: "--form if"
      case .fixedDimensions: "a model exported with fixed sizes"
      }
    }
  }

  private struct Row {
    let targets: Set<RuntimeTarget>
    let applies: @Sendable (Facts) -> Bool
    let message: String
    let instead: Remedy?
    let source: String
  }

  private static let table: [Row] = [
    Row(
      targets: [.triton], applies: { $0.hasIf && $0.convention == .optional },
      message: "counts required inputs only, so state with defaults is never fed",
      instead: .requiredState, source: "Triton, ONNX Runtime backend: model configuration"),
    Row(
      targets: [.triton], applies: { $0.form == .split || $0.form == .static },
      message: "an ensemble has no conditions: the loop that chooses graphs is a BLS model",
      instead: .formIf, source: "Triton user guide: Business Logic Scripting"),
    Row(
      targets: [.tensorrt], applies: \.hasIf,
      message: "takes an If only when it supports every operator of both branches",
      instead: .noIf, source: "microsoft/onnxruntime#18449"),
    Row(
      targets: [.tensorrt], applies: \.hasIf,
      message: "wants equal shapes from both branches of an If",
      instead: .noIf, source: "NVIDIA/TensorRT#1731, NVIDIA/TensorRT#2846, NVIDIA/TensorRT#4603"),
    Row(
      targets: [.tensorrt], applies: { !$0.hasIf && $0.hasFreeDimensions },
      message: "needs an optimisation profile with a range for each free dimension",
      instead: .fixedDimensions, source: "TensorRT developer guide: Working with Dynamic Shapes"),
    Row(
      targets: [.cudaGraphs], applies: \.hasIf,
      message: "a session with control flow is refused when graphs are to be captured",
      instead: .noIf, source: "microsoft/onnxruntime#9978, microsoft/onnxruntime#15005"),
    Row(
      targets: [.cudaGraphs], applies: { $0.hasFreeDimensions },
      message: "a captured graph replays one shape: capture each shape anew",
      instead: .fixedDimensions, source: "CUDA Graphs best practices: Constraints"),
    Row(
      targets: [.qnn], applies: \.hasIf,
      message: "runs both branches of an If and selects: right results, nothing is skipped",
      instead: .noIf, source: "onnxruntime/onnxruntime-qnn#409, microsoft/onnxruntime#24906"),
    Row(
      targets: [.qnn], applies: { $0.hasFreeDimensions },
      message: "takes fixed sizes only; what is free runs on the CPU or not at all",
      instead: .fixedDimensions, source: "ONNX Runtime: QNN execution provider"),
    Row(
      targets: [.coreml], applies: \.hasIf,
      message: "leaves the branches of an If to the CPU unless EnableOnSubgraphs is set",
      instead: .noIf, source: "ONNX Runtime: CoreML execution provider, configuration options"),
    Row(
      targets: [.coreml], applies: { $0.hasFreeDimensions },
      message: "is slower on free sizes, and leaves them to the CPU with RequireStaticInputShapes",
      instead: .fixedDimensions,
      source: "ONNX Runtime: CoreML execution provider, configuration options"),
    Row(
      targets: [.onnxruntime, .triton], applies: { $0.form == .function },
      message: "inlines functions when it loads, so only readers of the file gain",
      instead: .formIf, source: "microsoft/onnxruntime#17764"),
  ]
}
