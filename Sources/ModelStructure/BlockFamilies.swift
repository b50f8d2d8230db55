import GraphIR

/// Sorts blocks of one spine into families of the same form.
struct BlockFamilies {
  /// What is compared.
  struct Form {
    /// The number of streams and the type of the first.
    var streams: Int
    var type: ValueType
    /// How the hidden states are laid out anew on the way in; 0 where they are not.
    var layout: Int
    /// How often tokens of other origin were put beside those of the spine before.
    var mixtures: Int
    /// The forms of the branches of the first stream, in order.
    var branches: [Int]
  }

  /// The family of each block; families are numbered by their first block.
  private(set) var numbers: [Int]

  /// Numbers the families.
  ///
  /// Blocks of the same stream form are one family when their branches are equal, or those of one are
  /// those of the other with some left out; a single block joins the family beside it. Blocks between
  /// which the tokens are laid out anew are of different families.
  init(_ forms: [Form]) {
    numbers = [Int](repeating: -1, count: forms.count)
    var families: [(form: Form, members: Set<[Int]>, size: Int)] = []
    for (position, form) in forms.enumerated() {
      let next = position + 1 < forms.count ? forms[position + 1] : nil
      let isFree = position == 0
      let known = families.indices.first { number in
        let family = families[number]
        if form.layout != 0, position > 0, numbers[position - 1] == number { return false }
        return family.form.streams == form.streams && family.form.hasTokens(of: form)
          && (family.form.layout == form.layout || isFree)
          && family.members.contains { Self.isContained($0, form.branches) }
      }
      let number = known ?? families.count
      if known == nil {
        var own = form
        if isFree {
          let again = forms.dropFirst(2).first { $0.branches == form.branches }
          own.layout = next.map { $0.layout == 0 ? 0 : again?.layout ?? -1 } ?? 0
        }
        families.append((own, [], 0))
      }
      families[number].members.insert(form.branches)
      families[number].size += 1
      numbers[position] = number
    }
    joinSingles(forms, families.map(\.size))
    renumber()
  }

  private mutating func joinSingles(_ forms: [Form], _ sizes: [Int]) {
    for position in numbers.indices where sizes[numbers[position]] == 1 {
      let neighbours = [position - 1, position + 1].filter(numbers.indices.contains)
      let kin = neighbours.first {
        sizes[numbers[$0]] > 1 && forms[$0].streams == forms[position].streams
          && forms[$0].hasTokens(of: forms[position])
          && (forms[max($0, position)].layout == 0)
      }
      if let kin { numbers[position] = numbers[kin] }
    }
  }

  private mutating func renumber() {
    var names: [Int: Int] = [:]
    numbers = numbers.map { number in
      let name = names[number] ?? names.count
      names[number] = name
      return name
    }
  }

  private static func isContained(_ a: [Int], _ b: [Int]) -> Bool {
    let (short, long) = a.count <= b.count ? (a, b) : (b, a)
    var rest = short[...]
    for form in long where rest.first == form { rest = rest.dropFirst() }
    return rest.isEmpty
  }
}

extension BlockFamilies.Form {
  /// True for the same hidden states as far as is known: by their types, else by what was mixed in.
  fileprivate func hasTokens(of other: Self) -> Bool {
    type.agrees(with: other.type)
      && (mixtures == other.mixtures
        || (type.tensor?.shape != nil && other.type.tensor?.shape != nil))
  }
}
