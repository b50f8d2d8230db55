import Foundation
import GraphIR
import OnnxFile
import TestSupport
import Testing

/// Part C of the list: names and strings.
@Suite struct HostileNameTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func c1_namesThatDifferOnlyInNormalisationAreTwoValues() throws {
    try expectDistinct(Array("caf\u{E9}".utf8), Array("cafe\u{301}".utf8))
  }

  @Test func c2_namesThatAreNotUTF8AreTwoValues() throws {
    try expectDistinct([0xFF, 0xFE], [0xFF, 0xFD])
  }

  @Test(arguments: [
    "a\0b", "a\nb", "\u{1B}[31mred", "\u{202E}abc", "\"quoted\"", "'", ".", "..", "a/b", "%s%n",
    "\\(x)", "${x}", "`x`", String(repeating: "n", count: 4096),
  ])
  func c3_c4_namesAreTextAndNothingElse(_ name: String) throws {
    try expectDistinct(Array(name.utf8), Array("other".utf8))
  }

  /// Two names stay apart, are written back, and reach no terminal unescaped.
  private func expectDistinct(_ first: [UInt8], _ second: [UInt8]) throws {
    var model = WireModel()
    model.nodes = [
      Wire { node in
        node.text(1, "x")
        node.data(2, first)
        node.data(3, first)
        node.text(4, "Neg")
      }.bytes,
      Wire { node in
        node.data(1, first)
        node.data(2, second)
        node.text(4, "Neg")
      }.bytes,
      Wire { node in
        node.data(1, first)
        node.data(1, second)
        node.text(2, "y")
        node.text(4, "Add")
      }.bytes,
    ]
    let read = try folder.read(model.bytes)
    #expect(Set(read.graph[read.graph.order[2]].inputs).count == 2)
    let written = try read.write(to: folder.path("out.onnx"))
    #expect(try folder.bytes("out.onnx") == model.bytes)
    #expect(written.digest == read.fileDigest)
    let command = try Command(["inspect", "--text", "out.onnx"], in: folder)
    #expect(command.status == 0, "\(command)")
    let forbidden = command.output.unicodeScalars.filter {
      $0.value < 0x20 && $0 != "\n" || ["\u{7F}", "\u{202E}", "\u{0}"].contains($0)
    }
    #expect(forbidden.isEmpty, "\(forbidden.map(\.value))")
    #expect(try folder.names == ["good.onnx", "out.onnx"])
  }

  @Test(arguments: ["op_type", "domain", "node", "value", "attribute", "symbol", "graph", "key"])
  func c3_anEndlessNameIsRefusedOrCutShort(_ place: String) throws {
    let name = String(repeating: "long", count: 300_000)
    let bytes = WireModel.with { model in
      switch place {
      case "op_type": model.nodes = [WireModel.node(name, ["x"], ["y"])]
      case "domain": model.nodes = [WireModel.node("Neg", ["x"], ["y"]) { $0.text(7, name) }]
      case "node": model.nodes = [WireModel.node("Neg", ["x"], ["y"]) { $0.text(3, name) }]
      case "value": model.nodes = [WireModel.node("Neg", [name], ["y"])]
      case "attribute":
        model.nodes = [
          WireModel.node("Neg", ["x"], ["y"]) { node in
            node.message(5) {
              $0.text(1, name)
              $0.int(20, 2)
            }
          }
        ]
      case "symbol":
        model.extraInGraph.message(11) { value in
          value.text(1, "z")
          value.message(2) { type in
            type.message(1) { tensor in
              tensor.int(1, 1)
              tensor.message(2) { shape in shape.message(1) { $0.text(2, name) } }
            }
          }
        }
      case "graph": model.extraInGraph.text(10, name)
      default: model.metadata = [(name, name)]
      }
    }
    let path = try folder.write(bytes, to: "long.onnx")
    let command = try Command(["inspect", path], in: folder)
    #expect([0, 2, 4, 5].contains(command.status), "\(command)")
    #expect(command.errors.utf8.count < 20_000 && command.output.utf8.count < 20_000)
  }

  @Test(arguments: [
    String(repeating: "(", count: 4000), String(repeating: "a*", count: 2000) + "a",
    String(repeating: "a+", count: 2000) + "a", "9223372036854775807*s",
    "99999999999999999999", "-5", "n*-3", "n + -3", "s*s*s*s",
    "2*9223372036854775807*a*9223372036854775807",
    "9223372036854775807 + 9223372036854775807", "a//0", "", " ", "+", "*", "a\0b", "é", "🙂*2",
  ])
  func c3_symbolsOfDimensionsAreParsedOrOpaque(_ symbol: String) throws {
    let bytes = WireModel.with { model in
      model.inputs = []
      model.outputs = []
      for (field, name) in [(UInt64(11), "x"), (12, "y")] {
        model.extraInGraph.message(field) { value in
          value.text(1, name)
          value.message(2) { type in
            type.message(1) { tensor in
              tensor.int(1, 1)
              tensor.message(2) { shape in
                for _ in 0..<3 { shape.message(1) { $0.text(2, symbol) } }
              }
            }
          }
        }
      }
      model.nodes = [
        WireModel.node("Shape", ["x"], ["s"]), WireModel.node("Size", ["x"], ["n"]),
        WireModel.node("Mul", ["s", "s"], ["p"]), WireModel.node("Add", ["x", "x"], ["a"]),
        WireModel.node("Slice", ["x", "i", "j"], ["q"]),
        WireModel.node("Reshape", ["a", "s"], ["y"]),
      ]
      model.initializers = [("i", Int64(1)), ("j", 3)].map { name, number in
        WireModel.tensor(name, dims: [1], type: 7, raw: nil) { $0.int(7, number) }
      }
    }
    let path = try folder.write(bytes, to: "symbols.onnx")
    let start = processorSeconds()
    let command = try Command(["inspect", path], in: folder)
    #expect([0, 2, 4].contains(command.status), "\(command)")
    #expect(processorSeconds() - start < 1)
  }

  @Test func c5_ourOwnNamesInAModelDoNotCollide() throws {
    let names = ["ditcache/step", "ditcache/computed", "ditcache/override", "ditcache/valid"]
    let bytes = WireModel.with { model in
      model.inputs += names
      model.nodes = [WireModel.node("Sum", ["x"] + names, ["y"])]
    }
    let path = try folder.write(bytes, to: "ours.onnx")
    let command = try Command(["inspect", path], in: folder)
    #expect(command.status == 0, "\(command)")
  }

  @Test func c6_anEmptyOperandIsAnAbsentOne() throws {
    let bytes = WireModel.with {
      $0.nodes = [WireModel.node("Clip", ["x", "", ""], ["y"])]
    }
    let model = try folder.read(bytes)
    #expect(model.graph[model.graph.order[0]].inputs.count { $0 == nil } == 2)
    try RunningModel(bytes, in: folder).expect([-3, 7], gives: [-3, 7])
  }
}
