/// How the cache of a model is written: one file whose graph decides, or several that a host chooses
/// from.
public struct Form: Hashable, Sendable, Codable {
  /// The forms by name.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Standard `If` operators that own the blocks.
    case `if`
    /// One graph for each set of sites that some step computes.
    case `static`
    /// Graphs cut at the sites, of which the host runs some.
    case split
    /// As `if`, with the blocks as model-local functions.
    case function
  }

  /// Which form.
  public var kind: Kind
  /// The file that the original was read from, without its folder.
  public var original: String
  /// The schedule's text.
  public var schedule: String
  /// The original's inputs.
  public var inputs: [String]
  /// The original's outputs.
  public var outputs: [String]
  /// The files, in the order in which a host first needs them.
  public var graphs: [File]
  /// `static`: the graph of each step.
  ///
  /// That of step 0 reads no state: it is right whenever nothing is kept yet.
  public var steps: [String]?
  /// `split`: what a call runs, in order.
  public var parts: [Part]?

  /// One file with what it reads and gives.
  public struct File: Hashable, Sendable, Codable {
    /// The file's name in the folder of the manifest.
    public var file: String
    /// What to feed: inputs of the original, controls, state, and outputs of files run before.
    public var inputs: [String]
    /// What it gives.
    public var outputs: [String]
    /// `static`: one flag a site, true where it computes.
    public var computed: [Bool]?

    /// A file.
    public init(file: String, inputs: [String], outputs: [String], computed: [Bool]? = nil) {
      self.file = file
      self.inputs = inputs
      self.outputs = outputs
      self.computed = computed
    }
  }

  /// One thing that a call of a split model runs: always the same file, or one of two.
  public struct Part: Hashable, Sendable, Codable {
    /// What it is, such as `head` or a site id.
    public var name: String
    /// The file, where there is no choice; nil when it only has one for first calls.
    public var file: String?
    /// The site, as an index into `sites`, that is computed or reused here or that this follows.
    public var site: Int?
    /// The bool output of an earlier file that says whether to compute.
    public var decision: String?
    /// The file to run when the site computes; nil when nothing changes then.
    public var compute: String?
    /// The file to run when it does not; nil when nothing changes then.
    public var reuse: String?
    /// The file of a branch's first call, when nothing is kept and everything computes, where it is
    /// another one.
    public var first: String?

    /// A part that always runs.
    public init(name: String, file: String?, first: String? = nil) {
      self.name = name
      self.file = file
      self.first = first
    }

    /// A part that computes or reuses.
    public init(
      name: String, site: Int, decision: String, compute: String?, reuse: String?,
      first: String? = nil
    ) {
      self.name = name
      self.site = site
      self.decision = decision
      self.compute = compute
      self.reuse = reuse
      self.first = first
    }
  }

  /// A form.
  public init(
    _ kind: Kind, original: String, schedule: String, inputs: [String], outputs: [String],
    graphs: [File], steps: [String]? = nil, parts: [Part]? = nil
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.kind = kind
    self.original = original
    self.schedule = schedule
    self.graphs = graphs
    self.steps = steps
    self.parts = parts
  }
}
