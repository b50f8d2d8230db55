import CachePolicies
import DiTCache
import ScheduleLanguage

/// Caches a model by a schedule that uses a metric of this package, checks the file and samples.
@main
struct CustomPrimitive {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count == 5, let steps = Int(arguments[4]) else {
      print("usage: CustomPrimitive MODEL SCHEDULE INPUTS.npz CACHED STEPS")
      return
    }
    let (model, schedule, inputs, output) = (arguments[0], arguments[1], arguments[2], arguments[3])
    let vocabulary = Vocabulary.standard.adding(functions: [RelativeRMS.self])

    let rewrite = try RewriteTask(
      model: try LoadedModel(model), schedule: schedule, steps: steps, vocabulary: vocabulary)
    let staged = try rewrite.stage(to: output, copyingWeights: true)
    let check = try staged.check(inputsPath: nil, threads: 2)
    for claim in check.claims { print("\(claim.holds ? "holds" : "FAILS"): \(claim.text)") }
    guard check.holds else { return }
    try staged.commit()

    // The file is standard ONNX: whatever runs it needs to know nothing of the metric.
    let sample = try SampleTask(try LoadedModel(output), schedule: nil, threads: 2)
    var request = SampleJob.Request()
    request.inputsPath = inputs
    let report = try sample.run(request)
    for site in report.sites {
      for (branch, steps) in zip(report.branches, site.computedSteps) {
        print("\(site.name), \(branch): computed at steps \(steps)")
      }
    }
    if let quality = report.quality { print("relative L1 \(quality.relativeL1)") }
  }
}
