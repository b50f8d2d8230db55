import Glibc
import Tensors

/// Weight files on their way into another folder.
///
/// Copies get names of ours, never a name from the model: a location may be chosen by whoever made
/// the model (CVE-2025-51480). A name holds the digest of the content, so that copies of an earlier
/// output are never changed under the model that reads them.
final class WeightCopies {
  /// New locations by the original ones.
  private(set) var locations: [String: String] = [:]

  private let folder: String
  private var copies: [(sink: FileSink, name: String)] = []
  private var published: [String] = []

  /// Hexadecimal digits of the digest in a name; 64 bits.
  private static let digitCount = 16

  /// Copies every file to a temporary one beside `path`.
  init(of sources: [ExternalFile], beside path: String, inputs: Set<FileIdentity>) throws {
    folder = ExternalFolder.folder(of: path)
    let base = path.split(separator: "/").last.map(String.init) ?? path
    for source in sources {
      let sink = try FileSink(replacing: path + ".data", inputs: inputs)
      try source.forEachPiece { piece in
        if !sink.take(piece), let failure = sink.failure { throw failure }
      }
      let digest = try sink.seal()
      let name = "\(base).\(digest.prefix(Self.digitCount)).data"
      locations[source.location] = name
      copies.append((sink, name))
    }
  }

  /// Gives every copy its name; on failure none that is new remains.
  func publish() throws {
    do {
      for (sink, name) in copies {
        let path = "\(folder)/\(name)"
        let isNew = FileIdentity(path: path) == nil
        defer { if isNew, sink.isInPlace(at: path) { published.append(path) } }
        try sink.commit(as: name)
      }
    } catch {
      withdraw()
      throw error
    }
  }

  /// Removes what was not there before.
  func withdraw() {
    for path in published { unlink(path) }
    published = []
  }
}
