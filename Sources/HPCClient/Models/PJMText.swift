import HTTP

/// Reads the texts in which PJM writes times and nodes; nil for all that does not parse, `-` among
/// it (`api.md`: every field is an optional string).
public enum PJMText {
  /// Seconds of `HHHH:MM:SS`, any number of hours.
  public static func seconds(_ text: String) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let hours = number(parts[0], digits: 1...9),
      let minutes = number(parts[1], digits: 2...2), minutes < 60,
      let seconds = number(parts[2], digits: 2...2), seconds < 60
    else { return nil }
    return hours * 3600 + minutes * 60 + seconds
  }

  /// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SS`; without a zone it is the machine's, +09:00.
  public static func epoch(_ text: String) -> Double? {
    var rest = Substring(text)
    var offset = 9 * 3600
    if rest.hasSuffix("Z") {
      rest = rest.dropLast()
      offset = 0
    } else if rest.count > 19, let zone = zoneOffset(rest.suffix(6)) {
      rest = rest.dropLast(6)
      offset = zone
    }
    let halves = rest.split(
      maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { $0 == "T" || $0 == " " })
    guard halves.count == 2 else { return nil }
    let date = halves[0].split(separator: "-", omittingEmptySubsequences: false)
    let time = halves[1].prefix { $0 != "." }.split(
      separator: ":", omittingEmptySubsequences: false)
    guard date.count == 3, time.count == 3, let year = number(date[0], digits: 4...4),
      let month = number(date[1], digits: 2...2), (1...12).contains(month),
      let day = number(date[2], digits: 2...2), (1...31).contains(day),
      let hour = number(time[0], digits: 2...2), hour < 24,
      let minute = number(time[1], digits: 2...2), minute < 60,
      let second = number(time[2], digits: 2...2), second < 61
    else { return nil }
    let days = CalendarDay(year: year, month: month, day: day).number
    return Double(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
  }

  /// Number of nodes in `12` or `12:2x3x2`.
  public static func nodes(_ text: String) -> Int? {
    number(text.prefix { $0 != ":" }, digits: 1...9)
  }

  /// A code or a priority: decimal, a sign allowed.
  public static func integer(_ text: String) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2d } ? Int(text) : nil
  }

  private static func zoneOffset(_ text: Substring) -> Int? {
    guard text.count == 6, let sign = text.first, sign == "+" || sign == "-" else { return nil }
    let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let hours = number(parts[0], digits: 2...2), hours < 24,
      let minutes = number(parts[1], digits: 2...2), minutes < 60
    else { return nil }
    return (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
  }

  private static func number(_ text: some StringProtocol, digits: ClosedRange<Int>) -> Int? {
    guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int(text)
  }
}
