import Glibc

/// Discrete Fourier transforms in double precision.
public enum Fourier {
  /// X[k] = Σ x[n] exp(∓2πi kn / N), divided by N for the inverse.
  ///
  /// Powers of two take n · log n steps, other lengths those of three such transforms of more than
  /// twice the length (L. Bluestein, "A linear filtering approach to the computation of discrete
  /// Fourier transform", 1970).
  public static func transform(
    _ real: inout [Double], _ imaginary: inout [Double], isInverse: Bool
  ) {
    precondition(real.count == imaginary.count, "a complex number has two parts")
    let count = real.count
    guard count > 1 else { return }
    if count & (count - 1) == 0 {
      powerOfTwo(&real, &imaginary, sign: isInverse ? 1 : -1)
    } else {
      chirp(&real, &imaginary, sign: isInverse ? 1 : -1)
    }
    guard isInverse else { return }
    for i in 0..<count {
      real[i] /= Double(count)
      imaginary[i] /= Double(count)
    }
  }

  private static func powerOfTwo(_ re: inout [Double], _ im: inout [Double], sign: Double) {
    let count = re.count
    var j = 0
    for i in 1..<count {
      var bit = count >> 1
      while j & bit != 0 {
        j ^= bit
        bit >>= 1
      }
      j |= bit
      if i < j {
        re.swapAt(i, j)
        im.swapAt(i, j)
      }
    }
    var length = 2
    while length <= count {
      let half = length / 2
      for k in 0..<half {
        let angle = sign * 2 * Double.pi * Double(k) / Double(length)
        let (c, s) = (cos(angle), sin(angle))
        for start in stride(from: k, to: count, by: length) {
          let (x, y) = (re[start + half], im[start + half])
          let (a, b) = (x * c - y * s, x * s + y * c)
          (re[start + half], im[start + half]) = (re[start] - a, im[start] - b)
          re[start] += a
          im[start] += b
        }
      }
      length *= 2
    }
  }

  private static func chirp(_ re: inout [Double], _ im: inout [Double], sign: Double) {
    let count = re.count
    var size = 1
    while size < 2 * count - 1 { size *= 2 }
    let angles = (0..<count).map { i in
      sign * Double.pi * Double(i.multipliedFullWidth(by: i).low % UInt(2 * count)) / Double(count)
    }
    var (a, b) = ([Double](repeating: 0, count: size), [Double](repeating: 0, count: size))
    var (c, d) = (a, a)
    for i in 0..<count {
      let (w, v) = (cos(angles[i]), sin(angles[i]))
      a[i] = re[i] * w - im[i] * v
      b[i] = re[i] * v + im[i] * w
      c[i] = w
      d[i] = -v
      if i > 0 {
        c[size - i] = w
        d[size - i] = -v
      }
    }
    powerOfTwo(&a, &b, sign: -1)
    powerOfTwo(&c, &d, sign: -1)
    for i in 0..<size { (a[i], b[i]) = (a[i] * c[i] - b[i] * d[i], a[i] * d[i] + b[i] * c[i]) }
    powerOfTwo(&a, &b, sign: 1)
    for i in 0..<count {
      let (w, v) = (cos(angles[i]), sin(angles[i]))
      let (x, y) = (a[i] / Double(size), b[i] / Double(size))
      re[i] = x * w - y * v
      im[i] = x * v + y * w
    }
  }
}
