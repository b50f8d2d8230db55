/// How the latents are cut into tokens: a grid in row-major order, frames outermost.
public struct TokenGrid: Hashable, Sendable {
  /// Patches in time.
  public let frames: Int
  /// Patches from top to bottom.
  public let rows: Int
  /// Patches from left to right.
  public let columns: Int

  /// The tokens of the latents.
  public var count: Int { frames * rows * columns }

  /// A grid.
  public init(frames: Int, rows: Int, columns: Int) {
    (self.frames, self.rows, self.columns) = (frames, rows, columns)
  }

  /// Patch sizes that are tried, in time and in space.
  private static let patches = (time: [1, 2, 4], space: [2, 1, 4, 8, 16, 3, 6])

  /// The grids of so many tokens that square patches make of latents of four axes, (B, C, H, W), or
  /// five, (B, C, F, H, W) or (B, F, C, H, W), each with the axis of its frames; among several the
  /// shortest in time first.
  public static func candidates(
    ofLatents sizes: [Int], tokens: Int
  ) -> [(grid: TokenGrid, frameAxis: Int?)] {
    let videos: [(axis: Int?, sizes: [Int])]
    switch sizes.count {
    case 4: videos = [(nil, [1, sizes[2], sizes[3]])]
    case 5:
      videos = [(2, [sizes[2], sizes[3], sizes[4]]), (1, [sizes[1], sizes[3], sizes[4]])]
    default: videos = []
    }
    return videos.flatMap { axis, video in
      grids(of: video).filter { $0.count == tokens }.map { (grid: $0, frameAxis: axis) }
    }
  }

  /// The grids of all patches that divide a video.
  private static func grids(of video: [Int]) -> [TokenGrid] {
    patches.time.filter { video[0] % $0 == 0 }.flatMap { time in
      patches.space.filter { video[1] % $0 == 0 && video[2] % $0 == 0 }.map { space in
        TokenGrid(frames: video[0] / time, rows: video[1] / space, columns: video[2] / space)
      }
    }
  }
}
