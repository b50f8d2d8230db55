public import ModelStructure
public import Tensors

/// Which places of a video belong to what it shows, frame by frame.
public struct ForegroundMask: Hashable, Sendable {
  /// Frames, rows and columns.
  public let frames, rows, columns: Int

  /// Row-major (F, H, W).
  public let isForeground: [Bool]

  /// A mask of given places.
  public init(frames: Int, rows: Int, columns: Int, isForeground: [Bool]) {
    (self.frames, self.rows, self.columns) = (frames, rows, columns)
    self.isForeground = isForeground
  }

  /// A mask from an array (F, H, W), or (H, W) for one frame: above 0 is foreground.
  public init(_ array: Tensor, place: String) throws(ProfilingError) {
    let sizes = array.rank == 2 ? [1] + array.shape.dimensions : array.shape.dimensions
    guard sizes.count == 3, array.elementCount > 0 else {
      throw ProfilingError(
        "bad-mask", at: place, "a mask is (frames, rows, columns), not \(array.shape)",
        category: .badModel)
    }
    let flags: [Bool]
    switch array.dataType {
    case .bool: flags = array.elements(as: Bool.self)
    case .uint8: flags = array.elements(as: UInt8.self).map { $0 > 0 }
    case .int64: flags = array.elements(as: Int64.self).map { $0 > 0 }
    case .float32: flags = array.elements(as: Float.self).map { $0 > 0 }
    default:
      throw ProfilingError(
        "bad-mask", at: place, "a mask is bool, uint8, int64 or float32, not \(array.dataType)",
        category: .badModel)
    }
    self.init(frames: sizes[0], rows: sizes[1], columns: sizes[2], isForeground: flags)
  }

  /// A mask from a network's answers, one a frame, (…, H', W'): above 0 is foreground.
  ///
  /// Of several channels the first counts; other sizes are sampled at the nearest place.
  public init(
    answers: [Tensor], rows: Int, columns: Int, place: String
  ) throws(ProfilingError) {
    var flags: [Bool] = []
    for answer in answers {
      let sizes = Array(answer.shape.dimensions.suffix(2))
      guard sizes.count == 2, sizes[0] > 0, sizes[1] > 0, answer.dataType == .float32 else {
        throw ProfilingError(
          "bad-segmenter", at: place,
          "a mask is float32 (…, H, W), not \(answer.dataType)\(answer.shape)",
          category: .badModel)
      }
      let values = answer.elements(as: Float.self)
      for row in 0..<rows {
        for column in 0..<columns {
          let nearest = (row * sizes[0] / rows) * sizes[1] + column * sizes[1] / columns
          flags.append(values[nearest] > 0)
        }
      }
    }
    self.init(frames: answers.count, rows: rows, columns: columns, isForeground: flags)
  }

  /// The mask as a grey video (1, F, H, W), foreground white.
  public var video: Tensor {
    guard let shape = try? Shape([1, frames, rows, columns]) else {
      preconditionFailure("a mask has the size of the latents it comes from")
    }
    return Tensor(isForeground.map { $0 ? 1 : -1 as Float }, shape: shape)
  }

  /// The part of all places that is foreground.
  public var share: Double {
    Double(isForeground.count { $0 }) / Double(max(isForeground.count, 1))
  }

  /// Which tokens of a grid are foreground: those of whose places at least half are.
  public func tokens(_ grid: TokenGrid) throws(ProfilingError) -> [Bool] {
    guard frames % grid.frames == 0, rows % grid.rows == 0, columns % grid.columns == 0 else {
      throw ProfilingError(
        "mask-size", at: "mask",
        "a mask of \(frames) × \(rows) × \(columns) places does not divide into "
          + "\(grid.frames) × \(grid.rows) × \(grid.columns) tokens", category: .badModel)
    }
    let (time, height, width) = (frames / grid.frames, rows / grid.rows, columns / grid.columns)
    var counts = [Int](repeating: 0, count: grid.count)
    for frame in 0..<frames {
      for row in 0..<rows {
        for column in 0..<columns where isForeground[(frame * rows + row) * columns + column] {
          let token =
            ((frame / time) * grid.rows + row / height) * grid.columns + column / width
          counts[token] += 1
        }
      }
    }
    return counts.map { 2 * $0 >= time * height * width }
  }
}

extension ForegroundMask {
  private static let clusterCount = 4
  private static let maximumRounds = 32

  /// The built-in segmentation of a feature map: k-means with four clusters, of which those are
  /// background that the border has at least half as densely as the whole.
  ///
  /// That things of interest seldom touch the border is the boundary prior of Wei et al., "Geodesic
  /// Saliency Using Background Priors" (ECCV 2012). Clusters begin at the place nearest the mean and
  /// then, each time, at the place farthest from all before; ties go to the first place.
  public init(segmenting map: FeatureMap) {
    let count = map.frames * map.rows * map.columns
    let points = (0..<count).map { place in
      SIMD3<Double>(
        (0..<3).map { $0 < map.components.count ? map.components[$0][place] : 0 })
    }
    let clusters = Self.clusters(points)
    var sizes = [Int](repeating: 0, count: Self.clusterCount)
    var borders = sizes
    for (place, cluster) in clusters.enumerated() {
      let (row, column) = (place / map.columns % map.rows, place % map.columns)
      sizes[cluster] += 1
      if row == 0 || column == 0 || row == map.rows - 1 || column == map.columns - 1 {
        borders[cluster] += 1
      }
    }
    let border = borders.reduce(0, +)
    let isObject = (0..<Self.clusterCount).map {
      2 * borders[$0] * count < sizes[$0] * border
    }
    self.init(
      frames: map.frames, rows: map.rows, columns: map.columns,
      isForeground: clusters.map { isObject[$0] })
  }

  private static func clusters(_ points: [SIMD3<Double>]) -> [Int] {
    func distance(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
      let difference = a - b
      return (difference * difference).sum()
    }
    let mean = points.reduce(SIMD3<Double>(), +) / Double(max(points.count, 1))
    var centres: [SIMD3<Double>] = []
    if let first = points.min(by: { distance($0, mean) < distance($1, mean) }) {
      centres.append(first)
    }
    var nearest = points.map { distance($0, centres[0]) }
    while centres.count < clusterCount, let farthest = nearest.max(),
      let place = nearest.firstIndex(of: farthest)
    {
      centres.append(points[place])
      for index in points.indices {
        nearest[index] = min(nearest[index], distance(points[index], points[place]))
      }
    }
    var result = [Int](repeating: 0, count: points.count)
    for _ in 0..<maximumRounds {
      let assigned = points.map { point in
        centres.indices.min { distance(point, centres[$0]) < distance(point, centres[$1]) } ?? 0
      }
      if assigned == result { break }
      result = assigned
      for cluster in centres.indices {
        let own = points.indices.filter { result[$0] == cluster }
        guard !own.isEmpty else { continue }
        centres[cluster] = own.reduce(SIMD3<Double>()) { $0 + points[$1] } / Double(own.count)
      }
    }
    return result
  }
}
