import Adapters
import GraphIR
import OnnxFile
import Tensors

/// What tells a model of a prompt, one sample each: for the conditional call, and for the
/// unconditional one where that is not zeros.
struct Conditioning {
  var text: [Name: Tensor] = [:]
  var unconditionalText: [Name: Tensor] = [:]
}

extension SampleJob {
  /// The conditioning of a request's prompt: of a class, of token numbers, or of words.
  func conditioning(of request: Request) throws -> Conditioning {
    if let path = request.promptIDsPath {
      guard let textEncoder else {
        throw UsageError(
          "no-text-encoder", at: "--prompt-ids", "token numbers need a model that encodes them",
          hint: "pass --text-encoder with an ONNX file")
      }
      return try textEncoder.conditioning(of: path, roles)
    }
    guard let prompt = request.prompt else {
      guard roles.conditioning.isEmpty, roles.classLabel == nil else {
        throw UsageError(
          "no-text", at: "--prompt", "the model needs a prompt", hint: "pass --prompt or --inputs")
      }
      return Conditioning()
    }
    if let label = roles.classLabel {
      return Conditioning(
        text: [label.input: try ClassNames(of: model.path).label(of: prompt)])
    }
    guard !roles.text.isEmpty else { return Conditioning() }
    let table = try PromptTable(of: model.path, named: roles.promptTable)
    return try words(try table.embeddings(of: prompt))
  }

  /// The inputs of word embeddings (1, words, width): a mask of ones, and as pooled embedding their
  /// mean, which is how the example models were trained.
  private func words(_ embeddings: Tensor) throws -> Conditioning {
    var result = Conditioning()
    let (count, width) = (embeddings.shape[1], embeddings.shape[2])
    for name in roles.text { result.text[name] = embeddings }
    for name in roles.masks {
      let ones = Tensor([Int64](repeating: 1, count: count), shape: try Shape([1, count]))
      result.text[name] = ones
      result.unconditionalText[name] = ones
    }
    let numbers = embeddings.elements(as: Float.self)
    let mean = (0..<width).map { column in
      (0..<count).reduce(0) { $0 + numbers[$1 * width + column] } / Float(count)
    }
    for name in roles.pooled { result.text[name] = Tensor(mean, shape: try Shape([1, width])) }
    return result
  }
}
