import Diffusion
import Foundation
import Profiling
import Quality
import TensorFiles
import Tensors

/// Where foreground masks come from: a file, a network, or the built-in segmentation.
struct MaskSource {
  private let given: Tensor?
  private let segmenter: VisionNetwork?
  private let source: FeatureMap.Source
  private let step: Int?
  private let place: String

  init(_ settings: ProfileTask.Settings, threads: Int) throws {
    guard settings.masksPath == nil || settings.segmenterPath == nil else {
      throw UsageError(
        "two-mask-sources", at: "--masks", "masks come from a file or from a network, not both")
    }
    source = try OptionWord.parse(settings.maskSource, option: "--mask-source")
    step = settings.maskStep
    place = settings.masksPath ?? settings.segmenterPath ?? "mask"
    given = try settings.masksPath.map { path in
      path.hasSuffix(".npz")
        ? try NPZFile(readingFrom: path).tensor("mask") : try NPY.read(from: path)
    }
    segmenter = try settings.segmenterPath.map {
      try QualityNetworks.network($0, threads: threads)
    }
  }

  /// What is reduced and segmented.
  var name: String {
    switch source {
    case .clean: "clean latents, PCA"
    case .prediction: "prediction, PCA"
    }
  }

  /// What the model sees in a run, and which of it is foreground.
  func mask(
    of run: ProfiledRun, levels: NoiseLevels, isFlow: Bool, run number: Int
  ) throws -> (map: FeatureMap, mask: ForegroundMask) {
    let step = self.step ?? levels.stepCount - 1
    guard (0..<levels.stepCount).contains(step) else {
      throw UsageError(
        "bad-step", at: "--mask-step \(step)", "a run has steps 0 to \(levels.stepCount - 1)")
    }
    let map = try FeatureMap(
      prediction: run.predictions[step], latents: run.latents[step].contiguous(),
      sigma: levels.sigmas[step], isFlow: isFlow, source: source)
    if let given { return (map, try mask(in: given, run: number)) }
    guard let segmenter else { return (map, ForegroundMask(segmenting: map)) }
    let video = map.video
    let batch = video.view(
      shape: try Shape([1] + video.shape.dimensions), strides: [0] + video.strides)
    let answers = try segmenter.views(of: try PictureSequence(batch))
    return (
      map,
      try ForegroundMask(answers: answers, rows: map.rows, columns: map.columns, place: place)
    )
  }

  private func mask(in array: Tensor, run: Int) throws -> ForegroundMask {
    guard array.rank == 4 else { return try ForegroundMask(array, place: place) }
    guard run < array.shape[0] else {
      throw UsageError(
        "too-few-masks", at: place,
        "there are masks for \(array.shape[0]) runs, one for run "
          + "\(run) is needed", category: .badModel)
    }
    let own = array.sliced(axis: 0, first: run, count: 1)
    let shape = try Shape(Array(own.shape.dimensions.dropFirst()))
    return try ForegroundMask(
      own.view(shape: shape, strides: Array(own.strides.dropFirst())), place: place)
  }
}
