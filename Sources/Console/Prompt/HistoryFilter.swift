/// Keeps forms that hold secrets out of the history file.
struct HistoryFilter {
  /// Secrets that this process knows.
  let secrets: [String]

  /// Names that hold secrets where something is assigned to them.
  private static let names = ["secret", "password", "passwd", "token", "access_key"]

  /// Whether a form may be written to disk. As in shells, one that begins with a space is not.
  func allows(_ form: [UInt8]) -> Bool {
    if form.first == 0x20 { return false }
    let text = String(decoding: form, as: UTF8.self)
    if secrets.contains(where: { !$0.isEmpty && text.contains($0) }) { return false }
    let lowered = text.lowercased()
    return !Self.names.contains { name in
      guard let range = lowered.firstRange(of: name) else { return false }
      // `secret_access_key = "…"`, `password=…`, `NIFCLOUD_SECRET_ACCESS_KEY=…`
      let rest = lowered[range.upperBound...]
        .drop {
          LuaLexer.isNamePart($0.asciiValue ?? 0) || $0 == "\"" || $0 == "'" || $0 == "]"
            || $0 == " "
        }
      return rest.first == "=" && rest.dropFirst().first != "="
    }
  }
}
