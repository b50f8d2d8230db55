import CacheContract
import CacheRewrite
import GraphIR
import Interpreter
import Tensors
import Testing

/// A host of a form of several files: what the manifest tells every host to do, and no more.
struct FormHost {
  let manifest: Manifest
  private let form: Form
  private let files: [String: Form.File]
  private let engines: [String: Engine]
  private var state: [String: Tensor] = [:]
  private(set) var ran: [String] = []

  init(_ graphs: FormGraphs) throws {
    manifest = graphs.manifest
    form = try #require(graphs.manifest.form)
    files = Dictionary(uniqueKeysWithValues: form.graphs.map { ($0.file, $0) })
    engines = Dictionary(
      uniqueKeysWithValues: try graphs.graphs.map {
        ($0.fileName, try Engine($0.graph, options: EngineOptions(threads: 1)))
      })
  }

  /// One call: the original's outputs, and what each site did.
  mutating func call(_ own: [Name: Tensor], step: Int) throws -> ([Name: Tensor], [Bool]) {
    var values = Dictionary(uniqueKeysWithValues: own.map { ($0.key.text, $0.value) })
    values[ContractNames.step] = Tensor([Int64(step)])
    values[ContractNames.steps] = Tensor([Int64(manifest.steps)])
    values.merge(state) { $1 }
    let begun = !ran.isEmpty
    ran = []
    var computed: [Bool]
    if let steps = form.steps {
      let name = steps[begun ? step : 0]
      try run(name, &values)
      computed = try #require(files[name]?.computed)
    } else {
      var decided = [Bool?](repeating: nil, count: manifest.sites.count)
      for part in form.parts ?? [] {
        var name = part.file
        if let site = part.site {
          let decision = part.decision.flatMap { values[$0]?.elements(as: Bool.self).first }
          let does = try decided[site] ?? (begun ? #require(decision as Bool?) : true)
          decided[site] = does
          name = does ? part.compute : part.reuse
        }
        if let file = begun ? name : part.first ?? name { try run(file, &values) }
      }
      computed = decided.map { $0 ?? true }
    }
    for slot in manifest.state {
      if let value = values[slot.output] { state[slot.input] = value }
    }
    var outputs: [Name: Tensor] = [:]
    for name in form.outputs { outputs[Name(name)] = values[name] }
    return (outputs, computed)
  }

  private mutating func run(_ name: String, _ values: inout [String: Tensor]) throws {
    let file = try #require(files[name])
    var feeds: [Name: Tensor] = [:]
    for input in file.inputs {
      let value = try #require(values[input] as Tensor?, "\(input)")
      feeds[Name(input)] = value
    }
    let results = try #require(engines[name]).run(feeds)
    #expect(Set(results.keys.map(\.text)) == Set(file.outputs))
    for (name, value) in results { values[name.text] = value }
    ran.append(name)
  }
}
