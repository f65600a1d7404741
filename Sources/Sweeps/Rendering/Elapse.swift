/// Elapse limits: seconds, `2h`, `1h30m`, `02:00:00`.
public enum Elapse {
  /// The longest limit that is taken: a year.
  static let longest = 365 * 86_400

  /// Seconds of a text: digits alone are seconds; `d h m s` after digits are units in falling order;
  /// colons separate hours, minutes and seconds, as PJM writes them. Nil for anything else, zero
  /// and more than a year.
  public static func seconds(_ text: String) -> Int? {
    let total = text.contains(":") ? colons(text) : units(text)
    guard let total, (1...longest).contains(total) else { return nil }
    return total
  }

  /// PJM's text: `HH:MM:SS`.
  public static func text(_ seconds: Int) -> String {
    [seconds / 3600, seconds / 60 % 60, seconds % 60]
      .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  /// For people: `10 min`, `2 h`, `90 s`.
  public static func spoken(_ seconds: Int) -> String {
    if seconds % 3600 == 0 { return "\(seconds / 3600) h" }
    return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
  }

  private static func colons(_ text: String) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count) else { return nil }
    var total = 0
    for part in parts {
      guard let number = number(part) else { return nil }
      total = total * 60 + number
    }
    return total
  }

  private static func units(_ text: String) -> Int? {
    let lengths: [(Character, Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
    var rest = text[...]
    var next = 0
    var total = 0
    repeat {
      let digits = rest.prefix { "0123456789".contains($0) }
      guard let count = number(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      guard let unit = rest.popFirst() else { return next == 0 ? count : nil }
      guard let position = lengths[next...].firstIndex(where: { $0.0 == unit }) else { return nil }
      total += count * lengths[position].1
      next = position + 1
    } while !rest.isEmpty
    return total
  }

  private static func number(_ digits: Substring) -> Int? {
    guard (1...9).contains(digits.count), digits.allSatisfy({ "0123456789".contains($0) }) else {
      return nil
    }
    return Int(digits)
  }
}
