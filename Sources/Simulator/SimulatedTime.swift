import HTTP

/// A moment of the machine's own clock, which runs `speed` times as fast as the real one.
struct SimulatedTime: Sendable, Hashable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z.
  var seconds: Double

  static func < (a: SimulatedTime, b: SimulatedTime) -> Bool { a.seconds < b.seconds }

  static func + (time: SimulatedTime, duration: Duration) -> SimulatedTime {
    SimulatedTime(seconds: time.seconds + duration / .seconds(1))
  }

  static func - (later: SimulatedTime, earlier: SimulatedTime) -> Duration {
    .seconds(later.seconds - earlier.seconds)
  }
}

extension SimulatedTime {
  /// The machine is in Japan, and its dates have no zone (`api.md`, upstream).
  static let machineOffset = 9 * 3_600

  /// `2021-04-12T11:25:00`, in the machine's zone.
  var machineDate: String {
    let date = CivilDate(epochSeconds: Int(seconds.rounded(.down)) + Self.machineOffset)
    return "\(date.isoDay)T\(two(date.hour)):\(two(date.minute)):\(two(date.second))"
  }
}

/// Date and time of day in the Gregorian calendar.
struct CivilDate: Hashable {
  var date: CalendarDay
  var hour: Int
  var minute: Int
  var second: Int
  /// 0 is Sunday.
  var weekday: Int

  init(epochSeconds: Int) {
    let days = Int((Double(epochSeconds) / 86_400).rounded(.down))
    let rest = epochSeconds - days * 86_400
    date = CalendarDay(number: days)
    hour = rest / 3_600
    minute = rest / 60 % 60
    second = rest % 60
    weekday = ((days + 4) % 7 + 7) % 7
  }

  /// RFC 9110 §5.6.7, as the `Date` header wants it.
  var httpDate: String {
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    return "\(days[weekday]), \(two(date.day)) \(months[date.month - 1]) \(date.year)"
      + " \(two(hour)):\(two(minute)):\(two(second)) GMT"
  }

  /// `2021-04-12`
  var isoDay: String { "\(date.year)-\(two(date.month))-\(two(date.day))" }

  /// `2021-04-12T11:25:00.000Z`, as the bucket writes dates.
  var isoDate: String {
    "\(isoDay)T\(two(hour)):\(two(minute)):\(two(second)).000Z"
  }
}

/// A number with at least two digits.
func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// PJM's spelling of a duration: `HHHH:MM:SS`, fractions cut.
func pjmDuration(_ duration: Duration) -> String {
  let seconds = max(0, Int(duration.components.seconds))
  let hours = String(seconds / 3_600)
  return String(repeating: "0", count: max(0, 4 - hours.count)) + hours
    + ":\(two(seconds / 60 % 60)):\(two(seconds % 60))"
}
