import Tensors

/// LPIPS: how different two pictures look to a network that was trained on photographs (Zhang, Isola,
/// Efros, Shechtman, Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
/// 2018).
///
/// As the package `lpips` 0.1.4 computes it: feature maps are scaled to length 1 across channels at
/// each place, their squared differences are weighted by one linear head a layer, averaged over
/// places and added up. The backbone takes colours in [−1, 1] and does the package's scaling itself;
/// its outputs are the feature maps in order.
public struct PerceptualDistance: Sendable {
  private let backbone: VisionNetwork
  private let heads: [[Double]]

  /// `normalize_tensor` of the package adds this to a length.
  private static let epsilon = 1e-10

  /// A backbone with one head for each of its feature maps: a weight for each channel.
  public init(backbone: VisionNetwork, heads: [[Double]]) throws(QualityError) {
    guard !backbone.takesVideos, !heads.isEmpty else {
      throw QualityError(
        .unsuitableNetwork, at: backbone.name,
        "LPIPS needs a network of pictures and a head for each of its outputs.")
    }
    self.backbone = backbone
    self.heads = heads
  }

  /// The distance of each frame, sample by sample.
  public func distances(
    of result: PictureSequence, from reference: PictureSequence
  ) throws(QualityError) -> [Double] {
    guard result.sampleCount == reference.sampleCount, result.frameCount == reference.frameCount
    else {
      throw QualityError(.shapeMismatch, "The results have other numbers of samples or frames.")
    }
    var distances: [Double] = []
    for sample in 0..<result.sampleCount {
      for frame in 0..<result.frameCount {
        distances.append(
          try distance(
            try backbone.look(at: try result.picture(sample, frame: frame)),
            try backbone.look(at: try reference.picture(sample, frame: frame))))
      }
    }
    return distances
  }

  private func distance(_ a: [Tensor], _ b: [Tensor]) throws(QualityError) -> Double {
    guard a.count == heads.count, b.count == heads.count else {
      throw QualityError(
        .unsuitableNetwork, at: backbone.name,
        "The network has \(a.count) outputs, there are \(heads.count) heads.")
    }
    var total = 0.0
    for (layer, weights) in heads.enumerated() {
      let shape = a[layer].shape.dimensions
      guard shape.count == 4, shape[1] == weights.count, b[layer].shape == a[layer].shape,
        a[layer].elementCount > 0
      else {
        throw QualityError(
          .unsuitableNetwork, at: backbone.name,
          "Output \(layer) has the shape \(a[layer].shape), its head \(weights.count) weights.")
      }
      let places = shape[2] * shape[3]
      let (x, y) = (try unit(a[layer], places: places), try unit(b[layer], places: places))
      var sum = 0.0
      for (channel, weight) in weights.enumerated() {
        for place in channel * places..<(channel + 1) * places {
          let difference = x[place] - y[place]
          sum += weight * difference * difference
        }
      }
      total += sum / Double(places)
    }
    return total
  }

  /// Features (1, C, H, W) of length 1 across channels.
  private func unit(_ features: Tensor, places: Int) throws(QualityError) -> [Double] {
    var values = try RealElements(features).values
    var squares = [Double](repeating: 0, count: places)
    for (index, value) in values.enumerated() { squares[index % places] += value * value }
    let lengths = squares.map { $0.squareRoot() + Self.epsilon }
    for index in values.indices { values[index] /= lengths[index % places] }
    return values
  }
}
