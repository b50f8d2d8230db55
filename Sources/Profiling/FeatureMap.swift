public import Tensors

/// What the model sees at a step, as pictures of three colours: its prediction reduced by PCA, as in
/// figure 2 of ProfilingDiT (arXiv 2504.03140).
public struct FeatureMap: Sendable {
  /// Frames, rows and columns.
  public let frames, rows, columns: Int

  /// Up to three components of each place, row-major (F, H, W).
  public let components: [[Double]]

  /// What is reduced.
  public enum Source: String, CaseIterable, Sendable {
    /// The clean latents that the prediction implies: nearly free of noise.
    case clean
    /// The prediction itself, as the paper has it; for flow matching that is noise minus latents.
    case prediction
  }

  /// A map of given components.
  public init(frames: Int, rows: Int, columns: Int, components: [[Double]]) {
    (self.frames, self.rows, self.columns) = (frames, rows, columns)
    self.components = components
  }

  /// The map of one sample.
  ///
  /// - Parameters:
  ///   - prediction: (C, F, H, W) or (C, H, W)
  ///   - latents: those that were predicted from, of the same shape
  ///   - sigma: their noise level
  ///   - isFlow: flow matching, else the prediction is noise at `sigma = √(1 − ᾱ)`
  ///   - source: what to reduce
  /// - Throws: `ProfilingError` for other shapes or numbers that are not finite
  public init(
    prediction: Tensor, latents: Tensor, sigma: Double, isFlow: Bool, source: Source
  ) throws(ProfilingError) {
    let sizes = latents.shape.dimensions
    guard prediction.shape == latents.shape, sizes.count == 3 || sizes.count == 4,
      prediction.dataType == .float32, latents.dataType == .float32
    else {
      throw ProfilingError(
        "no-feature-map", at: "prediction",
        "\(prediction.dataType)\(prediction.shape) is no prediction for latents \(latents.shape)")
    }
    var values = prediction.elements(as: Float.self).map(Double.init)
    if source == .clean {
      let alpha = isFlow ? 1 : max(1 - sigma * sigma, 1e-12).squareRoot()
      for (index, latent) in latents.elements(as: Float.self).enumerated() {
        values[index] = (Double(latent) - sigma * values[index]) / alpha
      }
    }
    let places = values.count / max(sizes[0], 1)
    let channels = (0..<sizes[0]).map { Array(values[$0 * places..<($0 + 1) * places]) }
    let found = try PrincipalComponents(of: channels, count: 3)
    components = found.project(channels)
    frames = sizes.count == 4 ? sizes[1] : 1
    (rows, columns) = (sizes[sizes.count - 2], sizes[sizes.count - 1])
  }

  /// The map as a video (3, F, H, W) with each component from −1, its least, to 1; missing ones 0.
  public var video: Tensor {
    var numbers: [Float] = []
    let count = frames * rows * columns
    for channel in 0..<3 {
      guard channel < components.count else {
        numbers += [Float](repeating: 0, count: count)
        continue
      }
      let values = components[channel]
      let (low, high) = (values.min() ?? 0, values.max() ?? 0)
      let width = high > low ? high - low : 1
      numbers += values.map { Float(2 * ($0 - low) / width - 1) }
    }
    guard let shape = try? Shape([3, frames, rows, columns]) else {
      preconditionFailure("a map has the size of the latents it comes from")
    }
    return Tensor(numbers, shape: shape)
  }
}
