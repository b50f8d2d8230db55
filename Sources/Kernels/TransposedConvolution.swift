public import Tensors

extension Convolution {
  /// The transposition of a convolution, after ONNX ConvTranspose
  /// (https://onnx.ai/onnx/operators/onnx__ConvTranspose.html).
  ///
  /// Every element of the input adds the filters, weighted by it, to the output; what falls on the
  /// pads is dropped.
  ///
  /// - Parameters:
  ///   - input: [batch, channels, spatial…], any view.
  ///   - weight: [channels, output channels / groups, kernel…], any view.
  ///   - bias: [output channels]; nil is zero.
  ///   - geometry: Strides, dilations and groups, and how much of either end of the output is cut.
  ///   - output: Contiguous, [batch, output channels, spatial…].
  /// - Throws: `KernelError` for a type without an implementation, or a size beyond BLAS or memory.
  public static func transposed(
    _ input: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
    into output: Tensor
  ) throws(KernelError) {
    precondition(output.isContiguous, "an output is contiguous")
    guard output.elementCount > 0 else { return }
    switch output.dataType {
    case .float32: try spread(Float.self, input, weight, geometry, output)
    case .float64: try spread(Double.self, input, weight, geometry, output)
    case .float16, .bfloat16:
      return try HalfPrecision.compute(output) { (wide) throws(KernelError) in
        let addend: Tensor? = if let bias { try HalfPrecision.widened(bias) } else { nil }
        try transposed(
          HalfPrecision.widened(input), weight: HalfPrecision.widened(weight), bias: addend,
          geometry: geometry, into: wide)
      }
    default: throw .unsupported("a transposed convolution", output.dataType)
    }
    guard let bias else { return }
    let column = bias.view(
      shape: output.shape,
      strides: [0, bias.strides[0]] + [Int](repeating: 0, count: output.rank - 2))
    try Elementwise.binary(.add, output, column, into: output)
  }

  private static func spread<Element: BLASElement & TensorElement>(
    _ type: Element.Type, _ input: Tensor, _ weight: Tensor, _ geometry: ConvolutionGeometry,
    _ output: Tensor
  ) throws(KernelError) {
    Copying.clear(output)
    guard input.elementCount > 0, weight.elementCount > 0 else { return }
    let (source, filter) = (try Copying.contiguous(input), try Copying.contiguous(weight))
    let kernel = Array(weight.shape.dimensions[2...])
    let channels = weight.shape[1]
    let rows = channels * kernel.reduce(1, *)
    let columns = input.shape.dimensions[2...].reduce(1, *)
    let inner = input.shape[1] / geometry.groups
    let patches: Tensor
    do { patches = try Tensor(uninitialized: type.dataType, Shape([rows, columns])) } catch {
      throw .tooLarge(error)
    }
    for sample in 0..<input.shape[0] {
      for group in 0..<geometry.groups {
        let number = sample * geometry.groups + group
        guard
          let a = MatrixView(
            filter.pointer(as: type) + group * inner * rows, rows: inner, columns: rows,
            rowStride: rows, columnStride: 1),
          let b = MatrixView(
            source.pointer(as: type) + number * inner * columns, rows: inner, columns: columns,
            rowStride: columns, columnStride: 1),
          let c = MatrixView(
            patches.pointer(as: type), rows: rows, columns: columns, rowStride: columns,
            columnStride: 1)
        else { preconditionFailure("a contiguous matrix is addressable") }
        try MatrixProduct.check(a, b, c)
        MatrixProduct.run(1, a.transposed, b, 0, into: c)
        let target = number * channels * output.shape.dimensions[2...].reduce(1, *)
        addPatches(
          patches.pointer(as: type), kernel, Array(input.shape.dimensions[2...]), geometry,
          to: output.pointer(as: type) + target, Array(output.shape.dimensions[2...]),
          channels: channels)
      }
    }
    withExtendedLifetime((source, filter, patches)) {}
  }

  /// Adds columns of patches to the elements of an image that they stand for.
  ///
  /// `patches` is [channels, kernel…, positions…], row-major.
  static func addPatches<Element: BLASElement>(
    _ patches: UnsafePointer<Element>, _ kernel: [Int], _ positions: [Int],
    _ geometry: ConvolutionGeometry, to image: UnsafeMutablePointer<Element>, _ sizes: [Int],
    channels: Int
  ) {
    let kernelCount = kernel.reduce(1, *)
    let positionCount = positions.reduce(1, *)
    let imageCount = sizes.reduce(1, *)
    for element in 0..<kernelCount {
      let offset = index(element, in: kernel)
      for position in 0..<positionCount {
        let place = index(position, in: positions)
        var target = 0
        var isInside = true
        for axis in sizes.indices {
          let coordinate =
            place[axis] * geometry.strides[axis] + offset[axis] * geometry.dilations[axis]
            - geometry.padsBefore[axis]
          isInside = isInside && coordinate >= 0 && coordinate < sizes[axis]
          target = target * sizes[axis] + coordinate
        }
        guard isInside else { continue }
        for channel in 0..<channels {
          image[channel * imageCount + target] +=
            patches[(channel * kernelCount + element) * positionCount + position]
        }
      }
    }
  }

  private static func index(_ number: Int, in sizes: [Int]) -> [Int] {
    var rest = number
    var result = [Int](repeating: 0, count: sizes.count)
    for axis in sizes.indices.reversed() {
      (rest, result[axis]) = rest.quotientAndRemainder(dividingBy: sizes[axis])
    }
    return result
  }
}
