import CVectorKernels
import Tensors

/// The loop of a chain over pieces of its output, for one thread.
///
/// The results of a piece lie in slots, each taken again when nobody reads it any more, so they stay in
/// the first-level cache. The output may be an operand: it is written by the last step alone, from
/// elements at the same places. What the next piece reads of a tensor is asked for while this one is
/// computed, as the processor's own prefetching starts anew where tensors take turns. Instructions hold
/// no references: counting them would wait for the elements written before.
struct ChainLoop {
  /// Elements of a piece at most.
  private static let pieceCount = 1024

  /// Tensors from which on pieces are half as long: with their next elements they, too, are to fit the
  /// first-level cache.
  private static let manyWalks = 4

  /// Elements of a row from which on pieces end with rows, whose elements are then read where they are.
  private static let longRow = 512

  /// Where a value of a piece lies.
  private enum Place {
    /// In a tensor that is walked along, of which a piece is one row with steps of 0 or 1.
    case walk(Int, step: Int)
    /// One number for all elements.
    case single(UnsafePointer<Float>)
    case slot(Int)
  }

  private enum Instruction {
    case prefetch(Int, width: Int)
    /// Elements of a half type, from a walk.
    case widen(Int, Int32, into: Place)
    /// Elements of a scattered operand.
    case gather(Int, into: Place)
    case vectorUnary(ditc_f32_unary_function, Place, into: Place)
    case vectorBinary(ditc_f32_binary_function, Place, Place, into: Place)
    case unary(Int, Place, into: Place)
    case binary(Int, Place, Place, into: Place)
    case copy(Place, into: Place)
    case round(Place, Int32)
    /// The result as elements of a half type, to a walk.
    case narrow(Place, Int, Int32)
  }

  /// A tensor whose elements are read or written where they are.
  private struct Walk {
    let base: UnsafeMutableRawPointer
    let width: Int
    /// How it is walked; nil when it lies as the output does.
    let loop: StridedLoop?
  }

  /// An operand whose elements are brought together first.
  private struct Scattered {
    let base: UnsafeRawPointer
    let code: Int32
    let loop: StridedLoop
  }

  private var instructions: [Instruction] = []
  private var walks: [Walk] = []
  private var scattered: [Scattered] = []
  private var unaryRows: [UnaryRow<Float, Float>] = []
  private var binaryRows: [BinaryRow<Float, Float>] = []
  private var slotCount = 0
  private var freeSlots: [Int] = []
  /// Pieces end at multiples of this number; nil where operands have short rows.
  private var rowCount: Int?
}

// MARK: - Planning

extension ChainLoop {
  /// A loop over operands of which those of one element are `float32`.
  init(_ chain: ElementwiseChain, _ operands: [Tensor], _ output: Tensor) {
    var lastReads = [Int](repeating: -1, count: operands.count + chain.steps.count)
    var isRepeated = [Bool](repeating: false, count: operands.count)
    for (number, step) in chain.steps.enumerated() {
      for value in step.reads {
        lastReads[value] = number
        if value < operands.count, step.function.arity == 1 { isRepeated[value] = true }
      }
    }
    let rows = operands.filter { $0.elementCount > 1 && !$0.isDense(output.shape) }
      .map { StridedLoop(over: output.shape, $0).rowCount }
    rowCount = rows.min().flatMap { $0 >= Self.longRow ? $0 : nil }
    var places = [Place?](repeating: nil, count: lastReads.count)
    for (number, step) in chain.steps.enumerated() {
      let reads = step.reads.map { value in
        let place =
          places[value] ?? load(operands[value], output.shape, repeating: isRepeated[value])
        places[value] = place
        return place
      }
      for (position, value) in step.reads.enumerated()
      where lastReads[value] == number && !step.reads[..<position].contains(value) {
        release(places[value])
      }
      let isLast = number == chain.steps.count - 1
      let target: Place =
        isLast && output.dataType == .float32
        ? .walk(walk(output, nil), step: 1) : .slot(takeSlot())
      compute(step.function, reads, into: target)
      if let code = step.type.kernelCode, step.type.isHalf, !isLast || step.type != output.dataType
      {
        instructions.append(.round(target, code))
      }
      if isLast, output.dataType.isHalf, let code = output.dataType.kernelCode {
        instructions.append(.narrow(target, walk(output, nil), code))
      }
      let own = operands.count + number
      places[own] = target
      if lastReads[own] < 0 { release(target) }
    }
  }

