import Foundation
import Tensors

extension AnimatedImage {
  /// The `ffmpeg` on a search path such as `$PATH`; nil when none is installed.
  public static func ffmpeg(on searchPath: String?) -> String? {
    (searchPath ?? "").split(separator: ":").map { "\($0)/ffmpeg" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Has ffmpeg encode the animation, with the encoder it prefers for MP4, and writes the file.
  ///
  /// ffmpeg reads the frames from its standard input. Odd sizes get one more row or column, because
  /// players need halved colour planes.
  ///
  /// - Parameters:
  ///   - path: the file; it is written whole or not at all
  ///   - program: the path of ffmpeg
  /// - Throws: `QualityError` with ffmpeg's last words
  public func writeMP4(to path: String, with program: String) throws(QualityError) {
    try QualityError.writing(try mp4Data(with: program), to: path, inputs: [])
  }

  private func mp4Data(with program: String) throws(QualityError) -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "ditcache-film-\(UUID().uuidString)")
    let frames = folder.appending(path: "frames.rgb")
    let film = folder.appending(path: "film.mp4")
    let complaint: String
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      defer { try? FileManager.default.removeItem(at: folder) }
      try Data(self.frames.flatMap(\.pixels)).write(to: frames)
      complaint = try run(program, reading: frames, writing: film)
      if complaint.isEmpty { return [UInt8](try Data(contentsOf: film)) }
    } catch {
      throw QualityError(
        .encodingFailed, at: program, "The film could not be encoded: \(error.localizedDescription)"
      )
    }
    throw QualityError(.encodingFailed, at: program, "ffmpeg failed: \(complaint)")
  }

  /// Runs ffmpeg; returns what it complained of, nothing when all went well.
  private func run(_ program: String, reading frames: URL, writing film: URL) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = [
      "-loglevel", "error", "-f", "rawvideo", "-pixel_format", "rgb24",
      "-video_size", "\(self.frames[0].width)x\(self.frames[0].height)",
      "-framerate", "1000/\(frameDuration)", "-i", "-",
      "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
      "-f", "mp4", film.path(percentEncoded: false),
    ]
    let errors = Pipe()
    process.standardInput = try FileHandle(forReadingFrom: frames)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let words = String(
      decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      return words.split(separator: "\n").last.map(String.init)
        ?? "status \(process.terminationStatus)"
    }
    return FileManager.default.fileExists(atPath: film.path(percentEncoded: false))
      ? "" : "it wrote no file"
  }
}
