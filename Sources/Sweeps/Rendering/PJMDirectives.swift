/// The `#PJM` options of a job: what a script says for itself, what `resources` says over it, and
/// what the sweep needs (`lua-api.md`, A script's own `#PJM` lines).
public struct PJMDirectives: Sendable, Hashable {
  /// `-L` items, such as `node=4`, in order.
  private(set) var limits: [Item] = []
  /// `--mpi` items, such as `proc=4`.
  private(set) var mpi: [Item] = []
  private(set) var group: String?
  /// Options that are kept as they are.
  private(set) var others: [String] = []
  /// What was replaced, for the user: `line 3: -N is replaced`.
  public private(set) var notices: [ScriptNote] = []
  /// Limits that the script says and no sweep can use, unless `resources` says others.
  private var unfit: [String: ResourceError] = [:]

  struct Item: Sendable, Hashable {
    var key: String
    var value: String?

    var text: String { value.map { "\(key)=\($0)" } ?? key }
  }

  public init() {}

  /// The options that a script says before its first command.
  public init(script: String) throws(ResourceError) {
    for line in ScriptHeader(script).directives {
      try add(line.text, line: line.number)
    }
  }

  /// Lays `resources` over the options, key by key, and refuses limits that cannot be counted with.
  public mutating func merge(_ resources: Resources) throws(ResourceError) {
    try resources.check()
    for text in resources.pjm {
      try add(text.hasPrefix("#PJM") ? String(text.dropFirst(4)) : text, line: 0)
    }
    if let node = resources.node { Self.set("node", node, in: &limits) }
    if let rscgrp = resources.rscgrp {
      limits.removeAll { $0.key == "rg" }
      Self.set("rscgrp", rscgrp, in: &limits)
    }
    if let elapse = resources.elapse { Self.set("elapse", Elapse.text(elapse), in: &limits) }
    if let group = resources.group { self.group = group }
    if let mpi = resources.mpi {
      for item in Self.items(mpi) { Self.set(item.key, item.value, in: &self.mpi) }
    }
    for (key, error) in unfit.sorted(by: { $0.key < $1.key }) where Self.problem(key, value(key)) {
      throw error
    }
  }

  /// Whether a limit is none that a sweep can count with.
  private static func problem(_ key: String, _ value: String?) -> Bool {
    switch key {
    case "elapse": Elapse.seconds(value ?? "") == nil
    case "node": Resources.nodes(value ?? "") == nil
    default: false
    }
  }

  /// Elapse limit in seconds, nil where nothing says it.
  public var elapse: Int? { value("elapse").flatMap(Elapse.seconds) }

  /// Number of nodes: 1 where nothing says it.
  public var nodes: Int { value("node").flatMap(Resources.nodes) ?? 1 }

  /// Nodes as they were written, nil where nothing says it.
  var nodeText: String? { value("node") }

  /// Resource group, nil where nothing says it.
  public var rscgrp: String? { value("rscgrp") ?? value("rg") }

  /// The options as lines for the head of a job script, without `#PJM`.
  public var lines: [String] {
    limits.map { "-L \"\($0.text)\"" }
      + (group.map { ["-g \($0)"] } ?? [])
      + (mpi.isEmpty ? [] : ["--mpi \"\(mpi.map(\.text).joined(separator: ","))\""])
      + others
  }

  private func value(_ key: String) -> String? {
    limits.last { $0.key == key }?.value
  }

  private mutating func add(_ text: String, line: Int) throws(ResourceError) {
    guard let words = Self.words(text) else { throw .unreadable(line: line, text: text) }
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.text.hasPrefix("-") else { throw .unreadable(line: line, text: text) }
      let option = PJMOption(word.text)
      var values: [Word] = []
      if let attached = option.attached {
        values = [Word(text: attached, raw: attached)]
      } else if option.arity == .one {
        guard let value = rest.popFirst() else { throw .unreadable(line: line, text: text) }
        values = [value]
      } else if option.arity == .unknown {
        while let next = rest.first, !next.text.hasPrefix("-") {
          values.append(next)
          rest.removeFirst()
        }
      }
      try add(option, word: word, values: values, line: line)
    }
  }

  private mutating func add(
    _ option: PJMOption, word: Word, values: [Word], line: Int
  ) throws(ResourceError) {
    let value = values.first?.text ?? ""
    switch option.meaning {
    case .limit:
      for item in Self.items(value) {
        if Self.problem(item.key, item.value) {
          unfit[item.key] = .refused(
            line: line, option: "-L \(item.text)",
            reason: item.key == "node"
              ? "is no number of nodes"
              : "is no fixed limit: a sweep must know how long a job may run")
        }
        Self.set(item.key, item.value, in: &limits)
      }
    case .group: group = value
    case .mpi: for item in Self.items(value) { Self.set(item.key, item.value, in: &mpi) }
    case .replaced:
      notices.append(
        ScriptNote(line: line, severity: .notice, message: "#PJM \(option.name) is replaced"))
    case .refused(let reason): throw .refused(line: line, option: option.name, reason: reason)
    case .kept:
      others.append(([word] + values).map(\.raw).joined(separator: " "))
    }
  }

  /// `node=4,elapse=00:10:00` as items.
  private static func items(_ text: String) -> [Item] {
    text.split(separator: ",").map { part in
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return Item(key: String(pair[0]), value: pair.count == 2 ? String(pair[1]) : nil)
    }
  }

  private static func set(_ key: String, _ value: String?, in items: inout [Item]) {
    let item = Item(key: key, value: value)
    if let index = items.firstIndex(where: { $0.key == key }) {
      items[index] = item
    } else {
      items.append(item)
    }
  }

  /// A word without its quotes, and as it was written.
  private struct Word {
    var text: String
    var raw: String
  }

  /// Splits at blanks outside quotes, up to a comment; nil for an open quote.
  private static func words(_ line: String) -> [Word]? {
    var words: [Word] = []
    var current: Word?
    var quote: Character?
    for character in line {
      if let open = quote {
        current?.raw.append(character)
        if character == open { quote = nil } else { current?.text.append(character) }
        continue
      }
      switch character {
      case " ", "\t", "\r":
        if let word = current { words.append(word) }
        current = nil
      case "#" where current == nil:
        return words
      default:
        current = current ?? Word(text: "", raw: "")
        current?.raw.append(character)
        if character == "\"" || character == "'" {
          quote = character
        } else {
          current?.text.append(character)
        }
      }
    }
    if quote != nil { return nil }
    if let word = current { words.append(word) }
    return words
  }
}
