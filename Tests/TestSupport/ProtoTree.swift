/// A protobuf message as a tree that keeps what each part is, so that a test can break one part and
/// leave the rest in order.
package struct ProtoTree: Sendable {
  /// What a message is in ONNX.
  package enum Kind: Sendable {
    case model, graph, node, attribute, tensor, value, type, tensorType, shape, dimension
    case operatorSet, entry
  }

  /// The content of a field.
  package indirect enum Value: Sendable {
    /// A number as a varint.
    case number(UInt64)
    /// Four bytes.
    case float(Float)
    /// Bytes or text.
    case bytes([UInt8])
    /// A message.
    case message(ProtoTree)
  }

  /// A field and its number.
  package struct Field: Sendable {
    /// The number in ONNX's schema.
    package var number: UInt64
    /// The content.
    package var value: Value
  }

  /// What the message is.
  package let kind: Kind

  /// Its fields in the order they are written.
  package var fields: [Field] = []

  /// A message that `build` fills.
  package init(_ kind: Kind, _ build: (inout ProtoTree) -> Void = { _ in }) {
    self.kind = kind
    build(&self)
  }

  /// Appends a number.
  package mutating func int(_ number: UInt64, _ value: Int) {
    fields.append(Field(number: number, value: .number(UInt64(bitPattern: Int64(value)))))
  }

  /// Appends a text.
  package mutating func text(_ number: UInt64, _ text: String) {
    fields.append(Field(number: number, value: .bytes(Array(text.utf8))))
  }

  /// Appends bytes.
  package mutating func data(_ number: UInt64, _ bytes: [UInt8]) {
    fields.append(Field(number: number, value: .bytes(bytes)))
  }

  /// Appends a float.
  package mutating func float(_ number: UInt64, _ value: Float) {
    fields.append(Field(number: number, value: .float(value)))
  }

  /// Appends a message.
  package mutating func message(_ number: UInt64, _ message: ProtoTree) {
    fields.append(Field(number: number, value: .message(message)))
  }

  /// The bytes.
  package var encoded: [UInt8] {
    Wire { wire in
      for field in fields {
        switch field.value {
        case .number(let number):
          wire.varint(field.number << 3)
          wire.varint(number)
        case .float(let number):
          wire.varint(field.number << 3 | 5)
          for shift in [0, 8, 16, 24] {
            wire.bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> UInt32(shift)))
          }
        case .bytes(let bytes): wire.data(field.number, bytes)
        case .message(let message): wire.data(field.number, message.encoded)
        }
      }
    }.bytes
  }

  /// The place of a message inside another: positions of fields, from the outside in.
  package typealias Place = [Int]

  /// The places of all messages of some kinds, this one included.
  package func places(of kinds: Set<Kind>) -> [Place] {
    var result: [Place] = kinds.contains(kind) ? [[]] : []
    for (position, field) in fields.enumerated() {
      guard case .message(let message) = field.value else { continue }
      result += message.places(of: kinds).map { [position] + $0 }
    }
    return result
  }

  /// The message at a place.
  package subscript(place: Place) -> ProtoTree {
    get {
      guard let first = place.first, case .message(let message) = fields[first].value else {
        return self
      }
      return message[Array(place.dropFirst())]
    }
    set {
      guard let first = place.first, case .message(var message) = fields[first].value else {
        self = newValue
        return
      }
      message[Array(place.dropFirst())] = newValue
      fields[first].value = .message(message)
    }
  }
}
