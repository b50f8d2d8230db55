import Kernels
import Tensors

/// The directions in which samples of several channels vary most.
public struct PrincipalComponents: Sendable {
  /// The mean of each channel.
  public let mean: [Double]

  /// Directions of length 1, the one of greatest variance first; its largest part is positive.
  public let axes: [[Double]]

  /// The components of samples given channel by channel, at most as many as there are channels.
  public init(of channels: [[Double]], count: Int) throws(ProfilingError) {
    let sampleCount = channels.first?.count ?? 0
    guard sampleCount > 0, channels.allSatisfy({ $0.count == sampleCount }) else {
      throw ProfilingError("no-samples", at: "PCA", "there is nothing to find components of")
    }
    let mean = channels.map { $0.reduce(0, +) / Double(sampleCount) }
    let centred = zip(channels, mean).map { channel, mean in channel.map { $0 - mean } }
    var covariance: [Double] = []
    for a in centred {
      for b in centred {
        var sum = 0.0
        for index in 0..<sampleCount { sum += a[index] * b[index] }
        covariance.append(sum / Double(sampleCount))
      }
    }
    do throws(KernelError) {
      let solution = try SymmetricEigenproblem(covariance, order: channels.count)
      axes = solution.vectors.reversed().prefix(count).map { vector in
        let largest = vector.max { abs($0) < abs($1) } ?? 0
        return largest < 0 ? vector.map { -$0 } : vector
      }
    } catch {
      throw ProfilingError("no-components", at: "PCA", "\(error)", category: .badModel)
    }
    self.mean = mean
  }

  /// Samples along the axes, axis by axis.
  public func project(_ channels: [[Double]]) -> [[Double]] {
    axes.map { axis in
      var result = [Double](repeating: 0, count: channels.first?.count ?? 0)
      for (channel, values) in channels.enumerated() {
        for index in result.indices {
          result[index] += axis[channel] * (values[index] - mean[channel])
        }
      }
      return result
    }
  }
}
