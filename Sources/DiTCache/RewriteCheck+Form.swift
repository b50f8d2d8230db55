import CacheContract
import Diffusion
import GraphIR
import Interpreter
import Quality
import Tensors

extension RewriteCheck {
  /// Compares the files of a form with one file that decides by itself, in calls that run all of
  /// them, and the first call with the original.
  mutating func claimForm(
    _ form: FormEngine, like cached: Engine, _ manifest: Manifest, _ feeds: [Name: Tensor],
    _ original: [Name: Tensor], _ tolerance: Double
  ) throws {
    var own = StateBundle(form.manifest)
    var one = StateBundle(manifest)
    let kind = form.manifest.form?.kind.rawValue ?? ""
    for (number, call) in Self.calls(of: form.manifest).enumerated() {
      let fed = number.isMultiple(of: 2) ? feeds : Self.moved(feeds)
      let sigmas = Self.sigmas(of: min(number, 7))
      func results(
        of engine: some DenoisingEngine, _ bundle: inout StateBundle
      ) throws -> [Name: Tensor] {
        let all = try bundle.feeds(
          adding: fed, step: call.step, override: call.override, sigmas: sigmas)
        return bundle.absorb(try engine.run(all))
      }
      let due = try results(of: cached, &one)
      let made = try results(of: form, &own)
      if number == 0 {
        // Operators that lie in two files of a split form are not fused, and round apart.
        let isExact = form.manifest.form?.kind == .static
        let bound = isExact ? "bit for bit" : "within \(tolerance)"
        try claim("the first call of the form '\(kind)' gives the original \(bound)") {
          try original.allSatisfy { name, due in
            isExact
              ? try Self.difference(made[name], due)?.isIdentical ?? false
              : try Self.isNear(made[name], due, tolerance)
          }
        }
      }
      let name = Name(ContractNames.computed)
      try claim("\(call.text) does in the form '\(kind)' what it does in one file") {
        try made[name]?.elements(as: Bool.self) == due[name]?.elements(as: Bool.self)
          && original.keys.allSatisfy { name in
            guard let due = due[name] else { return false }
            return try Self.isNear(made[name], due, tolerance)
          }
      }
    }
  }

  /// One call of a form.
  private struct Call {
    let step: Int
    var override = StateBundle.Override.auto

    var text: String {
      switch override {
      case .auto: "step \(step)"
      case .compute: "override = compute"
      case .reuse: "override = reuse"
      }
    }
  }

  /// Calls that run each file of a form: the first step of each set of decisions that the tables
  /// have, in order, and for decisions of the run four steps, everything computed and everything
  /// reused.
  private static func calls(of manifest: Manifest) -> [Call] {
    if let steps = manifest.form?.steps {
      var seen: Set<String> = []
      return steps.indices.filter { seen.insert(steps[$0]).inserted }.map { Call(step: $0) }
    }
    let tables = manifest.rules.map(\.table).filter { !$0.isEmpty }
    var seen: Set<[Bool]> = []
    let steps = (0..<manifest.steps).filter { step in
      seen.insert(tables.map { step < $0.count && $0[step] }).inserted || step < 4
    }
    let last = manifest.steps - 1
    return steps.map { Call(step: $0) }
      + [Call(step: last, override: .reuse), Call(step: last, override: .compute)]
  }
}
