import Kernels
import Tensors
import Testing

@Suite struct RotationTests {
  @Test(arguments: Rotation.Form.allCases, [2, 6, 64])
  func pairsAreRotated(form: Rotation.Form, size: Int) throws {
    var numbers = Numbers(seed: 41)
    let (tokens, heads) = (5, 3)
    let width = form == .pairs ? size / 2 : size
    let x = try numbers.tensor([1, tokens, heads, size])
    let cosines = try numbers.tensor([1, tokens, 1, width])
    let sines = try numbers.tensor([1, tokens, 1, width])
    let output = try Tensor.output(.float32, [1, tokens, heads, size])
    try withThreads(2) {
      try Rotation.rotate(x, cosines: cosines, sines: sines, form: form, into: output)
    }
    expect(output, near: 1e-6, "\(form)") { index in
      let i = index[3]
      let isFirst = form == .halves ? i < size / 2 : i % 2 == 0
      let other = form == .halves ? (i + size / 2) % size : i ^ 1
      let table = [0, index[1], 0, form == .pairs ? i / 2 : i]
      let partner = x.float([0, index[1], index[2], other])
      return x.float(index) * cosines.float(table)
        + (isFirst ? -partner : partner) * sines.float(table)
    }
  }

  @Test func stridedRowsAndTablesAreRead() throws {
    var numbers = Numbers(seed: 42)
    let dense = try numbers.tensor([2, 3, 4, 8])
    let x = dense.view(shape: try Shape([2, 4, 3, 8]), strides: [96, 8, 32, 1])
    let wide = try numbers.tensor([4, 1, 8])
    let even = wide.view(shape: try Shape([4, 1, 4]), strides: [8, 8, 2])
    let odd = wide.view(shape: try Shape([4, 1, 4]), strides: [8, 8, 2], offset: 1)
    let output = try Tensor.output(.float32, [2, 4, 3, 8])
    try Rotation.rotate(x, cosines: even, sines: odd, form: .pairs, into: output)
    expect(output, near: 1e-6) { index in
      let pair = index[3] / 2
      let (c, s) = (wide.float([index[1], 0, 2 * pair]), wide.float([index[1], 0, 2 * pair + 1]))
      let a = x.float([index[0], index[1], index[2], 2 * pair])
      let b = x.float([index[0], index[1], index[2], 2 * pair + 1])
      return index[3] % 2 == 0 ? a * c - b * s : a * s + b * c
    }
  }
}
