public import GraphIR
import Tensors

/// The `config.pbtxt` by which Triton Inference Server runs a cached model in its ONNX Runtime
/// backend and keeps the state of each sequence itself.
///
/// State is implicit: each state input is paired with its output and begins as zeros, so that a
/// client sends the model's own inputs and controls only. The flag that says whether the first
/// rule's slots hold anything is the server's start control, turned round; the flags of further
/// rules are state, because a configuration may name one start control.
///
/// Source: Triton, `docs/user_guide/implicit_state_management.md` and `model_configuration.md`;
/// limits of the backend: `triton-inference-server/onnxruntime_backend`, `src/onnxruntime.cc`.
public struct TritonConfiguration: Sendable {
  /// The model's name, that of its folder.
  public let name: String
  /// The configuration, protobuf text of `inference.ModelConfig`.
  public let text: String

  /// How every configuration that ditcache writes begins.
  public static let mark = "# Written by ditcache"

  /// Key of the parameter that carries the manifest, for clients.
  public static let manifestKey = ContractNames.manifestKey

  /// Sequences whose state an instance of the model keeps at once: eight runs with two branches.
  public static let sequences = 16

  /// Seconds without a call after which the server gives up a sequence and frees its state.
  public static let idleSeconds = 600

  /// A configuration for a lowered graph whose state inputs have no defaults.
  ///
  /// - Parameters:
  ///   - graph: the cached graph
  ///   - manifest: its manifest
  ///   - name: the model's name, that of its folder
  ///   - fileName: the ONNX file in the folder of the version
  /// - Throws: `ContractError` if a type or size has no word in a configuration, or if a host would
  ///   have to change the state
  public init(
    _ graph: Graph, _ manifest: Manifest, name: String, fileName: String
  ) throws(ContractError) {
    self.name = name
    if let dropped = manifest.branches?.dropped {
      throw ContractError(
        "state-is-served",
        "the schedule averages states when the branch '\(dropped)' is dropped, "
          + "and a server keeps them to itself",
        hint: "use a host of your own, such as examples/onnxruntime/host.py", category: .unsupported
      )
    }
    if manifest.branches?.uncond != nil {
      throw ContractError(
        "state-is-served",
        "the schedule rebuilds the unconditional call with a model of the host's",
        hint: "use a host of your own, such as examples/onnxruntime/host.py", category: .unsupported
      )
    }
    let state = Dictionary(uniqueKeysWithValues: manifest.state.map { ($0.input, $0) })
    let start = manifest.state.first(where: \.isValidity)?.input
    let served = Set(manifest.state.map(\.output))

    var inputs: [String] = []
    var states: [String] = []
    for value in graph.requiredInputs {
      let tensor = try Entry(value, of: graph)
      guard let pair = state[tensor.name] else {
        inputs.append(tensor.block)
        continue
      }
      if pair.input != start { states.append(tensor.state(output: pair.output)) }
    }
    var outputs: [String] = []
    for value in graph.outputs where !served.contains(graph.name(of: value).text) {
      outputs.append(try Entry(value, of: graph).block)
    }
    let control = start.map { input in
      """
        control_input [
          {
            name: \(quoted(input))
            control [ { kind: CONTROL_SEQUENCE_START bool_false_true: [ true, false ] } ]
          }
        ]

      """
    }
    text = """
      \(Self.mark) \(ToolVersion.number), which replaces it.
      name: \(quoted(name))
      backend: "onnxruntime"
      default_model_filename: \(quoted(fileName))
      max_batch_size: 0
      input [
      \(inputs.joined(separator: ",\n"))
      ]
      output [
      \(outputs.joined(separator: ",\n"))
      ]
      sequence_batching {
        max_sequence_idle_microseconds: \(Self.idleSeconds * 1_000_000)
        oldest { max_candidate_sequences: \(Self.sequences) }
      \(control ?? "")  state [
      \(states.joined(separator: ",\n"))
        ]
      }
      parameters {
        key: \(quoted(Self.manifestKey))
        value { string_value: \(quoted(try manifest.json())) }
      }

      """
  }
}

/// One input or output.
private struct Entry {
  let name: String
  private let type: String
  private let dimensions: [Int?]

  init(_ value: ValueID, of graph: Graph) throws(ContractError) {
    name = graph.name(of: value).text
    guard let tensor = graph.tensorType(of: value), let dataType = tensor.dataType,
      let word = Self.words[dataType], let shape = tensor.shape
    else {
      throw ContractError(
        "no-triton-type",
        "'\(name)' has a type or rank that a Triton configuration cannot name: "
          + (graph.tensorType(of: value)?.description ?? "?"), category: .unsupported)
    }
    type = word
    // A configuration names no tensor of rank 0; the backend takes [1] for one.
    dimensions = shape.isEmpty ? [1] : shape.map(\.value)
    guard !dimensions.contains(0) else {
      throw ContractError(
        "no-triton-size", "'\(name)' has a dimension of size 0, which Triton refuses",
        category: .unsupported)
    }
  }

  private static let words: [DataType: String] = [
    .float32: "TYPE_FP32", .float16: "TYPE_FP16", .float64: "TYPE_FP64", .bfloat16: "TYPE_BF16",
    .int8: "TYPE_INT8", .int16: "TYPE_INT16", .int32: "TYPE_INT32", .int64: "TYPE_INT64",
    .uint8: "TYPE_UINT8", .uint16: "TYPE_UINT16", .uint32: "TYPE_UINT32", .uint64: "TYPE_UINT64",
    .bool: "TYPE_BOOL", .string: "TYPE_STRING",
  ]

  /// Sizes, those that vary as a number.
  private func sizes(free: Int) -> String {
    "[ " + dimensions.map { String($0 ?? free) }.joined(separator: ", ") + " ]"
  }

  var block: String {
    "  { name: \(quoted(name)) data_type: \(type) dims: \(sizes(free: -1)) }"
  }

  /// A state pair; where sizes vary, the first state has size 1 along them.
  func state(output: String) -> String {
    """
        {
          input_name: \(quoted(name))
          output_name: \(quoted(output))
          data_type: \(type)
          dims: \(sizes(free: -1))
          initial_state {
            name: "zeros"
            data_type: \(type)
            dims: \(sizes(free: 1))
            zero_data: true
          }
        }
    """
  }
}

/// A string of protobuf text: printable ASCII as it is, all else as octal bytes.
private func quoted(_ text: String) -> String {
  var result = "\""
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      result += "\\" + String(UnicodeScalar(byte))
    case 0x20...0x7E: result += String(UnicodeScalar(byte))
    default:
      let digits = String(byte, radix: 8)
      result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }
  }
  return result + "\""
}
