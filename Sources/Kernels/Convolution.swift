public import Tensors

/// The numbers that define a convolution, one per spatial axis where there are several.
public struct ConvolutionGeometry: Hashable, Sendable {
  /// Steps of the kernel over the padded input, at least 1.
  public var strides: [Int]

  /// Distances between kernel elements, at least 1.
  public var dilations: [Int]

  /// Zeros before the first element of each axis.
  public var padsBefore: [Int]

  /// Zeros after the last element of each axis.
  public var padsAfter: [Int]

  /// How many independent groups the channels form.
  public var groups: Int

  /// The geometry of a convolution; nothing is checked.
  public init(
    strides: [Int], dilations: [Int], padsBefore: [Int], padsAfter: [Int], groups: Int = 1
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padsBefore = padsBefore
    self.padsAfter = padsAfter
    self.groups = groups
  }
}

/// Convolution as matrix products, after ONNX Conv
/// (https://onnx.ai/onnx/operators/onnx__Conv.html).
public enum Convolution {
  /// Convolves any number of spatial axes.
  ///
  /// The patches that the kernel sees are a strided view of the padded input. Where BLAS can
  /// address the view it is not copied; else a bounded part of it is copied at a time.
  ///
  /// - Parameters:
  ///   - input: [batch, channels, spatial…], any view.
  ///   - weight: [output channels, channels / groups, kernel…], any view.
  ///   - bias: [output channels]; nil is zero.
  ///   - geometry: Strides, dilations, pads and groups; the shape of the output fits them.
  ///   - output: Contiguous, [batch, output channels, spatial…].
  /// - Throws: `KernelError` for a type without an implementation, or a size beyond BLAS or memory.
  public static func convolve(
    _ input: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
    into output: Tensor
  ) throws(KernelError) {
    precondition(output.isContiguous, "an output is contiguous")
    guard output.elementCount > 0 else { return }
    switch output.dataType {
    case .float32, .float64: break
    case .float16, .bfloat16:
      return try HalfPrecision.compute(output) { (wide) throws(KernelError) in
        let addend: Tensor? = if let bias { try HalfPrecision.widened(bias) } else { nil }
        try convolve(
          HalfPrecision.widened(input), weight: HalfPrecision.widened(weight), bias: addend,
          geometry: geometry, into: wide)
      }
    default: throw .unsupported("a convolution", output.dataType)
    }
    let filter = try Copying.contiguous(weight)
    let patches = try Patches(padded(input, geometry), filter.shape, geometry, output.shape)
    if let bias {
      let column = bias.view(
        shape: output.shape,
        strides: [0, bias.strides[0]] + [Int](repeating: 0, count: output.rank - 2))
      Copying.copy(column, into: output)
    }
    if output.dataType == .float64 {
      try patches.multiply(Double.self, filter, addToOutput: bias != nil, output)
    } else {
      try patches.multiply(Float.self, filter, addToOutput: bias != nil, output)
    }
  }

  /// The input with its zeros around it; the input itself when there are none.
  private static func padded(
    _ input: Tensor, _ geometry: ConvolutionGeometry
  ) throws(KernelError) -> Tensor {
    guard (geometry.padsBefore + geometry.padsAfter).contains(where: { $0 != 0 }) else {
      return input
    }
    var dimensions = input.shape.dimensions
    let shape: Shape
    do {
      for axis in geometry.padsBefore.indices {
        let before = try Checked.sum(dimensions[axis + 2], geometry.padsBefore[axis])
        dimensions[axis + 2] = try Checked.sum(before, geometry.padsAfter[axis])
      }
      shape = try Shape(dimensions)
    } catch {
      throw .tooLarge(error)
    }
    let result = try Copying.makeTensor(input.dataType, shape)
    Copying.clear(result)
    var offset = 0
    for axis in geometry.padsBefore.indices {
      offset += geometry.padsBefore[axis] * result.strides[axis + 2]
    }
    Copying.copy(
      input, into: result.view(shape: input.shape, strides: result.strides, offset: offset))
    return result
  }
}

/// What the kernel of a convolution sees, as the matrices [patch elements, output positions] of
/// each sample and group.
private struct Patches {
  let input: Tensor
  let elements: [Int]
  let elementStrides: [Int]
  let positions: [Int]
  let positionStrides: [Int]
  let groups: Int
  let outputChannels: Int

  /// Bytes of patches copied at once: they stay in the second-level cache while BLAS reads them.
  static let tileByteCount = 1 << 20

