/// A pattern for names, as shells have them: `*` and `?` within a part of a path, `**` over any
/// number of parts, `[a-z]` and `[!a-z]`, `\` before a character that is meant literally.
///
/// A pattern without a slash is compared with the last part of a path, any other with all of it, as
/// people write it: `/a` and `./a` are right below the folder, `a/` is everything in `a`.
public struct Glob: Sendable, Hashable {
  /// Why a text is no pattern.
  public struct Malformed: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
  }

  private enum Token: Sendable, Hashable {
    case literal(Unicode.Scalar)
    /// One character but a slash.
    case any
    /// Any number of characters but slashes.
    case run
    /// `**/`: any number of whole parts.
    case parts
    /// `**` at the end: everything.
    case all
    case set([ClosedRange<Unicode.Scalar>], negated: Bool)
  }

  private let tokens: [Token]
  private let isWhole: Bool

  /// Reads a pattern.
  public init(_ pattern: String) throws(Malformed) {
    guard !pattern.isEmpty else { throw Malformed(description: "an empty pattern matches nothing") }
    var rest = Array(pattern.unicodeScalars)[...]
    isWhole = rest.contains("/")
    while rest.starts(with: "./".unicodeScalars) { rest = rest.dropFirst(2) }
    if rest.first == "/" { rest = rest.dropFirst() }
    if isWhole, rest.isEmpty || rest.last == "/" { rest += "**".unicodeScalars }
    let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
    if isWhole, parts.contains(where: { [[], ["."], [".", "."]].contains(Array($0)) }) {
      throw Malformed(
        description:
          "the pattern \"\(pattern)\" fits no path: none has \".\", \"..\" or empty parts"
      )
    }
    var tokens: [Token] = []
    while let scalar = rest.popFirst() {
      switch scalar {
      case "?": tokens.append(.any)
      case "*": tokens.append(Self.star(&rest))
      case "[": tokens.append(try Self.set(&rest, pattern))
      case "\\":
        guard let next = rest.popFirst() else {
          throw Malformed(description: "the pattern \"\(pattern)\" ends with a backslash")
        }
        tokens.append(.literal(next))
      default: tokens.append(.literal(scalar))
      }
    }
    self.tokens = tokens
  }

  private static func star(_ rest: inout ArraySlice<Unicode.Scalar>) -> Token {
    guard rest.first == "*" else { return .run }
    while rest.first == "*" { rest.removeFirst() }
    guard let next = rest.first else { return .all }
    guard next == "/" else { return .run }
    rest.removeFirst()
    return .parts
  }

  private static func set(
    _ rest: inout ArraySlice<Unicode.Scalar>, _ pattern: String
  ) throws(Malformed) -> Token {
    let open = Malformed(description: "the pattern \"\(pattern)\" has a [ without ]")
    var negated = false
    if rest.first == "!" || rest.first == "^" {
      negated = true
      rest.removeFirst()
    }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    // A bracket right at the start is meant literally.
    while let scalar = rest.popFirst(), scalar != "]" || ranges.isEmpty {
      if rest.first == "-", let last = rest.dropFirst().first, last != "]" {
        rest.removeFirst(2)
        guard scalar <= last else {
          throw Malformed(description: "the pattern \"\(pattern)\" has a range that runs backwards")
        }
        ranges.append(scalar...last)
      } else {
        ranges.append(scalar...scalar)
      }
      guard !rest.isEmpty else { throw open }
    }
    guard !ranges.isEmpty else { throw open }
    return .set(ranges, negated: negated)
  }

  /// Whether a path, its parts separated by slashes, fits.
  public func matches(_ path: String) -> Bool {
    var scalars = Array(path.unicodeScalars)[...]
    if !isWhole, let slash = scalars.lastIndex(of: "/") {
      scalars = scalars[(slash + 1)...]
    }
    return matches(Array(scalars))
  }

  /// By a table over tokens and characters: no pattern takes more than their product.
  private func matches(_ text: [Unicode.Scalar]) -> Bool {
    // Which beginnings of the text the tokens so far can stand for.
    var reached = [Bool](repeating: false, count: text.count + 1)
    reached[0] = true
    for token in tokens {
      var next = [Bool](repeating: false, count: text.count + 1)
      switch token {
      case .run, .all, .parts:
        var isOpen = false
        for at in 0...text.count {
          if at > 0, case .run = token, text[at - 1] == "/" { isOpen = false }
          isOpen = isOpen || reached[at]
          next[at] = isOpen
          // Whole parts end with a slash.
          if case .parts = token {
            next[at] = reached[at] || (isOpen && at > 0 && text[at - 1] == "/")
          }
        }
      default:
        for at in text.indices where reached[at] && Self.fits(token, text[at]) {
          next[at + 1] = true
        }
      }
      reached = next
    }
    return reached[text.count]
  }

  private static func fits(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
    switch token {
    case .literal(let wanted): scalar == wanted
    case .any: scalar != "/"
    case .set(let ranges, let negated):
      scalar != "/" && ranges.contains { $0.contains(scalar) } != negated
    case .run, .parts, .all: false
    }
  }
}