  private mutating func takeSlot() -> Int {
    if let slot = freeSlots.popLast() { return slot }
    slotCount += 1
    return slotCount - 1
  }

  private mutating func release(_ place: Place?) {
    if case .slot(let slot)? = place { freeSlots.append(slot) }
  }

  /// A tensor to walk along; its next elements are asked for from here on.
  private mutating func walk(_ tensor: Tensor, _ loop: StridedLoop?) -> Int {
    let (number, width) = (walks.count, tensor.dataType.byteCount)
    walks.append(Walk(base: tensor.base, width: width, loop: loop))
    if loop?.rowStrides[0] != 0 { instructions.append(.prefetch(number, width: width)) }
    return number
  }

  /// Where the elements of an operand lie; those that steps cannot read there are brought to a slot.
  private mutating func load(_ operand: Tensor, _ shape: Shape, repeating: Bool) -> Place {
    let isWide = operand.dataType == .float32
    if isWide, operand.elementCount == 1, shape.elementCount > 1, !repeating {
      return .single(operand.pointer(as: Float.self))
    }
    let isDense = operand.isDense(shape)
    let loop = StridedLoop(over: shape, operand)
    let step = isDense ? 1 : loop.rowStrides[0]
    let isRow = isDense || rowCount != nil && (step == 1 || step == 0 && isWide && !repeating)
    if isWide, isRow { return .walk(walk(operand, isDense ? nil : loop), step: step) }
    let place = Place.slot(takeSlot())
    let code = operand.dataType.kernelCode ?? Int32(DITC_F32)
    if isRow {
      instructions.append(.widen(walk(operand, isDense ? nil : loop), code, into: place))
    } else {
      instructions.append(.gather(scattered.count, into: place))
      scattered.append(Scattered(base: operand.base, code: code, loop: loop))
    }
    return place
  }

  private mutating func compute(
    _ function: ElementwiseChain.Function, _ reads: [Place], into target: Place
  ) {
    switch function {
    case .unary(let operation):
      let row: UnaryRow<Float, Float> = operation.row()
      if let vector = row.vector {
        instructions.append(.vectorUnary(vector, reads[0], into: target))
      } else {
        instructions.append(.unary(unaryRows.count, reads[0], into: target))
        unaryRows.append(row)
      }
    case .binary(let operation):
      let row: BinaryRow<Float, Float> = operation.row()
      if let vector = row.vector {
        instructions.append(.vectorBinary(vector, reads[0], reads[1], into: target))
      } else {
        instructions.append(.binary(binaryRows.count, reads[0], reads[1], into: target))
        binaryRows.append(row)
      }
    case .identity: instructions.append(.copy(reads[0], into: target))
    }
  }
}

extension Tensor {
  /// True when the elements lie as those of a contiguous tensor of a shape do.
  fileprivate func isDense(_ shape: Shape) -> Bool {
    isContiguous && elementCount == shape.elementCount
  }
}

// MARK: - Running

extension ChainLoop {
  /// Consecutive elements of the output.
  private struct Piece {
    let slots: UnsafeMutablePointer<Float>
    /// Room for as many elements of a half type.
    let halves: UnsafeMutablePointer<UInt16>
    /// Where the elements of each walk begin.
    let addresses: UnsafeMutablePointer<UnsafeMutableRawPointer>
    /// The same of the piece behind this one.
    let next: UnsafeMutablePointer<UnsafeMutableRawPointer>
    let start: Int
    let count: Int

    @inline(__always)
    func elements(_ place: Place) -> (address: UnsafePointer<Float>, step: Int) {
      switch place {
      case .walk(let number, let step): (UnsafePointer(addresses[number].bound(Float.self)), step)
      case .single(let number): (number, 0)
      case .slot(let slot): (UnsafePointer(slots + slot * pieceCount), 1)
      }
    }

    @inline(__always)
    func target(_ place: Place) -> UnsafeMutablePointer<Float> {
      UnsafeMutablePointer(mutating: elements(place).address)
    }
  }

