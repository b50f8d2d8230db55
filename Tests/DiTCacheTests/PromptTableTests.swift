import DiTCache
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Prompt tables") struct PromptTableTests {
  private static let video = """
    background:checker background:stripes
    background:red background:blue
    first:circle first:square
    first:red first:blue
    second:circle second:square second:none
    second:red second:none
    """

  /// Row n of a table is n, 10 n.
  private static func table(_ words: String) throws -> PromptTable {
    let count = Set(words.split { " \n".contains($0) }).count
    let rows = (0..<count).flatMap { [Float($0), Float(10 * $0)] }
    return try PromptTable(
      words: words, numbers: Tensor(rows, shape: try Shape([count, 2])), at: "table")
  }

  private func rows(_ prompt: String, _ words: String = video) throws -> [Float] {
    let numbers = try Self.table(words).embeddings(of: prompt).elements(as: Float.self)
    return stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
  }

  private func refusal(_ prompt: String, _ words: String = video) throws -> UsageError {
    try #require(throws: UsageError.self) { try Self.table(words).embeddings(of: prompt) }
  }

  @Test("each place takes its word, a word listed again has one row, and `none` is the default")
  func places() throws {
    #expect(
      try rows("background:checker background:blue first:square first:red") == [0, 3, 5, 6, 10, 10])
    #expect(
      try rows(
        "background:checker, background:blue, first:square, first:red, second:square second:red")
        == [0, 3, 5, 6, 9, 11])
    let shape = try Self.table(Self.video).embeddings(
      of: "background:checker background:blue first:square first:red"
    ).shape
    #expect(shape.dimensions == [1, 6, 2])
  }

  @Test("the order of words says nothing, wherever `none` stands")
  func order() throws {
    let due: [Float] = [1, 2, 4, 7, 8, 10]
    #expect(
      try rows(
        "second:none first:blue second:circle first:circle background:red background:stripes")
        == due)
    #expect(
      try rows(
        "second:circle second:none first:circle background:stripes first:blue background:red")
        == due)
  }

  @Test("a word without its kind takes the first free place that has it")
  func bare() throws {
    #expect(try rows("checker red circle blue") == [0, 2, 4, 7, 10, 10])
    #expect(try rows("checker red circle red square red") == [0, 2, 4, 6, 9, 11])
  }

  @Test("one word a line is a place for each kind; words without a kind are not used")
  func kinds() throws {
    let toy = "bg:stripes\nbg:checker\nbgcolor:red\nshape:circle\n?14\ncolor:red\ncolor:blue\n"
    #expect(try rows("checker red circle blue", toy) == [1, 2, 3, 6])
    #expect(try rows("bg:checker bgcolor:red shape:circle color:red", toy) == [1, 2, 3, 5])
    #expect(try refusal("checker red circle", toy).message == "a color is missing")
  }

  @Test("wrong prompts are refused with the nearest word, or with what is there")
  func wrong() throws {
    let near = try refusal("background:cheker background:red first:circle first:red")
    #expect(near.code == "unknown-word" && near.hint == "did you mean 'background:checker'?")
    #expect(try refusal("chequer red circle red").hint == "did you mean 'checker'?")
    #expect(try refusal("elephant").hint?.hasPrefix("it has background:blue, ") == true)
    let missing = try refusal("background:checker first:circle first:red")
    #expect(missing.code == "bad-prompt" && missing.message == "a background is missing")
    #expect(missing.hint == "add one of background:red, background:blue")
    let twice = try refusal("checker red circle red first:square")
    #expect(twice.message == "'first:square' is one too many")
    #expect(twice.hint == "'first:circle' stands in its place")
    #expect(try refusal("").code == "bad-prompt")
  }

  @Test("a table needs as many rows as words")
  func wrongSize() throws {
    let error = try #require(throws: UsageError.self) {
      try PromptTable(words: "a:b a:c", numbers: Tensor([Float(1)], shape: .vector(1)), at: "x")
    }
    #expect(error.code == "bad-prompt-table")
  }

  @Test("the model's own table wins over the folder's, and the adapter's over both")
  func files() throws {
    let folder = try TemporaryFolder()
    for (name, value) in [("prompt_table", 1), ("m.prompt_table", 2), ("shared", 3)] {
      let rows = Tensor([Float(value)], shape: try Shape([1, 1]))
      try NPY.write(rows, to: folder.path("\(name).npy"))
      try folder.write([UInt8]("kind:word\n".utf8), to: "\(name).txt")
    }
    func value(_ model: String, _ name: String? = nil) throws -> [Float] {
      try PromptTable(of: folder.path(model), named: name).embeddings(of: "word")
        .elements(as: Float.self)
    }
    #expect(try value("other.onnx") == [1])
    #expect(try value("m.onnx") == [2])
    #expect(try value("m.cached.onnx") == [2])
    #expect(try value("m.onnx", "shared") == [3])
    let error = try #require(throws: UsageError.self) { try value("m.onnx", "absent") }
    #expect(error.code == "no-prompt-table" && error.place.hasSuffix("/absent.txt"))
  }
}
