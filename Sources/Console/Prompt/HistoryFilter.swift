/// Keeps forms that hold secrets out of the history file.
struct HistoryFilter {
  /// Secrets that this process knows.
  let secrets: [String]

  /// Names that hold secrets where something is assigned to them, or options of other programs.
  private static let names = [
    "secret", "password", "passwd", "passphrase", "token", "access_key", "access-key", "api_key",
    "api-key", "apikey", "private_key", "private-key",
  ]
  /// What stands before a secret, whatever the program.
  private static let marks = ["authorization:", "bearer ", "-----begin "]
  /// Options of programs that take `user:password` (curl, HTTPie).
  private static let logins = ["-u", "--user", "--proxy-user", "-a", "--auth"]
  /// Programs whose `-p` is a password.
  private static let keepers = ["sshpass", "mysql", "mysqldump", "mariadb", "login"]

  /// Whether a form may be written to disk. As in shells, one that begins with a space is not.
  func allows(_ form: [UInt8]) -> Bool {
    if form.first == 0x20 { return false }
    let text = String(decoding: form, as: UTF8.self)
    if secrets.contains(where: { !$0.isEmpty && text.contains($0) }) { return false }
    let lowered = Array(text.lowercased().utf8)
    if Self.marks.contains(where: { !Self.find($0, in: lowered).isEmpty }) { return false }
    if Self.hasLogin(lowered) { return false }
    let isForShell =
      lowered.first == 0x21
      || ["os.execute", "io.popen"].contains { !Self.find($0, in: lowered).isEmpty }
    if isForShell, Self.givesLogin(text) { return false }
    return !Self.names.contains { name in
      Self.find(name, in: lowered).contains {
        Self.isGiven(lowered, $0..<($0 + name.utf8.count), isForShell: isForShell)
      }
    }
  }

  /// Whether an address says `//user:password@`.
  private static func hasLogin(_ text: [UInt8]) -> Bool {
    find("://", in: text).contains { start in
      let authority = text[(start + 3)...].prefix { !LuaLexer.isSpace($0) && $0 != 0x2f }
      guard let at = authority.lastIndex(of: 0x40),
        let colon = authority[..<at].firstIndex(of: 0x3a)
      else { return false }
      return colon + 1 < at
    }
  }

  /// Whether a line for the shell has `-u user:password` or the like.
  private static func givesLogin(_ text: String) -> Bool {
    let words = text.split { $0.isWhitespace || "'\"".contains($0) }.map(String.init)
    func isLogin(_ word: Substring) -> Bool {
      guard let colon = word.firstIndex(of: ":"), colon > word.startIndex else { return false }
      // Numbers of a user and a group, an address and a port.
      let rest = word[word.index(after: colon)...]
      return !rest.isEmpty && !rest.allSatisfy(\.isNumber)
    }
    var keepsPassword = false
    for (index, word) in words.enumerated() {
      let next = index + 1 < words.count ? words[index + 1] : ""
      let option = word.prefix { $0 != "=" }
      if logins.contains(word), isLogin(next[...]) { return true }
      if logins.contains(String(option)), isLogin(word[option.endIndex...].dropFirst()) {
        return true
      }
      if word.hasPrefix("-u"), isLogin(word.dropFirst(2)) { return true }
      if word.hasPrefix("pass:") { return true }
      if keepsPassword, word.hasPrefix("-p"), word.count > 2 || !next.isEmpty { return true }
      let program = word.split(separator: "/").last ?? ""
      keepsPassword = keepsPassword || keepers.contains { program == $0 || program == "!" + $0 }
    }
    return false
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
  /// `token <const>, other = …`, `NIFCLOUD_SECRET_ACCESS_KEY=…`, `--password …`,
  /// `"password": …`, for a shell `X-Api-Key: …`.
  private static func isGiven(_ text: [UInt8], _ name: Range<Int>, isForShell: Bool) -> Bool {
    let option = text[..<name.lowerBound].reversed().prefix { isWord($0) }
    let end = text[name.upperBound...].firstIndex { !isWord($0) } ?? text.count
    if option.last == 0x2d, end < text.count, LuaLexer.isSpace(text[end]) { return true }
    let afterQuote = text[end...].dropFirst(end < text.count && text[end] == 0x22 ? 1 : 0)
    if isForShell || afterQuote.startIndex > end,
      afterQuote.first(where: { !LuaLexer.isSpace($0) }) == 0x3a
    {
      return true
    }
    // `]`, quotes, `,` and further names, `<const>`, white space.
    let rest = text[end...].drop {
      LuaLexer.isNamePart($0) || LuaLexer.isSpace($0) || "\"'].[,".utf8.contains($0)
    }
    if rest.first == 0x3c {
      guard let close = rest.firstIndex(of: 0x3e) else { return false }
      let attribute = rest[rest.index(after: rest.startIndex)..<close]
      return !attribute.isEmpty && attribute.allSatisfy { LuaLexer.isNamePart($0) }
        && isGiven(text, close..<(close + 1), isForShell: isForShell)
    }
    return rest.first == 0x3d && rest.dropFirst().first != 0x3d
  }

  /// Whether a byte belongs to the name of a variable or of a program's option.
  private static func isWord(_ byte: UInt8) -> Bool { LuaLexer.isNamePart(byte) || byte == 0x2d }
}
