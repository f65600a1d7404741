/// Dates in header fields (RFC 9110 §5.6.7) and waits in `Retry-After` (§10.2.3), read without a
/// formatter.
public enum HTTPDate {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT` and of the two obsolete forms,
  /// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`; nil for anything else.
  public static func epochSeconds(parsing text: String) -> Int? {
    let parts = text.split(separator: " ")
    switch parts.count {
    case 6 where parts[0].hasSuffix(",") && isZone(parts[5]):
      return epochSeconds(parts[1], parts[2], number(parts[3], digits: 4...4), parts[4])
    case 4 where parts[0].hasSuffix(",") && isZone(parts[3]):
      let date = parts[1].split(separator: "-", omittingEmptySubsequences: false)
      guard date.count == 3, let year = number(date[2], digits: 2...2) else { return nil }
      return epochSeconds(date[0], date[1], year + (year < 70 ? 2000 : 1900), parts[2])
    case 5: return epochSeconds(parts[2], parts[1], number(parts[4], digits: 4...4), parts[3])
    default: return nil
    }
  }

  /// Seconds since 1970 of a moment in UTC; nil where a part is out of its range.
  public static func epochSeconds(
    year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
  ) -> Int? {
    let date = CalendarDay(year: year, month: month, day: day)
    guard (0...9999).contains(year), date.isReal, (0..<24).contains(hour),
      (0..<60).contains(minute), (0...60).contains(second)
    else { return nil }
    return date.number * 86_400 + hour * 3600 + minute * 60 + second
  }

  /// Seconds that `Retry-After` asks to wait; nil where it cannot be read.
  ///
  /// - Parameters:
  ///   - text: the field's value: seconds, or a date.
  ///   - now: seconds since 1970 on the clock that a date is meant by.
  public static func retryAfter(_ text: String, now: Double) -> Double? {
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Double(text)
    }
    return epochSeconds(parsing: text).map { max(0, Double($0) - now) }
  }

  private static func isZone(_ text: Substring) -> Bool { text == "GMT" || text == "UTC" }

  private static func epochSeconds(
    _ day: Substring, _ month: Substring, _ year: Int?, _ time: Substring
  ) -> Int? {
    guard let month = months.firstIndex(of: String(month)), let day = number(day, digits: 1...2),
      let year
    else { return nil }
    let clock = time.split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count == 3, let hour = number(clock[0], digits: 2...2),
      let minute = number(clock[1], digits: 2...2), let second = number(clock[2], digits: 2...2)
    else { return nil }
    return epochSeconds(
      year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
  }

  private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
    guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int(text)
  }
}
