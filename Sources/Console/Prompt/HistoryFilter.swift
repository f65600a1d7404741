/// Keeps forms that hold secrets out of the history file.
struct HistoryFilter {
  /// Secrets that this process knows.
  let secrets: [String]

  /// Names that hold secrets where something is assigned to them, or options of other programs.
  private static let names = [
    "secret", "password", "passwd", "passphrase", "token", "access_key", "api_key", "apikey",
    "private_key",
  ]

  /// Whether a form may be written to disk. As in shells, one that begins with a space is not.
  func allows(_ form: [UInt8]) -> Bool {
    if form.first == 0x20 { return false }
    let text = String(decoding: form, as: UTF8.self)
    if secrets.contains(where: { !$0.isEmpty && text.contains($0) }) { return false }
    let lowered = Array(text.lowercased().utf8)
    if ["authorization:", "bearer "].contains(where: { Self.find($0, in: lowered).isEmpty == false }
    ) {
      return false
    }
    return !Self.names.contains { name in
      Self.find(name, in: lowered).contains { Self.isGiven(lowered, $0..<($0 + name.utf8.count)) }
    }
  }

  /// Where a word stands, each time.
  private static func find(_ word: String, in text: [UInt8]) -> [Int] {
    let word = Array(word.utf8)
    guard let first = word.first, text.count >= word.count else { return [] }
    return (0...(text.count - word.count)).filter {
      text[$0] == first && text[$0..<($0 + word.count)].elementsEqual(word)
    }
  }

  /// Whether a value follows the name: `secret_access_key = "…"`, `["password"] = …`,
  /// `token <const>, other = …`, `NIFCLOUD_SECRET_ACCESS_KEY=…`, `--password …`.
  private static func isGiven(_ text: [UInt8], _ name: Range<Int>) -> Bool {
    let option = text[..<name.lowerBound].reversed().prefix { isWord($0) }
    let end = text[name.upperBound...].firstIndex { !isWord($0) } ?? text.count
    if option.last == 0x2d, end < text.count, LuaLexer.isSpace(text[end]) { return true }
    // `]`, quotes, `,` and further names, `<const>`, white space.
    let rest = text[end...].drop {
      LuaLexer.isNamePart($0) || LuaLexer.isSpace($0) || "\"'].[,".utf8.contains($0)
    }
    if rest.first == 0x3c {
      guard let close = rest.firstIndex(of: 0x3e) else { return false }
      let attribute = rest[rest.index(after: rest.startIndex)..<close]
      return !attribute.isEmpty && attribute.allSatisfy { LuaLexer.isNamePart($0) }
        && isGiven(text, close..<(close + 1))
    }
    return rest.first == 0x3d && rest.dropFirst().first != 0x3d
  }

  /// Whether a byte belongs to the name of a variable or of a program's option.
  private static func isWord(_ byte: UInt8) -> Bool { LuaLexer.isNamePart(byte) || byte == 0x2d }
}
