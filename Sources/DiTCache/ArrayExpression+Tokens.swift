import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Tokens of an array (…, tokens, channels).
private struct TokenArray {
  var elements: [Float]
  let shape: Shape
  let batches: Int
  let tokens: Int
  let width: Int

  init(_ value: ArrayExpression.Value) throws {
    guard case .array(let elements, let shape) = value, shape.rank >= 2 else {
      throw ArrayExpression.odd(.boolean(false))
    }
    self.init(elements, shape)
  }

  init(_ elements: [Float], _ shape: Shape) {
    self.elements = elements
    self.shape = shape
    tokens = shape[shape.rank - 2]
    width = shape[shape.rank - 1]
    batches = elements.count / max(1, tokens * width)
  }

  func place(_ batch: Int, _ token: Int) -> Int { (batch * tokens + token) * width }

  func row(_ batch: Int, _ token: Int) -> ArraySlice<Float> {
    let first = place(batch, token)
    return elements[first..<first + width]
  }

  /// The token of another array that a row of this one names.
  func token(_ batch: Int, _ number: Int, of source: TokenArray) throws -> Int {
    guard let token = Int(exactly: elements[place(batch, number)]),
      (0..<source.tokens).contains(token)
    else { throw ArrayExpression.odd(.boolean(false)) }
    return token
  }

  /// Arrays of other sizes at the last two axes.
  func value(_ elements: [Float], tokens: Int, width: Int) throws -> ArrayExpression.Value {
    var sizes = shape.dimensions
    sizes[sizes.count - 2] = tokens
    sizes[sizes.count - 1] = width
    return .array(elements, try Shape(sizes))
  }

  /// One number for each token.
  func column(_ number: (_ batch: Int, _ token: Int) -> Float) throws -> ArrayExpression.Value {
    let numbers = (0..<batches).flatMap { batch in (0..<tokens).map { number(batch, $0) } }
    return try value(numbers, tokens: tokens, width: 1)
  }
}

/// Functions of tokens.
extension ArrayExpression {
  func tokens(_ function: Expression.Function, of operands: [Expression]) throws -> Value {
    let first = try TokenArray(try value(of: operands[0]))
    switch function {
    case .norm:
      return try first.column { batch, token in
        first.row(batch, token).reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
    case .unit: return try unit(first)
    case .noise:
      let step = try integer(.step)
      let seed = try integer(operands[1])
      return try first.column { _, token in Self.noise(token, key: step * 1_543 + seed) }
    case .topK:
      let part = Float(try number(operands[1]))
      let share = (part * Float(first.tokens)).rounded(.down)
      let count = Int(min(max(share.isNaN ? 1 : share, 1), Float(max(1, first.tokens))))
      let chosen = (0..<first.batches).flatMap { batch in
        (0..<first.tokens).sorted { a, b in
          let (x, y) = (first.row(batch, a).first ?? 0, first.row(batch, b).first ?? 0)
          return x == y ? a < b : x > y
        }.prefix(count).map { Float($0) }
      }
      return try first.value(chosen, tokens: count, width: 1)
    case .gather: return try Self.gather(first, try TokenArray(try value(of: operands[1])))
    case .scatter:
      return try scatter(
        first, try TokenArray(try value(of: operands[1])), try value(of: operands[2]))
    case .gridPeaks:
      let side = try integer(operands[1])
      return try first.value(try peaks(first, side: side), tokens: first.tokens, width: 1)
    default: throw Self.odd(.call(function, operands))
    }
  }

  /// A number without its fraction, where that is below 2^31.
  private func integer(_ expression: Expression) throws -> Int {
    guard let number = Int32(exactly: try number(expression).rounded(.towardZero)) else {
      throw Self.odd(expression)
    }
    return Int(number)
  }

  /// Some rows of an array, as `gather` takes them.
  func rows(_ value: Value, at tokens: Expression) throws -> Value {
    try Self.gather(try TokenArray(value), try TokenArray(try self.value(of: tokens)))
  }

  private static func gather(_ source: TokenArray, _ choice: TokenArray) throws -> Value {
    var result: [Float] = []
    for batch in 0..<choice.batches {
      for number in 0..<choice.tokens {
        result += source.row(batch, try choice.token(batch, number, of: source))
      }
    }
    return try source.value(result, tokens: choice.tokens, width: source.width)
  }

  private func scatter(
    _ source: TokenArray, _ choice: TokenArray, _ values: Value
  ) throws -> Value {
    var result = source.elements
    for batch in 0..<choice.batches {
      for number in 0..<choice.tokens {
        let place = source.place(batch, try choice.token(batch, number, of: source))
        let from = (batch * choice.tokens + number) * source.width
        for channel in 0..<source.width {
          switch values {
          case .number(let value): result[place + channel] = Float(value)
          case .array(let rows, _): result[place + channel] = rows[from + channel]
          case .boolean: throw Self.odd(.boolean(false))
          }
        }
      }
    }
    return .array(result, source.shape)
  }

  private func unit(_ source: TokenArray) throws -> Value {
    var result = source.elements
    for batch in 0..<source.batches {
      for channel in 0..<source.width {
        let places = (0..<source.tokens).map { source.place(batch, $0) + channel }
        let norm = places.reduce(Float(0)) { $0 + result[$1] * result[$1] }.squareRoot()
        for place in places { result[place] /= max(norm, 1e-12) }
      }
    }
    return .array(result, source.shape)
  }

  /// The four rounds that the language's documentation says.
  private static func noise(_ token: Int, key: Int) -> Float {
    let prime = 2_039
    let own = (key % prime + prime) % prime
    var (a, b) = (token / prime % prime, token % prime)
    for round in 0..<4 {
      let mixed = (b + own + 1_009 * round) % prime
      (a, b) = (b, (a + mixed * mixed % prime * mixed) % prime)
    }
    return Float(a * prime + b) / Float(prime * prime)
  }

  private func peaks(_ scores: TokenArray, side: Int) throws -> [Float] {
    var result = [Float](repeating: 0, count: scores.elements.count)
    guard let grid else { return result }
    guard grid.count == scores.tokens else { throw Self.odd(.boolean(false)) }
    for batch in 0..<scores.batches {
      var best: [Int: Int] = [:]
      for token in 0..<scores.tokens {
        let row = token / grid.columns
        let cell = row / side * grid.columns + token % grid.columns / side
        let place = scores.place(batch, token)
        if let other = best[cell], scores.elements[other] >= scores.elements[place] { continue }
        best[cell] = place
      }
      for place in best.values { result[place] = scores.elements[place] }
    }
    return result
  }
}
