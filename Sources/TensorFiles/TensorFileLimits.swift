/// How much a tensor file may ask for; checked before memory is taken.
public struct TensorFileLimits: Hashable, Sendable {
  /// Tensors in one file.
  public var tensorCount = 200_000

  /// Dimensions of one tensor.
  public var rank = 16

  /// Bytes of one tensor once read.
  public var tensorByteCount = 1 << 34

  /// Bytes of the text header of one .npy array; NumPy writes about a hundred.
  public var npyHeaderByteCount = 1 << 16

  /// Bytes of the list of members at the end of a zip archive.
  public var zipDirectoryByteCount = 1 << 26

  /// Bytes of the JSON header of a .safetensors file; the reference implementation's limit.
  public var safetensorsHeaderByteCount = 100_000_000

  /// The default limits.
  public init() {}
}
