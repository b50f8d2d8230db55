import Adapters
import GraphIR
import Tensors

/// How a group of samples is fed, call by call.
struct GuidancePlan {
  /// The name of each call of a step, in order.
  let branches: [String]
  /// The guidance scale; nil when the model's output is used as it is.
  let scale: Double?
  /// True when one call carries both halves.
  let isBatched: Bool
  /// How many samples one run takes.
  let groupCount: Int
  private let classLabel: InputRoles.ClassLabel?

  init(
    _ inputs: SampleInputs, roles: InputRoles, modelBatch: Int?, needsBranches: Bool = false
  ) throws(DiffusionError) {
    let samples = inputs.sampleCount
    guard samples > 0 else {
      throw DiffusionError("no-samples", at: "initial_noise", "there are no samples")
    }
    let doubled = inputs.text.values.contains { $0.rank > 0 && $0.shape[0] == 2 * samples }
    guard inputs.guidanceScale != nil || !doubled else {
      throw DiffusionError(
        "no-guidance-scale", at: "guidance_scale",
        "the text has two rows a sample, which is batched guidance, but no scale is given",
        hint: "pass --guidance G")
    }
    if case .embedded = roles.guidance {
      (branches, scale, isBatched) = (["cond"], nil, false)
    } else if let guidance = inputs.guidanceScale {
      let takesBoth = modelBatch.map { $0 % 2 == 0 } ?? true
      isBatched = takesBoth && !needsBranches && (doubled || roles.guidance == .batched)
      branches = isBatched ? ["batched"] : ["uncond", "cond"]
      scale = guidance
    } else {
      (branches, scale, isBatched) = (["cond"], nil, false)
    }
    let callsForBoth = isBatched
    let perRun = modelBatch.map { callsForBoth ? $0 / 2 : $0 } ?? samples
    guard perRun > 0, samples % perRun == 0 else {
      throw DiffusionError(
        "batch-mismatch", at: "initial_noise",
        "\(samples) samples cannot be split into runs of the model's batch \(perRun)")
    }
    groupCount = perRun
    classLabel = roles.classLabel
  }

  /// The text inputs of one call for some samples.
  func text(
    for branch: String, _ range: Range<Int>, of inputs: SampleInputs
  ) throws(DiffusionError) -> [Name: Tensor] {
    var result: [Name: Tensor] = [:]
    for (name, tensor) in inputs.text {
      let place = "text/\(name)"
      let isDoubled = tensor.rank > 0 && tensor.shape[0] == 2 * inputs.sampleCount
      let offset = inputs.sampleCount
      let shifted = range.lowerBound + offset..<range.upperBound + offset
      let conditional = try tensor.samples(isDoubled ? shifted : range, of: place)
      guard branch != "cond" else {
        result[name] = conditional
        continue
      }
      let unconditional: Tensor
      if isDoubled {
        unconditional = try tensor.samples(range, of: place)
      } else if let given = inputs.unconditionalText[name] {
        unconditional = try given.samples(range, of: "text_uncond/\(name)")
      } else {
        unconditional =
          name == classLabel?.input ? noClass(like: conditional) : conditional.zeros()
      }
      result[name] =
        branch == "batched"
        ? try Tensor.stacked([unconditional, conditional], at: place) : unconditional
    }
    return result
  }

  private func noClass(like labels: Tensor) -> Tensor {
    let none = Int64(classLabel?.none ?? 0)
    return Tensor([Int64](repeating: none, count: labels.elementCount), shape: labels.shape)
  }

  /// The outputs of a step's calls as one: `uncond + g·(cond − uncond)`.
  ///
  /// A model that also predicts a variance has twice the channels of its latents; the second half
  /// is left out. `scale` stands in for the plan's own.
  func guided(
    _ outputs: [Tensor], like latents: Tensor, scale own: Double? = nil
  ) throws(DiffusionError) -> [Float] {
    var numbers: [Float] = []
    for output in outputs {
      numbers += try withoutVariance(output, like: latents).elements(as: Float.self)
    }
    let count = latents.elementCount
    let isAlone = scale == nil || branches.count == 2 && outputs.count == 1
    guard numbers.count == (isAlone ? count : 2 * count) else {
      throw DiffusionError(
        "output-shape", at: "model output",
        "the model returned \(outputs[0].shape) for latents \(latents.shape)",
        category: .unsupported)
    }
    guard let scale = own ?? scale, !isAlone else { return numbers }
    let guidance = Float(scale)
    return (0..<count).map { numbers[$0] + guidance * (numbers[count + $0] - numbers[$0]) }
  }

  private func withoutVariance(
    _ output: Tensor, like latents: Tensor
  ) throws(DiffusionError) -> Tensor {
    guard output.rank == latents.rank, output.rank > 1, output.shape[1] == 2 * latents.shape[1]
    else { return output }
    var dimensions = output.shape.dimensions
    dimensions[1] /= 2
    guard let half = try? Shape(dimensions) else { return output }
    return output.view(shape: half, strides: output.strides, offset: output.offset)
  }
}

extension Tensor {
  fileprivate func zeros() -> Tensor {
    let storage = TensorStorage(byteCount: byteCount)
    storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    return Tensor(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0,
      storage: storage)
  }
}
