import TensorFiles
import Tensors
import TestSupport

/// Archives of inputs.
enum FeedFile {
  /// The bytes of an archive that holds `x`, two floats.
  static let x: [UInt8] = {
    do {
      let folder = try TemporaryFolder()
      try NPZFile.write([("x", Tensor([1, 2] as [Float]))], to: folder.path("x.npz"))
      return try folder.bytes("x.npz")
    } catch {
      return []
    }
  }()
}
