public import GraphIR
public import Tensors

/// The state of one branch of one generation: what a host feeds besides the model's own inputs,
/// and what it keeps of the outputs.
///
/// Make one bundle a branch and a generation; nothing is shared between bundles. A bundle forgets
/// its slots when the model's own inputs change shape.
public struct StateBundle: Sendable {
  /// What a host may force, for all sites at once.
  public enum Override: Int64, Sendable {
    /// The schedule decides.
    case auto = 0
    /// Every site computes.
    case compute = 1
    /// Every site with valid slots reuses.
    case reuse = 2
  }

  private let manifest: Manifest
  private let branch: Int
  private var state: [Name: Tensor] = [:]
  private var shapes: [Name: Shape] = [:]

  /// An empty bundle for a branch, 0 conditional, 1 unconditional.
  public init(_ manifest: Manifest, branch: Int = 0) {
    self.manifest = manifest
    self.branch = branch
  }

  /// Adds controls and state to the model's own feeds for one call.
  ///
  /// A slot that holds nothing yet is fed with zeros, of length zero along dimensions that vary.
  ///
  /// - Parameters:
  ///   - own: the model's own inputs
  ///   - step: the scheduler step, from 0
  ///   - override: what all sites are forced to
  ///   - following: what the sites of the leading branch computed, which these then do too
  ///   - sigmas: the noise levels of this step and the next
  ///   - parameters: numbers other than the schedule's
  /// - Returns: everything to feed
  /// - Throws: `ContractError` if the manifest asks for an impossible slot
  public mutating func feeds(
    adding own: [Name: Tensor], step: Int, override: Override = .auto,
    following: [Bool]? = nil, sigmas: (Double, Double)? = nil, parameters: [String: Double] = [:]
  ) throws(ContractError) -> [Name: Tensor] {
    let shapes = own.mapValues(\.shape)
    if shapes != self.shapes {
      state = [:]
      self.shapes = shapes
    }
    var feeds = own
    for control in manifest.controls {
      feeds[Name(control)] = value(of: control, step: step, override: override)
    }
    if let following {
      feeds[Name(ContractNames.override)] = Tensor(
        following.map { ($0 ? Override.compute : .reuse).rawValue })
    }
    if let sigmas, manifest.controls.contains(ContractNames.sigmas) {
      feeds[Name(ContractNames.sigmas)] = Tensor([Float(sigmas.0), Float(sigmas.1)])
    }
    for parameter in manifest.parameters ?? [] {
      let value = parameters[parameter.name] ?? parameter.value
      feeds[Name(parameter.input)] = Tensor([Float(value)])
    }
    for pair in manifest.state {
      let held = state.removeValue(forKey: Name(pair.input))
      feeds[Name(pair.input)] = if let held { held } else { try pair.emptyTensor() }
    }
    return feeds
  }

  /// Keeps the state among a call's outputs and returns the model's own outputs.
  public mutating func absorb(_ outputs: [Name: Tensor]) -> [Name: Tensor] {
    var own = outputs
    for pair in manifest.state {
      if let tensor = own.removeValue(forKey: Name(pair.output)) {
        state[Name(pair.input)] = tensor
      }
    }
    return own
  }

  /// Makes every float32 slot the mean of its own and another branch's content.
  ///
  /// Slots of other types, and of other shapes in the other branch, stay as they are.
  public mutating func average(with other: StateBundle) {
    for (name, own) in state {
      guard own.dataType == .float32, let theirs = other.state[name], theirs.shape == own.shape
      else { continue }
      let pairs = zip(own.elements(as: Float.self), theirs.elements(as: Float.self))
      state[name] = Tensor(pairs.map { ($0 + $1) / 2 }, shape: own.shape)
    }
  }

  /// Bytes of all slots held.
  public var byteCount: Int { state.values.reduce(0) { $0 + $1.byteCount } }

  private func value(of control: String, step: Int, override: Override) -> Tensor? {
    switch control {
    case ContractNames.step: Tensor([Int64(step)])
    case ContractNames.steps: Tensor([Int64(manifest.steps)])
    case ContractNames.branch: Tensor([Int64(branch)])
    case ContractNames.sigmas: Tensor([Float(1), 0])
    case ContractNames.override:
      Tensor([Int64](repeating: override.rawValue, count: manifest.sites.count))
    default: nil
    }
  }
}

extension Manifest.State {
  /// Bytes that one slot may have; a manifest that asks for more is taken for broken.
  public static let maximumByteCount = 16 << 30

  /// What to feed before the first call: zeros, of length zero along dimensions that vary.
  public func emptyTensor() throws(ContractError) -> Tensor {
    guard let type = DataType(name: dataType) else {
      throw ContractError("broken-manifest", "state '\(input)' has the unknown type '\(dataType)'")
    }
    do throws(ArithmeticOverflow) {
      let sizes = try Shape(shape.map { Int($0) ?? 0 })
      let byteCount = try Checked.product(sizes.elementCount, type.byteCount)
      guard byteCount <= Self.maximumByteCount else {
        throw ArithmeticOverflow("\(byteCount) bytes are more than \(Self.maximumByteCount)")
      }
      let tensor = try Tensor(uninitialized: type, sizes)
      tensor.base.initializeMemory(as: UInt8.self, repeating: 0, count: tensor.byteCount)
      return tensor
    } catch {
      throw ContractError("broken-manifest", "state '\(input)' has no possible size: \(error)")
    }
  }
}
