public import ModelStructure
public import Tensors

/// How the axes of a model's latents lie.
public enum LatentLayout: Hashable, Sendable {
  /// (B, C, F, H, W), or (B, C, H, W) of pictures.
  case channelsFirst
  /// (B, F, C, H, W), as CogVideoX has it.
  case framesFirst
  /// (B, tokens, C), as FLUX and LTX have it; only the grid says how the tokens lie.
  case packed(TokenGrid)

  /// One sample, without its batch, as (C, F, H, W), or (C, H, W) of pictures.
  ///
  /// - Throws: `ProfilingError` for a tensor that is laid out otherwise
  public func planes(_ sample: Tensor) throws(ProfilingError) -> Tensor {
    switch self {
    case .channelsFirst:
      return sample
    case .framesFirst:
      guard sample.rank == 4 else { throw unexpected(sample) }
      return sample.transposed([1, 0, 2, 3]).contiguous()
    case .packed(let grid):
      guard sample.rank == 2, sample.shape[0] == grid.count,
        let shape = try? Shape([sample.shape[1], grid.frames, grid.rows, grid.columns])
      else { throw unexpected(sample) }
      let planes = sample.transposed([1, 0]).contiguous()
      return planes.view(shape: shape, strides: shape.rowMajorStrides)
    }
  }

  private func unexpected(_ sample: Tensor) -> ProfilingError {
    ProfilingError(
      "bad-latents", at: "latents", "a sample of shape \(sample.shape) does not fit its model")
  }
}