  /// Computes a range of elements.
  func run(_ range: Range<Int>) {
    let size = Self.pieceCount
    let limit = walks.count < Self.manyWalks ? size : size / 2
    let step = rowCount.map { row in
      let parts = (row + limit - 1) / limit
      return (row + parts - 1) / parts
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: (slotCount + 1) * size) { memory in
      withUnsafeTemporaryAllocation(
        of: UnsafeMutableRawPointer.self, capacity: 2 * walks.count + 1
      ) { table in
        guard let slots = memory.baseAddress, var addresses = table.baseAddress else { return }
        var next = addresses + walks.count
        let halves = UnsafeMutableRawPointer(slots + slotCount * size).bound(UInt16.self)
        var start = range.lowerBound
        locate(start, into: addresses)
        while start < range.upperBound {
          var end = Swift.min(start + (step ?? limit), range.upperBound)
          if let rowCount { end = Swift.min(end, (start / rowCount + 1) * rowCount) }
          locate(end < range.upperBound ? end : start, into: next)
          run(
            Piece(
              slots: slots, halves: halves, addresses: addresses, next: next, start: start,
              count: end - start))
          swap(&addresses, &next)
          start = end
        }
      }
    }
  }

  /// Writes down where the elements of each walk are from a position on.
  private func locate(
    _ position: Int, into addresses: UnsafeMutablePointer<UnsafeMutableRawPointer>
  ) {
    for number in walks.indices {
      let place = walks[number].loop?.places(of: position)[0] ?? position
      addresses[number] = walks[number].base + walks[number].width * place
    }
  }

  private func run(_ piece: Piece) {
    let count = piece.count
    for instruction in instructions {
      switch instruction {
      case .prefetch(let number, let width): ditc_prefetch(piece.next[number], count * width)
      case .widen(let number, let code, let target):
        ditc_widen(piece.addresses[number], code, piece.target(target), count)
      case .gather(let number, let target): gather(scattered[number], piece, piece.target(target))
      case .vectorUnary(let function, let x, let target):
        function(piece.elements(x).address, piece.target(target), count)
      case .vectorBinary(let function, let a, let b, let target):
        let (x, y) = (piece.elements(a), piece.elements(b))
        function(x.address, x.step, y.address, y.step, piece.target(target), count)
      case .unary(let number, let x, let target):
        unaryRows[number].apply(piece.elements(x).address, piece.target(target), count)
      case .binary(let number, let a, let b, let target):
        let (x, y) = (piece.elements(a), piece.elements(b))
        binaryRows[number].apply(
          x.address, x.step, y.address, y.step, piece.target(target), count)
      case .copy(let source, let target):
        ditc_widen(piece.elements(source).address, Int32(DITC_F32), piece.target(target), count)
      case .round(let place, let code):
        ditc_narrow(piece.elements(place).address, piece.halves, code, count)
        ditc_widen(piece.halves, code, piece.target(place), count)
      case .narrow(let place, let number, let code):
        ditc_narrow(piece.elements(place).address, piece.addresses[number], code, count)
      }
    }
  }

  private func gather(
    _ operand: Scattered, _ piece: Piece, _ target: UnsafeMutablePointer<Float>
  ) {
    let isWide = operand.code == Int32(DITC_F32)
    let step = operand.loop.rowStrides[0]
    operand.loop.forEachRow(in: piece.start..<piece.start + piece.count) { position, from, count in
      let place = position - piece.start
      if isWide {
        Self.copy(operand.base.bound(Float.self) + from[0], step, target + place, count)
      } else {
        Self.copy(operand.base.bound(UInt16.self) + from[0], step, piece.halves + place, count)
      }
    }
    if !isWide { ditc_widen(piece.halves, operand.code, target, piece.count) }
  }

  @inline(__always)
  private static func copy<Word: BitwiseCopyable>(
    _ source: UnsafePointer<Word>, _ step: Int, _ target: UnsafeMutablePointer<Word>,
    _ count: Int
  ) {
    switch step {
    case 1: target.update(from: source, count: count)
    case 0: target.update(repeating: source.pointee, count: count)
    default: for i in 0..<count { target[i] = source[i * step] }
    }
  }
}
