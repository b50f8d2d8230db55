import Foundation
import Quality
import Tensors

/// Results as VBench's runner looks for them: for each method a folder of `{prompt}-{index}.mp4`.
///
/// The standard mode takes indices 0 to 4 of its own prompts, and the ending of any one file for all
/// of them, so that nothing else lies in the folders; the custom mode reads a file that says what
/// the prompt of each video is, here `{method}.json` (github.com/Vchitect/VBench,
/// `vbench/__init__.py`, `build_full_info_json`). Pictures are PNG files.
struct VBenchVideos {
  private let folder: String
  private let ffmpeg: String?
  private var prompts: [String: [String: String]] = [:]
  private var counts: [String: Int] = [:]

  /// What files were written and what is to be said about them.
  private(set) var files: [String] = []
  private(set) var warnings: [String] = []

  /// Names of files have 255 bytes at most; an index and an ending stand behind the prompt.
  private static let longestPrompt = 240

  init(folder: String) throws {
    self.folder = folder
    ffmpeg = AnimatedImage.ffmpeg(on: ProcessInfo.processInfo.environment["PATH"])
    try FolderPath.make(folder)
  }

  /// Writes the samples of a result (B, C, F, H, W) or (B, C, H, W).
  mutating func add(_ result: Tensor, method: String, prompt: String?) throws {
    guard GeneratedContent(shape: result.shape) == .pixels else {
      throw UsageError(
        "no-pixels", at: "--vbench", "the model denoises latents, and VBench looks at pixels",
        hint: "pass --decoder with an ONNX file")
    }
    let prompt = prompt ?? "sample"
    let name = prompt.replacing("/", with: "_")
    guard !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= Self.longestPrompt else {
      throw UsageError(
        "bad-file-name", at: "--vbench",
        "'\(prompt)' cannot be the name of a file; its limit is \(Self.longestPrompt) bytes")
    }
    let own = "\(folder)/\(method.replacing("/", with: "_"))"
    if prompts[own] == nil { try FolderPath.make(own) }
    for sample in 0..<result.shape[0] {
      let key = "\(own)/\(name)"
      let stem = "\(key)-\(counts[key, default: 0])"
      counts[key, default: 0] += 1
      let video = result.asVideo.sliced(axis: 0, first: sample, count: 1)
      let path = try write(try AnimatedImage(video: video), to: stem)
      prompts[own, default: [:]][URL(filePath: path).lastPathComponent] = prompt
    }
  }

  private mutating func write(_ film: AnimatedImage, to stem: String) throws -> String {
    if film.frames.count == 1 {
      try film.frames[0].writePNG(to: "\(stem).png")
      return "\(stem).png"
    }
    guard let ffmpeg else {
      if warnings.isEmpty {
        warnings.append(
          "ffmpeg is not installed, so the videos are animated WebP, which VBench does not read; "
            + "convert them to .mp4 first")
      }
      try film.writeWebP(to: "\(stem).webp")
      return "\(stem).webp"
    }
    try film.writeMP4(to: "\(stem).mp4", with: ffmpeg)
    return "\(stem).mp4"
  }

  /// Writes which prompt each file of a folder belongs to, for `--prompt_file` of VBench's `evaluate.py`.
  mutating func finish() throws {
    for (own, videos) in prompts.sorted(by: { $0.key < $1.key }) {
      try ScheduleTexts.replace("\(own).json", with: try JSONText.of(videos) + "\n")
      files += [own, "\(own).json"]
    }
  }
}
