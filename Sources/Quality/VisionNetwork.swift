import GraphIR
public import Interpreter
public import Tensors

/// A network that looks at pictures, run by the interpreter.
public struct VisionNetwork: Sendable {
  private let engine: Engine
  private let input: Port
  private let outputs: [Port]

  /// What the network was read from, for messages.
  public let name: String

  /// True for a network of videos, (1, 3, F, H, W); else it takes pictures, (1, 3, H, W).
  public let takesVideos: Bool

  /// A network with one input without default, of four or five axes.
  public init(_ engine: Engine, name: String) throws(QualityError) {
    let inputs = engine.inputs.filter { !$0.isOptional }
    guard inputs.count == 1, let input = inputs.first, let rank = input.type.tensor?.shape?.count,
      rank == 4 || rank == 5
    else {
      throw QualityError(
        .unsuitableNetwork, at: name,
        "The network has \(inputs.count) inputs; one of shape (1, 3, H, W) or (1, 3, F, H, W) was "
          + "expected.")
    }
    self.engine = engine
    self.input = input
    outputs = engine.outputs
    takesVideos = rank == 5
    self.name = name
  }

  /// Everything the network says about one picture or video, in the order of its outputs.
  func look(at picture: Tensor) throws(QualityError) -> [Tensor] {
    do {
      let results = try engine.run(try engine.converted([input.name: picture]))
      return outputs.compactMap { results[$0.name] }
    } catch {
      throw QualityError(.unsuitableNetwork, at: name, "The network does not run: \(error)")
    }
  }
}

extension VisionNetwork {
  /// The first output for generated samples: one a frame, or one a sample for a network of videos.
  ///
  /// The network sees colours in [0, 1] and prepares them itself.
  public func views(of samples: PictureSequence) throws(QualityError) -> [Tensor] {
    var results: [Tensor] = []
    for sample in 0..<samples.sampleCount {
      var pictures: [Tensor] = []
      if takesVideos {
        pictures.append(try samples.video(sample, scale: 0.5, offset: 0.5))
      } else {
        for frame in 0..<samples.frameCount {
          pictures.append(try samples.picture(sample, frame: frame, scale: 0.5, offset: 0.5))
        }
      }
      for picture in pictures {
        guard let result = try look(at: picture).first else {
          throw QualityError(.unsuitableNetwork, at: name, "The network has no output.")
        }
        results.append(result)
      }
    }
    return results
  }

  /// Feature vectors of generated samples: their views, each flattened.
  public func features(of samples: PictureSequence) throws(QualityError) -> [[Double]] {
    var vectors: [[Double]] = []
    for view in try views(of: samples) { vectors.append(try RealElements(view).values) }
    return vectors
  }
}
