import GraphIR

/// Gives blocks the names that users see.
///
/// The exporter's list names label a family when every block of it has one of its own. Otherwise the
/// family is called by a default: `blocks`, then `blocks_2`, `blocks_3`, ….
struct BlockNames {
  private let labels: BlockLabels
  private var taken = Set<String>()
  private(set) var notes: [StructureNote] = []

  init(_ labels: BlockLabels) {
    self.labels = labels
  }

  /// The blocks of one group, given with their family numbers in execution order.
  mutating func blocks(
    _ drafts: [(draft: StructureAnalysis.Draft, family: Int)], default name: String
  ) -> [Block] {
    let elements = drafts.map { labels.element(of: $0.draft.dependent) }
    var counts: [BlockLabels.Element: Int] = [:]
    for case .some(let element) in elements { counts[element, default: 0] += 1 }
    var isLabelled: [Int: Bool] = [:]
    for (entry, element) in zip(drafts, elements) {
      let isOwn = element.map { counts[$0] == 1 } ?? false
      isLabelled[entry.family] = (isLabelled[entry.family] ?? true) && isOwn
    }
    for case (let entry, .some(let element)) in zip(drafts, elements)
    where isLabelled[entry.family] == true { taken.insert(element.family) }
    noteDisagreements(drafts, elements, isLabelled)
    var defaults: [Int: String] = [:]
    var sizes: [String: Int] = [:]
    var blocks: [Block] = []
    for (position, (entry, element)) in zip(drafts, elements).enumerated() {
      let label = isLabelled[entry.family] == true ? element : nil
      let family = label?.family ?? defaults[entry.family] ?? free(name)
      if label == nil { defaults[entry.family] = family }
      let index = label?.index ?? sizes[family, default: 0]
      sizes[family, default: 0] += 1
      blocks.append(
        block(entry.draft, family: family, index: index, position: position, element: element))
    }
    return blocks
  }

  private mutating func free(_ name: String) -> String {
    var candidate = name
    var number = 2
    while !taken.insert(candidate).inserted {
      candidate = "\(name)_\(number)"
      number += 1
    }
    return candidate
  }

  private mutating func noteDisagreements(
    _ drafts: [(draft: StructureAnalysis.Draft, family: Int)],
    _ elements: [BlockLabels.Element?], _ isLabelled: [Int: Bool]
  ) {
    var noted = Set<Int>()
    for (entry, element) in zip(drafts, elements) {
      guard let element, isLabelled[entry.family] == false, noted.insert(entry.family).inserted
      else { continue }
      notes.append(
        StructureNote(
          place: element.family,
          message: "the exporter's names do not divide the nodes as the dataflow does; the blocks "
            + "follow the dataflow"))
    }
  }

  private func block(
    _ draft: StructureAnalysis.Draft, family: String, index: Int, position: Int,
    element: BlockLabels.Element?
  ) -> Block {
    let modules = draft.branches.map { branch, stream in
      Module(
        kind: branch.kind,
        name: labels.moduleName(of: branch.nodes, in: element) ?? branch.kind.rawValue,
        stream: stream, input: branch.base, output: branch.output, branch: branch.ungated,
        addend: branch.addend,
        gate: branch.gate, modulatedInput: branch.modulatedInput)
    }
    return Block(
      name: "\(family).\(index)", family: family, index: index, position: position,
      streams: draft.streams, nodes: draft.nodes.sorted(), modules: modules)
  }
}
