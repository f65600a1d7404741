/// Dates in header fields (RFC 9110 §5.6.7) and waits in `Retry-After` (§10.2.3).
enum HTTPDate {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else, the obsolete
  /// forms included.
  static func epoch(_ text: String) -> Double? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT" || parts[5] == "UTC",
      let day = Int(parts[1]), (1...31).contains(day),
      let month = months.firstIndex(of: String(parts[2])),
      let year = Int(parts[3]), (1...9999).contains(year)
    else { return nil }
    let time = parts[4].split(separator: ":").map { Int($0) ?? -1 }
    guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]),
      (0..<61).contains(time[2])
    else { return nil }
    let days = CivilDate.days(year: year, month: month + 1, day: day)
    return Double(days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2])
  }

  /// Seconds that `Retry-After` asks to wait; nil where it cannot be read.
  static func retryAfter(_ text: String, now: Double) -> Double? {
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Double(text)
    }
    return epoch(text).map { max(0, $0 - now) }
  }
}