  init(
    _ input: Tensor, _ weight: Shape, _ geometry: ConvolutionGeometry, _ output: Shape
  ) {
    let spatial = Array(input.strides[2...])
    self.input = input
    elements = Array(weight.dimensions[1...])
    elementStrides = [input.strides[1]] + zip(spatial, geometry.dilations).map { $0 * $1 }
    positions = Array(output.dimensions[2...])
    positionStrides = zip(spatial, geometry.strides).map { $0 * $1 }
    groups = geometry.groups
    outputChannels = weight[0]
  }

  func multiply<Element: BLASElement>(
    _ type: Element.Type, _ filter: Tensor, addToOutput: Bool, _ output: Tensor
  ) throws(KernelError) {
    let rows = outputChannels / groups
    let inner = elements.reduce(1, *)
    let columns = positions.reduce(1, *)
    let beta: Element = addToOutput ? 1 : 0
    let weights = filter.pointer(as: type)
    let result = output.pointer(as: type)
    let source = input.pointer(as: type)
    let element = StridedLoop(dimensions: elements) { SIMD4(elementStrides[$0], 0, 0, 0) }
    let position = StridedLoop(dimensions: positions) { SIMD4(positionStrides[$0], 0, 0, 0) }
    let isAddressable = element.dimensions.count == 1 && position.dimensions.count == 1
    let tile = Swift.max(
      16, Patches.tileByteCount / Swift.max(1, inner * MemoryLayout<Element>.size) / 16 * 16)
    for sample in 0..<output.shape[0] {
      for group in 0..<groups {
        let first = source + sample * input.strides[0] + group * elements[0] * input.strides[1]
        let target = result + (sample * groups + group) * rows * columns
        guard
          let a = MatrixView(
            weights + group * rows * inner, rows: rows, columns: inner, rowStride: inner,
            columnStride: 1),
          let c = MatrixView(
            target, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
        else { preconditionFailure("a contiguous matrix is addressable") }
        try MatrixProduct.check(a, c)
        if isAddressable,
          let b = MatrixView(
            first, rows: inner, columns: columns, rowStride: element.rowStrides[0],
            columnStride: position.rowStrides[0])
        {
          try MatrixProduct.check(b)
          MatrixProduct.run(1, a, b, beta, into: c)
          continue
        }
        let cost = Swift.max(1, rows * inner / MatrixProduct.operationsPerNanosecond)
        _ = Parallel.singleThreadedBLAS
        Parallel.forEachPart(of: columns, operationsPerItem: cost + inner, grain: 16) { range in
          let width = Swift.min(tile, range.count)
          withUnsafeTemporaryAllocation(of: type, capacity: width * inner) { buffer in
            guard let copy = buffer.baseAddress else { return }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: width) {
              let part = start..<Swift.min(start + width, range.upperBound)
              let b = gather(part, element, position, from: first, into: copy)
              MatrixProduct.product(1, a, b, beta, c.columns(part))
            }
          }
        }
      }
    }
    withExtendedLifetime((input, filter)) {}
  }

  /// Copies the patches of some positions, whichever way round reads memory in order.
  private func gather<Element: BLASElement>(
    _ part: Range<Int>, _ element: StridedLoop, _ position: StridedLoop,
    from source: UnsafeMutablePointer<Element>, into copy: UnsafeMutablePointer<Element>
  ) -> MatrixView<Element> {
    let inner = element.count
    if position.rowStrides[0] == 1 {
      element.forEachRow(in: 0..<inner) { number, places, count in
        for i in 0..<count {
          let from = source + places[0] + i * element.rowStrides[0]
          let to = copy + (number + i) * part.count
          position.forEachRow(in: part) { place, inside, length in
            (to + place - part.lowerBound).update(from: from + inside[0], count: length)
          }
        }
      }
      return matrix(copy, rows: inner, columns: part.count)
    }
    let step = element.rowStrides[0]
    position.forEachRow(in: part) { place, places, count in
      for i in 0..<count {
        let from = source + places[0] + i * position.rowStrides[0]
        let to = copy + (place - part.lowerBound + i) * inner
        element.forEachRow(in: 0..<inner) { number, inside, length in
          for j in 0..<length { to[number + j] = from[inside[0] + j * step] }
        }
      }
    }
    return matrix(copy, rows: part.count, columns: inner).transposed
  }

  private func matrix<Element: BLASElement>(
    _ base: UnsafeMutablePointer<Element>, rows: Int, columns: Int
  ) -> MatrixView<Element> {
    guard
      let view = MatrixView(base, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
    else { preconditionFailure("a contiguous matrix is addressable") }
    return view
  }
}
