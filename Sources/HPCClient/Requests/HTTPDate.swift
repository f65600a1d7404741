/// Dates in header fields (RFC 9110 §5.6.7) and waits in `Retry-After` (§10.2.3).
enum HTTPDate {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT` and of the two obsolete forms,
  /// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`; nil for anything else.
  static func epoch(_ text: String) -> Double? {
    let parts = text.split(separator: " ")
    switch parts.count {
    case 6 where parts[0].hasSuffix(",") && isZone(parts[5]):
      return epoch(day: parts[1], month: parts[2], year: parts[3], time: parts[4])
    case 4 where parts[0].hasSuffix(",") && isZone(parts[3]):
      let date = parts[1].split(separator: "-")
      guard date.count == 3, let year = Int(date[2]), (0..<100).contains(year) else { return nil }
      let century = year < 70 ? 2000 : 1900
      return epoch(day: date[0], month: date[1], year: "\(century + year)", time: parts[2])
    case 5: return epoch(day: parts[2], month: parts[1], year: parts[4], time: parts[3])
    default: return nil
    }
  }

  private static func isZone(_ text: Substring) -> Bool { text == "GMT" || text == "UTC" }

  private static func epoch(
    day: Substring, month: Substring, year: Substring, time: Substring
  ) -> Double? {
    guard let month = months.firstIndex(of: String(month)), let day = Int(day),
      let year = Int(year), (1...9999).contains(year)
    else { return nil }
    let clock = time.split(separator: ":").map { Int($0) ?? -1 }
    guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]),
      (0..<61).contains(clock[2])
    else { return nil }
    let first = CivilDate.days(year: year, month: month + 1, day: 1)
    let next = CivilDate.days(
      year: month == 11 ? year + 1 : year, month: month == 11 ? 1 : month + 2, day: 1)
    guard day >= 1, first + day <= next else { return nil }
    return Double((first + day - 1) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
  }

  /// Seconds that `Retry-After` asks to wait; nil where it cannot be read.
  static func retryAfter(_ text: String, now: Double) -> Double? {
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Double(text)
    }
    return epoch(text).map { max(0, $0 - now) }
  }
}
