/// A tensor of the model that a rule may read.
public enum Tap: Hashable, Sendable {
  /// The noisy latents as the model gets them.
  case latents
  /// The embedding of the timestep before the activation that leads to the modulations.
  case timestepEmbedding
  /// The projection of that embedding that all blocks share.
  case timestepProjection
  /// A place in or around a part of the model, in one of its streams.
  case place(Place, Site, Stream)

  /// Which of several streams of hidden states.
  public enum Stream: Hashable, Sendable {
    /// By number; 0 is that of the latents.
    case number(Int)
    /// That of the site for which the expression is evaluated.
    case own

    /// The stream of the latents.
    public static let latents = Stream.number(0)
  }

  /// Where around a part of the model a tensor is read.
  public enum Place: String, Hashable, Sendable, CaseIterable {
    /// What enters.
    case input
    /// What leaves.
    case output
    /// What it adds to the hidden states: output − input, or a module's value after its gate.
    case residual
    /// What the first attention projects: the normalised and modulated hidden states.
    case modulatedInput = "modulated_input"
    /// What it makes, all of it computed, of what enters: where nothing inside is cached, the output.
    case recomputed
  }

  /// The taps that take no site, by their words.
  static let named: [String: Tap] = [
    "latents": .latents, "timestep_embedding": .timestepEmbedding,
    "timestep_projection": .timestepProjection,
  ]
}

extension Tap: CustomStringConvertible {
  /// The tap as the language writes it.
  public var description: String {
    switch self {
    case .latents: "latents"
    case .timestepEmbedding: "timestep_embedding"
    case .timestepProjection: "timestep_projection"
    case .place(let place, let site, .latents): "\(place.rawValue)(\(site.text))"
    case .place(let place, let site, .own): "\(place.rawValue)(\(site.text), stream: own)"
    case .place(let place, let site, .number(let number)):
      "\(place.rawValue)(\(site.text), stream: \(number))"
    }
  }
}
