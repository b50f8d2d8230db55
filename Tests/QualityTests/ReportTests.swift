import Foundation
import FoundationXML
import Quality
import Tensors
import Testing

/// What reports are made of: text that is escaped, drawings that are XML, colours of a range.
@Suite struct ReportTests {
  private func elements(_ svg: String, named name: String) throws -> [XMLElement] {
    let document = try XMLDocument(xmlString: svg)
    return try document.nodes(forXPath: "//*[local-name()='\(name)']")
      .compactMap { $0 as? XMLElement }
  }

  @Test func textCannotBecomeMarkup() throws {
    var page = HTMLPage(title: "a < b", subtitle: "\"q\" & 'r'")
    page.paragraph("<script>alert(1)</script>")
    page.table(titles: ["<x>"], rows: [["</td>"]])
    page.listing("if a < b & c")
    #expect(!page.text.contains("<script") && !page.text.contains("<x>"))
    #expect(page.text.contains("&lt;/td&gt;") && page.text.contains("if a &lt; b &amp; c"))
    #expect(page.text.contains("<title>a &lt; b</title>"))
  }

  @Test func aGridHasACellForEachStepThatSaysItsValue() throws {
    let grid = StepGrid(
      rows: [("blocks.0 <first>", [1, 0, 0.5]), ("blocks.1", [1, 1, 1])], scale: .computed,
      highlighted: [1])
    let titles = try elements(grid.svg, named: "title").compactMap(\.stringValue)
    #expect(titles.count == 6 && titles[2] == "blocks.0 <first>, step 2: 0.5")
    // The mark of the highlighted row besides the cells.
    #expect(try elements(grid.svg, named: "rect").count == 7)
  }

  @Test func aRangeHasALegendWithBothEnds() throws {
    let grid = StepGrid(rows: [("block", [0.25, .nan, 4])], scale: .range(0.25...4))
    let words = try elements(grid.svg, named: "text").compactMap(\.stringValue)
    #expect(words.contains("0.25") && words.contains("4"))
    let fills = try elements(grid.svg, named: "rect")
      .compactMap { $0.attribute(forName: "fill")?.stringValue }
    #expect(fills.prefix(3) == ["#180f3d", "#888888", "#fce5a0"])
  }

  @Test func aCurveIsBrokenWhereANumberIsMissing() throws {
    let chart = LineChart([.init("metric", [.nan, 1, 2, .infinity, 3])], steps: 5, marks: [2])
    let path = try #require(try elements(chart.svg, named: "path").first)
    let places = try #require(path.attribute(forName: "d")?.stringValue)
    #expect(places.count { $0 == "M" } == 2 && places.count { $0 == "L" } == 1)
    #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf"))
  }

  @Test func chartsOfNothingAndOfOneNumberAreDrawings() throws {
    for values in [[], [0], [-3], [1e-9, 1e-9], [1e12, -1e12]] as [[Double]] {
      let svg = LineChart([.init("x", values)], steps: values.count).svg
      #expect(try elements(svg, named: "svg").count == 1)
    }
    #expect(try elements(StepGrid(rows: [], scale: .computed).svg, named: "svg").count == 1)
  }

  @Test func heatRunsFromDarkToLight() throws {
    let numbers = Tensor([2, 3, 4, 2] as [Float], shape: try Shape([1, 2, 2]))
    let video = try HeatScale.video(numbers)
    #expect(video.shape == (try Shape([3, 1, 2, 2])))
    let red = video.elements(as: Float.self).prefix(4)
    #expect(red[0] == red[3] && red[0] < red[1] && red[1] < red[2])
    #expect(throws: QualityError.self) { try HeatScale.video(Tensor([1] as [Float])) }
  }

  @Test func resultsStandBesideTheirDifference() throws {
    let shape = try Shape([1, 1, 2, 4, 4])
    let dark = Tensor([Float](repeating: -1, count: 32), shape: shape)
    let light = Tensor([Float](repeating: -0.75, count: 32), shape: shape)
    let strips = try Comparison.strips(of: light, named: "cached", against: dark)
    #expect(strips.map(\.label) == ["uncached", "cached", "difference × 4"])
    // Colours that are an eighth of the whole range apart: four times that is half of it.
    #expect(strips[2].image.pixels.contains(128) && strips[0].image.pixels[0] == 0)
    let alone = try Comparison.strips(of: light, named: "result", against: nil)
    #expect(alone.map(\.label) == ["result"])
    let later = try Comparison.strips(
      of: light, named: "cached", against: dark, showingReference: false)
    #expect(later.map(\.label) == ["cached", "difference × 4"])
    #expect(throws: QualityError.self) {
      try Comparison.strips(of: light, named: "x", against: Tensor([1] as [Float]))
    }
  }

  @Test func framesOfAVideoAreItsPixels() throws {
    let video = Tensor(
      [-1, 1, 0, -1, 1, 1] as [Float], shape: try Shape([3, 2, 1, 1]))
    let film = try AnimatedImage(video: video)
    #expect(film.frames.map(\.pixels) == [[0, 128, 255], [255, 0, 255]])
    let latents = Tensor([Float](repeating: 0, count: 8), shape: try Shape([4, 2, 1, 1]))
    #expect(throws: QualityError.self) { try AnimatedImage(video: latents) }
  }
}
