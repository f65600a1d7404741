import FoundationEssentials
import HTTP

/// A moment as signatures write it: `YYYYMMDDTHHMMSSZ`, by civil arithmetic on the proleptic
/// Gregorian calendar, without a formatter.
struct SigningTime: Sendable, Equatable {
  /// Days since 1970-01-01.
  let day: Int
  /// Sixteen ASCII bytes.
  let stamp: [UInt8]

  /// The first eight bytes: the day.
  var date: ArraySlice<UInt8> { stamp[..<8] }

  private static let earliest = -62_135_596_800.0  // 0001-01-01
  private static let latest = 253_402_300_799.0  // 9999-12-31T23:59:59

  /// Rounds down to whole seconds; what lies outside the years 1 to 9999 becomes the nearest there.
  init(epochSeconds: Double) {
    let bounded =
      epochSeconds.isNaN ? 0 : min(max(epochSeconds, Self.earliest), Self.latest)
    let seconds = Int(bounded.rounded(.down))
    let (day, second) = Self.floorDivide(seconds, 86_400)
    let civil = CalendarDay(number: day)
    var stamp: [UInt8] = []
    stamp.reserveCapacity(16)
    Self.append(civil.year, digits: 4, to: &stamp)
    Self.append(civil.month, digits: 2, to: &stamp)
    Self.append(civil.day, digits: 2, to: &stamp)
    stamp.append(UInt8(ascii: "T"))
    Self.append(second / 3600, digits: 2, to: &stamp)
    Self.append(second / 60 % 60, digits: 2, to: &stamp)
    Self.append(second % 60, digits: 2, to: &stamp)
    stamp.append(UInt8(ascii: "Z"))
    self.day = day
    self.stamp = stamp
  }

  init(_ date: Date) {
    self.init(epochSeconds: date.timeIntervalSince1970)
  }

  /// Seconds since 1970 of a text `YYYYMMDDTHHMMSSZ`; nil for anything else.
  static func epochSeconds(parsing text: some StringProtocol) -> Double? {
    let bytes = Array(text.utf8)
    guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else {
      return nil
    }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in bytes[range] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
      let hour = number(9..<11), let minute = number(11..<13), let second = number(13..<15),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    return Double(
      CalendarDay(year: year, month: month, day: day).number * 86_400 + hour * 3600 + minute * 60
        + second)
  }

  private static func floorDivide(_ a: Int, _ b: Int) -> (quotient: Int, remainder: Int) {
    let remainder = a % b
    return remainder < 0 ? (a / b - 1, remainder + b) : (a / b, remainder)
  }

  private static func append(_ number: Int, digits: Int, to output: inout [UInt8]) {
    var divisor = digits == 4 ? 1000 : 10
    while divisor > 0 {
      output.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}
