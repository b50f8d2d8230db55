import Tensors

/// A tensor seen as dense rows of equal length, evenly or unevenly spaced.
struct DenseRows {
  /// Keeps the memory of the rows alive.
  let tensor: Tensor

  /// The walk over the rows; the tensor is operand 0.
  let outer: StridedLoop

  /// The length of a row in elements.
  let length: Int

  /// How many rows there are.
  let count: Int

  /// The axes from `axis` on form a row; they are copied when they are not dense.
  init(_ input: Tensor, from axis: Int) throws(KernelError) {
    let trailing = StridedLoop(dimensions: Array(input.shape.dimensions[axis...])) {
      SIMD4(input.strides[axis + $0], 0, 0, 0)
    }
    let isDense = trailing.dimensions.count == 1 && trailing.rowStrides[0] == 1
    let tensor = isDense ? input : try Copying.contiguous(input)
    self.tensor = tensor
    let leading = Array(input.shape.dimensions[..<axis])
    outer = StridedLoop(dimensions: leading) { SIMD4(tensor.strides[$0], 0, 0, 0) }
    length = input.shape.dimensions[axis...].reduce(1, *)
    count = leading.reduce(1, *)
  }

  /// Calls `body` with the number and the first element of each row, rows shared among threads.
  func forEach<Element>(
    of type: Element.Type, operationsPerElement: Int,
    _ body: (_ row: Int, _ elements: UnsafeMutablePointer<Element>) -> Void
  ) {
    forEachAddress(operationsPerElement: operationsPerElement) { row, address in
      body(row, UnsafeMutableRawPointer(mutating: address).bound(type))
    }
  }

  /// Calls `body` with the number and the address of each row, rows shared among threads.
  func forEachAddress(
    operationsPerElement: Int, _ body: (_ row: Int, _ address: UnsafeRawPointer) -> Void
  ) {
    let (base, width) = (tensor.base, tensor.dataType.byteCount)
    Parallel.forEachPart(of: count, operationsPerItem: length * operationsPerElement + 8) { range in
      outer.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          body(
            position + i, UnsafeRawPointer(base + (places[0] + i * outer.rowStrides[0]) * width))
        }
      }
    }
    withExtendedLifetime(tensor) {}
  }
}
