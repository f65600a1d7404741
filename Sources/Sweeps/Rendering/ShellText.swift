/// Text as a POSIX shell reads it.
enum ShellText {
  /// True for text that means itself in any shell and in most languages: nothing to expand, split
  /// or quote, and not empty (`lua-api.md`, safe characters).
  static func isSafe(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(isSafeByte)
  }

  /// The text as one word: in single quotes, each single quote as `'\''`.
  static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }

  /// A file name pattern as one word in which only `*`, `?` and `[…]` keep their meaning.
  static func glob(_ pattern: String) -> String {
    var result = ""
    var literal = ""
    for character in pattern {
      if "*?[]".contains(character) {
        if !literal.isEmpty { result += quoted(literal) }
        literal = ""
        result.append(character)
      } else {
        literal.append(character)
      }
    }
    return literal.isEmpty ? result : result + quoted(literal)
  }

  /// Names of the variables that a text expands: `$T`, `${T}`, `${T:-1}`, `${#T}`, `$((2 * T))`, and
  /// those that programs in other languages ask for: `os.environ["T"]`, `getenv('T')`, `$ENV{T}`.
  static func variables(in text: String) -> Set<String> {
    var names: Set<String> = []
    if ["environ", "ENVIRON", "getenv", "ENV"].contains(where: text.contains) {
      names.formUnion(words(in: text.utf8[...]) { [0x22, 0x27, 0x7b].contains($0) })
    }
    var rest = text.utf8[...]
    while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
      rest = rest[rest.index(after: dollar)...]
      if rest.starts(with: "((".utf8) {
        let inside = rest.prefix { $0 != UInt8(ascii: "\n") }
        names.formUnion(words(in: inside) { _ in true })
      }
      if rest.first == UInt8(ascii: "{") {
        rest = rest.dropFirst()
        if let mark = rest.first, mark == UInt8(ascii: "#") || mark == UInt8(ascii: "!") {
          rest = rest.dropFirst()
        }
      }
      let name = Substring(rest.prefix(while: ParameterName.isIdentifierByte))
      if ParameterName.isIdentifier(name) { names.insert(String(name)) }
    }
    return names
  }

  /// The names in a text that come after a byte that may stand there.
  private static func words(
    in text: Substring.UTF8View, after isStart: (UInt8) -> Bool
  ) -> Set<String> {
    var names: Set<String> = []
    var rest = text
    while let start = rest.firstIndex(where: { !ParameterName.isIdentifierByte($0) }) {
      let byte = rest[start]
      rest = rest[rest.index(after: start)...]
      guard isStart(byte) else { continue }
      let name = Substring(rest.prefix(while: ParameterName.isIdentifierByte))
      if ParameterName.isIdentifier(name) { names.insert(String(name)) }
    }
    return names
  }

  private static func isSafeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true  // digits and letters
    case 0x5f, 0x2d, 0x2e, 0x2f, 0x3a, 0x2c, 0x2b, 0x3d, 0x40, 0x25, 0x5e: true  // _-./:,+=@%^
    default: false
    }
  }
}
