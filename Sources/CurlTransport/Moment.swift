import Glibc

/// A point on the monotonic clock, in eight bytes.
///
/// `ContinuousClock.Instant` is a type of a resilient library: enums and structs that hold one are
/// laid out and copied by functions at run time, which made up most of the governor's work.
struct Moment: Hashable, Comparable {
  var nanoseconds: Int64

  static var now: Moment {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Moment(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  static func < (a: Moment, b: Moment) -> Bool { a.nanoseconds < b.nanoseconds }
  static func + (a: Moment, b: Span) -> Moment {
    Moment(nanoseconds: a.nanoseconds + b.nanoseconds)
  }
  static func - (a: Moment, b: Moment) -> Span {
    Span(nanoseconds: a.nanoseconds - b.nanoseconds)
  }
}

/// A time between two moments, in eight bytes: see ``Moment``.
struct Span: Hashable, Comparable {
  var nanoseconds: Int64

  static let zero = Span(nanoseconds: 0)
  static func milliseconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000) }
  static func seconds(_ count: Int64) -> Span { Span(nanoseconds: count * 1_000_000_000) }

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The same time, at most ten years.
  init(_ duration: Duration) {
    let bounded = min(max(duration, .seconds(-315_360_000)), .seconds(315_360_000))
    let (seconds, attoseconds) = bounded.components
    nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  static func < (a: Span, b: Span) -> Bool { a.nanoseconds < b.nanoseconds }
  static func / (a: Span, b: Int) -> Span { Span(nanoseconds: a.nanoseconds / Int64(b)) }

  var duration: Duration { .nanoseconds(nanoseconds) }

  /// Whole milliseconds, rounded up, so that a wait never ends early.
  var milliseconds: Int64 { (max(0, nanoseconds) + 999_999) / 1_000_000 }
}
