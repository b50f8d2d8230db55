import Glibc
import Tensors

/// Weight files on their way into another folder.
///
/// Copies get names of ours, never a name from the model: a location may be chosen by whoever made
/// the model (CVE-2025-51480).
final class WeightCopies {
  /// New locations by the original ones.
  let locations: [String: String]

  private let files: [(source: ExternalFile, path: String)]
  private var published: [(path: String, previous: String?)] = []

  init(of sources: [ExternalFile], beside path: String) {
    var locations: [String: String] = [:]
    var files: [(ExternalFile, String)] = []
    let name = path.split(separator: "/").last.map(String.init) ?? path
    for (position, source) in sources.enumerated() {
      let suffix = position == 0 ? ".data" : ".\(position).data"
      locations[source.location] = name + suffix
      files.append((source, path + suffix))
    }
    self.locations = locations
    self.files = files
  }

  /// Copies every file; on failure what was there before is back.
  func publish() throws {
    do {
      for (source, path) in files {
        let bytes = try source.bytes()
        var copy = try DurableFile(replacing: path)
        try copy.write(UnsafeRawBufferPointer(start: bytes.base, count: bytes.byteCount))
        try copy.seal()
        let previous = copy.temporaryPath + "-previous"
        let isReplacing = link(path, previous) == 0
        published.append((path, isReplacing ? previous : nil))
        try copy.commit()
      }
    } catch {
      withdraw()
      throw error
    }
  }

  /// Removes what was copied and brings back what it replaced.
  func withdraw() {
    for (path, previous) in published {
      if let previous { rename(previous, path) } else { unlink(path) }
    }
    published = []
  }

  /// Gives up what the copies replaced: the model that needs them is in place.
  func settle() {
    for case (_, .some(let previous)) in published { unlink(previous) }
    published = []
  }
}
