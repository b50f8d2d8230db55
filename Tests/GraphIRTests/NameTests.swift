import GraphIR
import Testing

@Suite("Name") struct NameTests {
  @Test("composed and decomposed letters are different names")
  func normalisation() {
    #expect("\u{E9}" == "e\u{301}", "Swift strings are equal")
    #expect(Name("\u{E9}") != Name("e\u{301}"))
    #expect(Set([Name("\u{E9}"), Name("e\u{301}")]).count == 2)
  }

  @Test("invalid UTF-8 stays distinct and is shown escaped")
  func invalidUTF8() {
    let names = [Name(bytes: [0x61, 0xFF]), Name(bytes: [0x61, 0xFE])]
    #expect(names[0].text == names[1].text)
    #expect(names[0] != names[1])
    #expect(names.map(\.description) == [#"a\xff"#, #"a\xfe"#])
  }

  @Test("control and direction characters cannot reach a terminal")
  func escapes() {
    #expect(Name("a\u{1B}[31m\n").description == #"a\x1b[31m\x0a"#)
    #expect(Name("a\u{202E}b").description == #"a\xe2\x80\xaeb"#)
    #expect(Name("block é 注意").description == "block é 注意")
  }

  @Test("values of a graph are found by bytes, and taken or empty names get numbers")
  func uniqueNames() {
    var graph = Graph()
    let composed = graph.makeValue("\u{E9}")
    let decomposed = graph.makeValue("e\u{301}")
    #expect(graph.value(named: "\u{E9}") == composed)
    #expect(graph.value(named: "e\u{301}") == decomposed)
    let values = ["x", "x", "x_1", ""].map { graph.makeValue(Name($0)) }
    let names = values.map { graph.name(of: $0).text }
    #expect(names == ["x", "x_1", "x_1_1", "v5"])
    graph.rename(composed, to: "x")
    #expect(graph.name(of: composed) == "x_2")
    #expect(graph.value(named: "\u{E9}") == nil)
  }
}
