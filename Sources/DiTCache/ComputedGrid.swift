import CacheContract
import Diffusion
import Tensors

/// What a run computed, step by step: blocks from top to bottom where its sites are sets of blocks,
/// else the sites.
struct ComputedGrid: Sendable {
  /// The part of the calls of each step that computed a row's block or site.
  let rows: [(label: String, values: [Double])]

  /// The grid of a run; without the names of all blocks, rows are sites.
  init(_ run: Recording, _ manifest: Manifest, blocks: [String] = []) {
    let steps = run.modelOutputs.shape[0]
    let sites = zip(manifest.sites, run.diagnostics(manifest)).map { site, diagnosis in
      let values = (0..<steps).map { step in
        let count = diagnosis.computedSteps.count { $0.contains(step) }
        return Double(count) / Double(max(diagnosis.computedSteps.count, 1))
      }
      return (label: site.name, values: values)
    }
    let owned = sites.map { Self.blocks(of: $0.label) }
    let known = Set(blocks)
    guard !known.isEmpty, owned.allSatisfy({ known.isSuperset(of: $0) && !$0.isEmpty }) else {
      rows = sites
      return
    }
    var values: [String: [Double]] = [:]
    for (site, blocks) in zip(sites, owned) {
      for block in blocks { values[block] = site.values }
    }
    rows = blocks.map { ($0, values[$0] ?? [Double](repeating: 1, count: steps)) }
  }

  /// The blocks of a site such as `blocks.0-3`; none of any other.
  private static func blocks(of site: String) -> [String] {
    guard let dot = site.lastIndex(of: ".") else { return [] }
    let ends = site[site.index(after: dot)...].split(separator: "-").map { Int($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else { return [] }
    return (first...last).map { "\(site[..<dot]).\($0)" }
  }
}
