import Glibc
import ScheduleLanguage
import Tensors

extension ArrayExpression {
  /// The low band of an array by the definition: the sum of its frequencies inside the circle.
  static func lowFrequencies(_ elements: [Float], _ shape: Shape, _ part: Int) throws -> Value {
    guard shape.rank >= 2 else { throw odd(.boolean(false)) }
    let (height, width) = (shape[shape.rank - 2], shape[shape.rank - 1])
    let radius = min(height, width) / part
    let (rows, columns) = (-(height / 2)..<height - height / 2, -(width / 2)..<width - width / 2)
    var kept: [(dy: Int, dx: Int)] = []
    for dy in rows {
      for dx in columns where dy * dy + dx * dx <= radius * radius { kept.append((dy, dx)) }
    }
    var result = [Float](repeating: 0, count: elements.count)
    let size = height * width
    for plane in stride(from: 0, to: elements.count, by: max(1, size)) {
      for (dy, dx) in kept {
        func angle(_ place: Int) -> Double {
          let vertical = Double(dy * (place / width)) / Double(height)
          let horizontal = Double(dx * (place % width)) / Double(width)
          return 2 * Double.pi * (vertical + horizontal)
        }
        var (cosine, sine) = (0.0, 0.0)
        for place in 0..<size {
          cosine += Double(elements[plane + place]) * cos(angle(place))
          sine += Double(elements[plane + place]) * sin(angle(place))
        }
        for place in 0..<size {
          let value = cosine * cos(angle(place)) + sine * sin(angle(place))
          result[plane + place] += Float(value / Double(size))
        }
      }
    }
    return .array(result, shape)
  }
}
