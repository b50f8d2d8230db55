/// What no other result beats in both speed and quality.
public enum ParetoFront {
  /// The places of such results among some of known cost and quality, the fastest first.
  public static func places(of results: [(cost: Double, quality: Double)]) -> [Int] {
    let order = results.indices.sorted {
      (results[$0].cost, -results[$0].quality, $0) < (results[$1].cost, -results[$1].quality, $1)
    }
    var front: [Int] = []
    var best = -Double.infinity
    for place in order where results[place].quality > best {
      front.append(place)
      best = results[place].quality
    }
    return front
  }
}
