public import GraphIR
import Operators
import Synchronization
import Tensors

/// One operator that ran.
public struct TraceEvent: Hashable, Sendable {
  /// The node's label.
  public let name: String
  /// The operator.
  public let op: OpKey
  /// Nanoseconds since the sink was made.
  public let startNanoseconds: Int64
  /// Nanoseconds it took; a node with graphs inside includes them.
  public let durationNanoseconds: Int64
  /// The types of the results, such as `float32[2, 3]`.
  public let results: [String]
  /// Floating-point operations, when they were known while planning.
  public let flops: Int?
  /// Bytes of operands and results, each counted once.
  public let byteCount: Int
}

/// Collects what ran and how long it took.
public final class TraceSink: Sendable {
  private let origin = ContinuousClock.now
  private let recorded = Mutex<[TraceEvent]>([])

  /// An empty sink; its clock starts now.
  public init() {}

  /// What ran so far, in order of completion.
  public var events: [TraceEvent] { recorded.withLock { $0 } }

  /// The events in the trace event format that Chrome and Perfetto read
  /// ("Trace Event Format", complete events, times in microseconds).
  public func chromeTrace() -> String {
    let lines = events.map { event in
      var arguments = "\"results\": \(quoted(event.results.joined(separator: ", ")))"
      arguments += ", \"bytes\": \(event.byteCount)"
      if let flops = event.flops, flops > 0 {
        arguments += ", \"flops\": \(flops)"
        if event.durationNanoseconds > 0 {
          let rate = Double(flops) / Double(event.durationNanoseconds)
          arguments += ", \"gflops\": \((rate * 100).rounded() / 100)"
        }
      }
      return "{\"name\": \(quoted(event.name)), \"cat\": \(quoted(event.op.description)), "
        + "\"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"ts\": \(microseconds(event.startNanoseconds)), "
        + "\"dur\": \(microseconds(event.durationNanoseconds)), \"args\": {\(arguments)}}"
    }
    return "{\"traceEvents\": [\n\(lines.joined(separator: ",\n"))\n]}\n"
  }

  func now() -> ContinuousClock.Instant { ContinuousClock.now }

  func record(
    _ step: Step, _ operands: [RuntimeValue?], _ results: [RuntimeValue],
    since start: ContinuousClock.Instant
  ) {
    let end = ContinuousClock.now
    let event = TraceEvent(
      name: step.label, op: step.op, startNanoseconds: (start - origin).nanoseconds,
      durationNanoseconds: (end - start).nanoseconds, results: results.map(\.typeText),
      flops: step.flops,
      byteCount: (operands.compactMap { $0 } + results).reduce(0) { $0 + $1.byteCount })
    recorded.withLock { $0.append(event) }
  }
}

private func microseconds(_ nanoseconds: Int64) -> String {
  let rest = String(nanoseconds % 1000)
  return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
}

private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case _ where scalar.value < 0x20:
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

extension RuntimeValue {
  /// Bytes of the elements.
  fileprivate var byteCount: Int {
    switch self {
    case .tensor(let tensor): tensor.byteCount
    case .sequence(let elements): elements.reduce(0) { $0 + $1.byteCount }
    case .absent: 0
    }
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
