import Foundation
import Quality
import Tensors
import TestSupport
import Testing

@Suite("Films as MP4") struct MP4VideoTests {
  private static let film = Result {
    try Film.render(columns: [("", try ContactSheetTests.video())], scale: 3)
  }

  /// A program of a name in a folder.
  private func program(_ script: String, in folder: TemporaryFolder) throws -> String {
    let path = try folder.write([UInt8]("#!/bin/sh\n\(script)\n".utf8), to: "ffmpeg")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  @Test("the first ffmpeg on the search path is found; what cannot run is passed over")
  func search() throws {
    let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
    try first.write([], to: "ffmpeg")
    let path = try program("exit 0", in: second)
    #expect(AnimatedImage.ffmpeg(on: "\(first.path):/absent:\(second.path)") == path)
    #expect(AnimatedImage.ffmpeg(on: first.path) == nil)
    #expect(AnimatedImage.ffmpeg(on: nil) == nil)
  }

  @Test("ffmpeg gets the size and rate, and every frame's pixels on its standard input")
  func frames() throws {
    let folder = try TemporaryFolder()
    let film = try Self.film.get()
    let encoder = try program(
      """
      echo "$@" >\(folder.path("arguments"))
      for last; do :; done
      cat >"$last"
      """, in: folder)
    try film.writeMP4(to: folder.path("film.mp4"), with: encoder)
    #expect(try folder.bytes("film.mp4") == film.frames.flatMap(\.pixels))
    let arguments = String(decoding: try folder.bytes("arguments"), as: UTF8.self)
    let (width, height) = (film.frames[0].width, film.frames[0].height)
    #expect(arguments.contains("-video_size \(width)x\(height) -framerate 1000/125 -i -"))
    let last = try #require(arguments.split { $0 == " " || $0 == "\n" }.last.map(String.init))
    #expect(last.hasSuffix("/film.mp4"))
    let left = URL(filePath: last).deletingLastPathComponent().path(percentEncoded: false)
    #expect(!FileManager.default.fileExists(atPath: left))
  }

  @Test(
    "an encoder that fails leaves no file, and its last words are the error",
    arguments: [
      ("echo one >&2; echo no codec >&2; exit 1", "no codec"), ("exit 3", "status 3"),
      ("exit 0", "it wrote no file"), ("for last; do :; done; echo half >\"$last\"; exit 1", "1"),
      ("kill -9 $$", "9"),
    ])
  func failure(script: String, words: String) throws {
    let folder = try TemporaryFolder()
    let film = try Self.film.get()
    let encoder = try program(script, in: folder)
    let error = try #require(throws: QualityError.self) {
      try film.writeMP4(to: folder.path("film.mp4"), with: encoder)
    }
    #expect(error.code == "encoding-failed" && error.message.contains(words))
    #expect(try folder.names == ["ffmpeg"])
  }

  @Test(
    "an installed ffmpeg writes an MP4 file",
    .enabled(if: AnimatedImage.ffmpeg(on: ProcessInfo.processInfo.environment["PATH"]) != nil))
  func installed() throws {
    let folder = try TemporaryFolder()
    let path = ProcessInfo.processInfo.environment["PATH"]
    let encoder = try #require(AnimatedImage.ffmpeg(on: path))
    try Self.film.get().writeMP4(to: folder.path("film.mp4"), with: encoder)
    #expect(try folder.bytes("film.mp4").dropFirst(4).prefix(4).elementsEqual("ftyp".utf8))
  }
}
