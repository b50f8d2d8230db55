import GraphIR
import Tensors

/// A hash of what a branch computes that is the same for isomorphic branches.
///
/// Operators, scalar attributes and weight shapes count; names, constants that hold sizes, and where
/// conditioning comes from do not.
struct BranchForm {
  private var hashes: [ValueID: Int] = [:]
  private let flow: Dataflow

  init(_ region: BranchRegion, in flow: Dataflow) {
    self.flow = flow
    hashes[region.base] = 1
    for id in region.nodes {
      let node = flow.graph[id]
      var hasher = StableHasher()
      hasher.combine(node.op.domain)
      hasher.combine(node.op.type)
      for attribute in node.attributes {
        hasher.combine(attribute.name)
        switch attribute.value {
        case .int(let number): hasher.combine(number)
        case .ints(let numbers): for number in numbers { hasher.combine(number) }
        case .float(let number): hasher.combine(Int(number.bitPattern))
        case .string(let bytes): hasher.combine(String(decoding: bytes, as: UTF8.self))
        default: break
        }
      }
      for operand in node.inputs {
        hasher.combine(operand.map { hashes[$0] ?? leaf($0) } ?? 0)
      }
      for (number, output) in node.outputs.enumerated() {
        guard let output else { continue }
        var own = hasher
        own.combine(number)
        hashes[output] = own.value
      }
    }
  }

  /// The hash of the branch's result.
  func hash(of value: ValueID) -> Int { hashes[value] ?? leaf(value) }

  private func leaf(_ value: ValueID) -> Int {
    guard flow.isConstant(value) else { return 2 }
    guard let tensor = flow.graph.initializers[value], tensor.dataType.isFloatingPoint,
      tensor.shape.dimensions.contains(where: { $0 > 1 })
    else { return 3 }
    var hasher = StableHasher()
    for size in tensor.shape.dimensions { hasher.combine(size) }
    return hasher.value
  }
}

/// FNV-1a, 64 bits (isthe.com/chongo/tech/comp/fnv): the same in every process.
struct StableHasher {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  /// What was combined so far as one number.
  var value: Int { Int(bitPattern: UInt(truncatingIfNeeded: state)) }

  mutating func combine(_ number: Int) {
    var bits = UInt64(bitPattern: Int64(number))
    for _ in 0..<8 {
      combine(byte: UInt8(truncatingIfNeeded: bits))
      bits >>= 8
    }
  }

  mutating func combine(_ text: String) {
    for byte in text.utf8 { combine(byte: byte) }
    combine(byte: 0)
  }

  private mutating func combine(byte: UInt8) {
    state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
  }
}
