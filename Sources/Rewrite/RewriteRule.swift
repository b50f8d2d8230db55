public import GraphIR
public import Tensors

/// Why a rule left a node alone.
public enum MatchFailure: Error, Hashable, Sendable {
  /// The node is something else; not reported.
  case notThisPattern
  /// The pattern was there but could not be used; reported with the reason.
  case declined(String)
}

/// A local change: `match` only reads and may decline, `rewrite` only writes and cannot fail.
public protocol RewriteRule: Sendable {
  /// What `match` found.
  associatedtype Match

  /// A kebab-case name that appears in reports.
  static var name: String { get }

  /// The operators at which the pattern is rooted.
  static var roots: Set<OpKey> { get }

  /// Looks for the pattern rooted at a node.
  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match

  /// Replaces what was matched and says in one sentence what was done.
  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String
}

/// A graph and who uses what in it, as rules see them.
public struct MatchContext: Sendable {
  /// The graph.
  public let graph: Graph
  /// Readers of each value.
  public let uses: UseIndex
  /// The contents of a value, when they are known and small.
  public let constant: @Sendable (ValueID) -> Tensor?

  /// The node that computes a value, when it applies `op`.
  public func producer(of value: ValueID?, _ op: OpKey) -> NodeID? {
    guard let value, let node = graph.producer(of: value), graph[node].op == op else { return nil }
    return node
  }
}

/// Applies one rule wherever it matches, over the main graph and until nothing changes.
public struct RulePass<Rule: RewriteRule>: Pass {
  private let rule: Rule
  private let constant: @Sendable (ValueID) -> Tensor?

  /// A pass of one rule; `constant` knows the contents of small constant values.
  public init(_ rule: Rule, constant: @escaping @Sendable (ValueID) -> Tensor? = { _ in nil }) {
    self.rule = rule
    self.constant = constant
  }

  /// The rule's name.
  public var name: String { Rule.name }

  /// Applies the rule in rounds; matches of one round that overlap wait for the next.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    for round in 0..<Self.maximumRounds {
      var editor = GraphEditor(graph)
      let context = MatchContext(graph: graph, uses: UseIndex(graph), constant: constant)
      var changed = false
      for id in graph.order where Rule.roots.contains(graph[id].op) {
        do throws(MatchFailure) {
          let match = try rule.match(id, in: context)
          editor.begin()
          let place = graph.label(of: id)
          let message = rule.rewrite(match, with: &editor)
          if editor.commit() {
            changed = true
            report.changed(place, message)
          }
        } catch .declined(let reason) {
          if round == 0 { report.decline(graph.label(of: id), reason) }
        } catch .notThisPattern {
          continue
        }
      }
      guard changed else { return }
      graph = editor.finish()
    }
  }

  private static var maximumRounds: Int { 16 }
}
