public import Tensors

/// One array in NumPy's .npy format.
///
/// Floats, complex numbers, integers and booleans are read and written, little-endian; arrays in
/// Fortran order are put into row-major order. Headers are written as NumPy 2 writes them.
public enum NPY {
  /// Reads the array of a file.
  public static func read(
    from path: String, limits: TensorFileLimits = TensorFileLimits()
  ) throws(TensorFileError) -> Tensor {
    let file = try reportingFileErrors { () throws(FileError) in try InputFile(path: path) }
    let source = FileBytes(file, offset: 0, byteCount: file.byteCount)
    let place = path.escapedForTerminal
    let layout = try NPYLayout(readingFrom: source, name: "", limits: limits, place: place)
    return try layout.tensor(from: source, place: place)
  }

  /// Writes an array durably; `inputs` are files that must not be replaced.
  public static func write(
    _ tensor: Tensor, to path: String, inputs: Set<FileIdentity> = []
  ) throws(TensorFileError) {
    let header = try NPYHeader.bytes(
      dataType: tensor.dataType, shape: tensor.shape, place: path.escapedForTerminal)
    let dense = tensor.contiguous()
    try reportingFileErrors { () throws(FileError) in
      var file = try DurableFile(replacing: path, inputs: inputs)
      try file.write(header)
      try file.write(dense.denseBytes)
      try file.commit()
    }
  }
}

/// A .npy array whose header is read and checked.
struct NPYLayout: Hashable, Sendable {
  let entry: TensorEntry
  let isFortranOrder: Bool

  /// Reads the header and compares the shape with the bytes that follow.
  init(
    readingFrom source: any ByteSource, name: String, limits: TensorFileLimits, place: String
  ) throws(TensorFileError) {
    let header = try NPYHeader.read(from: source, limits: limits, place: place)
    entry = try TensorEntry(
      name: name, dataType: try header.dataType(place: place), dimensions: header.dimensions,
      limits: limits, place: place)
    isFortranOrder = header.isFortranOrder
    guard source.remaining == entry.byteCount else {
      throw TensorFileError(
        source.remaining < entry.byteCount ? .truncated : .malformed, at: place,
        "\(entry.dataType) \(entry.shape) takes \(entry.byteCount) bytes, "
          + "but \(source.remaining) follow the header.")
    }
  }

  /// Reads the elements, with the source behind the header.
  func tensor(from source: any ByteSource, place: String) throws(TensorFileError) -> Tensor {
    let tensor = try entry.makeTensor(place: place)
    try source.read(into: tensor.mutableDenseBytes)
    try source.finish()
    tensor.normalizeBooleans()
    guard isFortranOrder else { return tensor }
    var strides: [Int] = []
    var step = 1
    for dimension in entry.shape.dimensions {
      strides.append(step)
      step *= max(dimension, 1)
    }
    return tensor.view(shape: entry.shape, strides: strides).contiguous()
  }
}
