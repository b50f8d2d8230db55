/// The messages of ONNX (onnx.proto) as far as scanning needs them.
enum WireMessage: UInt8 {
  case model, graph, node, attribute, tensor, sparseTensor, value, type, tensorType, elementType
  case shape, function, training, leaf
}

/// What a field of a message holds.
enum WireField {
  /// A message; several of one that may stand once are merged by protobuf.
  case message(WireMessage, isSingular: Bool)
  /// Bytes or text.
  case bytes
  /// One number, or many in packed form.
  case numbers
  /// One number that may stand once.
  case singularNumber
  /// Nothing that this software knows.
  case unknown
}

extension WireMessage {
  /// The meaning of a field number in this message.
  func field(_ number: UInt32) -> WireField {
    switch self {
    case .model: Self.model(number)
    case .graph: Self.graph(number)
    case .node: Self.node(number)
    case .attribute: Self.attribute(number)
    case .tensor: Self.tensor(number)
    case .function: Self.function(number)
    case .sparseTensor:
      switch number {
      case 1, 2: .message(.tensor, isSingular: true)
      case 3: .numbers
      default: .unknown
      }
    case .value:
      switch number {
      case 1, 3: .bytes
      case 2: .message(.type, isSingular: true)
      case 4: .message(.leaf, isSingular: false)
      default: .unknown
      }
    case .type:
      switch number {
      case 1, 8: .message(.tensorType, isSingular: true)
      case 4, 5, 9: .message(.elementType, isSingular: true)
      case 6: .bytes
      case 7: .message(.leaf, isSingular: true)
      default: .unknown
      }
    case .tensorType:
      switch number {
      case 1: .numbers
      case 2: .message(.shape, isSingular: true)
      default: .unknown
      }
    case .elementType:
      // Sequences and optionals hold their element type in field 1, maps in field 2 beside a
      // number in field 1.
      switch number {
      case 1, 2: .message(.type, isSingular: true)
      default: .unknown
      }
    case .shape: number == 1 ? .message(.leaf, isSingular: false) : .unknown
    case .training:
      switch number {
      case 1, 2: .message(.graph, isSingular: true)
      case 3, 4: .message(.leaf, isSingular: false)
      default: .unknown
      }
    case .leaf: .bytes
    }
  }

  private static func model(_ number: UInt32) -> WireField {
    switch number {
    case 1: .singularNumber
    case 5: .numbers
    case 2, 3, 4, 6: .bytes
    case 7: .message(.graph, isSingular: true)
    case 8, 14, 26: .message(.leaf, isSingular: false)
    case 20: .message(.training, isSingular: false)
    case 25: .message(.function, isSingular: false)
    default: .unknown
    }
  }

  private static func graph(_ number: UInt32) -> WireField {
    switch number {
    case 1: .message(.node, isSingular: false)
    case 2, 10: .bytes
    case 5: .message(.tensor, isSingular: false)
    case 11, 12, 13: .message(.value, isSingular: false)
    case 14, 16: .message(.leaf, isSingular: false)
    case 15: .message(.sparseTensor, isSingular: false)
    default: .unknown
    }
  }

  private static func node(_ number: UInt32) -> WireField {
    switch number {
    case 1, 2, 3, 4, 6, 7, 8: .bytes
    case 5: .message(.attribute, isSingular: false)
    case 9, 10: .message(.leaf, isSingular: false)
    default: .unknown
    }
  }

  private static func attribute(_ number: UInt32) -> WireField {
    switch number {
    case 1, 4, 9, 13, 21: .bytes
    case 2, 3, 7, 8, 20: .numbers
    case 5: .message(.tensor, isSingular: true)
    case 6: .message(.graph, isSingular: true)
    case 10: .message(.tensor, isSingular: false)
    case 11: .message(.graph, isSingular: false)
    case 14: .message(.type, isSingular: true)
    case 15: .message(.type, isSingular: false)
    case 22: .message(.sparseTensor, isSingular: true)
    case 23: .message(.sparseTensor, isSingular: false)
    default: .unknown
    }
  }

  private static func tensor(_ number: UInt32) -> WireField {
    switch number {
    case 1, 2, 4, 5, 7, 10, 11, 14: .numbers
    case 3: .message(.leaf, isSingular: true)
    case 6, 8, 9, 12: .bytes
    case 13, 16: .message(.leaf, isSingular: false)
    default: .unknown
    }
  }

  private static func function(_ number: UInt32) -> WireField {
    switch number {
    case 1, 4, 5, 6, 8, 10, 13: .bytes
    case 7: .message(.node, isSingular: false)
    case 11: .message(.attribute, isSingular: false)
    case 9, 14: .message(.leaf, isSingular: false)
    case 12: .message(.value, isSingular: false)
    default: .unknown
    }
  }
}
