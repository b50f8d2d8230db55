import CacheContract
import GraphIR
import Tensors
import Testing

@Suite("TritonConfiguration") struct TritonConfigurationTests {
  /// Two rules, one with a slot of free length, a weight that is listed as an input, a scalar.
  private func graph(latents: ValueType = .tensor(.float16, [1, Dimension(symbol: "s"), 4]))
    -> Graph
  {
    var graph = Graph()
    let tokens: ValueType = .tensor(.float32, [1, Dimension(symbol: "n"), 8])
    let flag: ValueType = .tensor(.bool, [1])
    let noise = graph.addInput("latents", type: latents)
    _ = graph.addInput("time", type: .tensor(.int64, []))
    let weight = graph.addInput("weight", type: .tensor(.float32, [2]))
    graph.setInitializer(StoredTensor(Tensor([Float(1), 2])), of: weight)
    _ = graph.addInput("ditcache/step", type: .tensor(.int64, [1]))
    let pairs = [
      ("ditcache/a/valid", flag), ("ditcache/a/blocks.0/delta", tokens), ("ditcache/b/valid", flag),
    ].map { ($0.0, graph.addInput(Name($0.0), type: $0.1), $0.1) }
    graph.addOutput(graph.emit("Identity", [noise], name: "sample", type: latents))
    for (name, input, type) in pairs {
      let output = Name(ContractNames.output(of: name))
      graph.addOutput(graph.emit("Identity", [input], name: output, type: type))
    }
    graph.addOutput(graph.constant([true, false], shape: .vector(2), name: "ditcache/computed"))
    return graph
  }

  private func manifest(branches: Manifest.Branches? = nil) -> Manifest {
    Manifest(
      tool: "t", schedule: "s", steps: 4, originalDigest: "00", rules: [], sites: [],
      state: [
        Manifests.state("ditcache/a/valid", type: "bool", shape: ["1"], isValidity: true),
        Manifests.state("ditcache/a/blocks.0/delta", type: "float32", shape: ["1", "n", "8"]),
        Manifests.state("ditcache/b/valid", type: "bool", shape: ["1"], isValidity: true),
      ], controls: [ContractNames.step], branches: branches)
  }

  private func code(_ graph: Graph, _ manifest: Manifest) -> String? {
    do throws(ContractError) {
      _ = try TritonConfiguration(graph, manifest, name: "m", fileName: "f")
      return nil
    } catch {
      return error.code
    }
  }

  @Test("state is paired and begins as zeros, the first flag is the start control")
  func text() throws {
    let json = try manifest().json().replacing("\"", with: "\\\"")
    let configuration = try TritonConfiguration(
      graph(), manifest(), name: "toy \"é\"", fileName: "model.onnx")
    #expect(
      configuration.text == """
        # Written by ditcache \(ToolVersion.number), which replaces it.
        name: "toy \\"\\303\\251\\""
        backend: "onnxruntime"
        default_model_filename: "model.onnx"
        max_batch_size: 0
        input [
          { name: "latents" data_type: TYPE_FP16 dims: [ 1, -1, 4 ] },
          { name: "time" data_type: TYPE_INT64 dims: [ 1 ] },
          { name: "ditcache/step" data_type: TYPE_INT64 dims: [ 1 ] }
        ]
        output [
          { name: "sample" data_type: TYPE_FP16 dims: [ 1, -1, 4 ] },
          { name: "ditcache/computed" data_type: TYPE_BOOL dims: [ 2 ] }
        ]
        sequence_batching {
          max_sequence_idle_microseconds: 600000000
          oldest { max_candidate_sequences: 16 }
          control_input [
            {
              name: "ditcache/a/valid"
              control [ { kind: CONTROL_SEQUENCE_START bool_false_true: [ true, false ] } ]
            }
          ]
          state [
            {
              input_name: "ditcache/a/blocks.0/delta"
              output_name: "ditcache/a/blocks.0/delta/out"
              data_type: TYPE_FP32
              dims: [ 1, -1, 8 ]
              initial_state {
                name: "zeros"
                data_type: TYPE_FP32
                dims: [ 1, 1, 8 ]
                zero_data: true
              }
            },
            {
              input_name: "ditcache/b/valid"
              output_name: "ditcache/b/valid/out"
              data_type: TYPE_BOOL
              dims: [ 1 ]
              initial_state {
                name: "zeros"
                data_type: TYPE_BOOL
                dims: [ 1 ]
                zero_data: true
              }
            }
          ]
        }
        parameters {
          key: "ditcache/manifest"
          value { string_value: "\(json)" }
        }

        """)
  }

  @Test("what has no word in a configuration is refused")
  func refusals() {
    #expect(code(graph(latents: .tensor(.complex64, [1])), manifest()) == "no-triton-type")
    #expect(code(graph(latents: .tensor(.float32, nil)), manifest()) == "no-triton-type")
    #expect(code(graph(latents: .tensor(.float32, [0])), manifest()) == "no-triton-size")
    let dropping = manifest(branches: .init(dropped: "uncond", fromStep: 2))
    #expect(code(graph(), dropping) == "state-is-served")
    let rebuilding = manifest(branches: .init(uncond: ""))
    #expect(code(graph(), rebuilding) == "state-is-served")
    #expect(code(graph(), manifest(branches: .init(leader: "cond"))) == nil)
  }
}
