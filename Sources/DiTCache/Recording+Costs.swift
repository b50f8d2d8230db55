import CacheContract
import Diffusion
import Tensors

extension Recording {
  /// The part of the uncached run's FLOPs that this run computed; calls count alike where costs are
  /// not known.
  func computedShare(_ manifest: Manifest, callFlops: Int?) -> Double {
    let flags = computed?.elements(as: Bool.self) ?? []
    let sites = manifest.sites
    let shares = sites.map { site -> (skipped: Double, added: Double) in
      guard let flops = site.flops, let callFlops, callFlops > 0 else {
        return (1 / Double(max(sites.count, 1)), 0)
      }
      return (
        Double(flops) / Double(callFlops), Double(site.addedFlops ?? 0) / Double(callFlops)
      )
    }
    var sum = 0.0
    for call in tookPlace.indices where tookPlace[call] {
      sum += 1
      for site in sites.indices {
        sum += flags[call * sites.count + site] ? shares[site].added : -shares[site].skipped
      }
    }
    return sum / Double(max(tookPlace.count, 1))
  }
}
