#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Series of numbers: ends included, computed values rounded to 15 significant digits, whole ones
/// made integers (`lua-api.md`, Numbers).
public enum Series {
  /// The most values that a series may have; it is held whole.
  public static let limit = 10_000_000

  /// `start`, `start + step`, … up to and including `end` where a step falls on it.
  ///
  /// The step is not zero, and negative to count down. A range that points away from its end is
  /// empty.
  public static func range(
    _ start: ParameterValue, _ end: ParameterValue, by step: ParameterValue = .integer(1)
  ) throws(SpaceError) -> [ParameterValue] {
    let a = try number(start, 1)
    let b = try number(end, 2)
    let width = try number(step, 3)
    guard width != 0 else { throw .series(argument: 3, "the step must not be zero") }
    if case .integer(let from) = start, case .integer(let to) = end, case .integer(let by) = step {
      let steps = (Int128(to) - Int128(from)) / Int128(by)
      try check(steps)
      let isAway = (to < from) != (by < 0) && to != from
      return isAway ? [] : (0...steps).map { .integer(Int64(Int128(from) + $0 * Int128(by))) }
    }
    guard let from = ExactDecimal(a), let to = ExactDecimal(b), let by = ExactDecimal(width) else {
      throw .series(argument: 1, "\(a) to \(b) by \(width) is no range of finite numbers")
    }
    guard
      let steps = from.steps(to: to, by: by) ?? Int128(exactly: ((b - a) / width).rounded(.down))
    else { throw .series(argument: 2, "\(a) to \(b) by \(width) has too many values") }
    try check(steps)
    guard steps >= 0 else { return [] }
    return (0...Int(steps)).map { i in
      computed(by.scaled(by: i)?.adding(from)?.double ?? a + Double(i) * width)
    }
  }

  /// `count` (at least 1) values from `start` to `end`, equally far apart; one value is `start`.
  public static func linspace(
    _ start: ParameterValue, _ end: ParameterValue, count: Int
  ) throws(SpaceError) -> [ParameterValue] {
    let a = try number(start, 1)
    let b = try number(end, 2)
    try check(count)
    return values(start, end, count) { i in
      let last = count - 1
      // The weighted sum is exact in decimals, so that only the division rounds.
      if let left = ExactDecimal(a)?.scaled(by: last - i),
        let right = ExactDecimal(b)?.scaled(by: i),
        let sum = left.adding(right)?.double
      {
        return sum / Double(last)
      }
      let t = Double(i) / Double(last)
      return a * (1 - t) + b * t
    }
  }

  /// `count` (at least 1) values from `start` to `end`, which are the end values themselves and
  /// above zero, each the same factor above the one before; one value is `start`.
  public static func logspace(
    _ start: ParameterValue, _ end: ParameterValue, count: Int
  ) throws(SpaceError) -> [ParameterValue] {
    let a = try number(start, 1)
    let b = try number(end, 2)
    guard a > 0, b > 0 else {
      throw .series(
        argument: a > 0 ? 2 : 1,
        "logspace takes its end values, above zero: \(start) and \(end) are not")
    }
    try check(count)
    let (low, high) = (log10(a), log10(b))
    return values(start, end, count) { i in
      let last = Double(count - 1)
      return pow(10, (low * (last - Double(i)) + high * Double(i)) / last)
    }
  }

  /// A computed value under the number rules.
  static func computed(_ value: Double) -> ParameterValue {
    let rounded = NumberFormat.rounded(value)
    // Beyond 2^53 neighbouring integers share a double, and a digit string would feign precision.
    guard abs(rounded) <= 0x1p53, let whole = Int64(exactly: rounded) else {
      return .double(rounded)
    }
    return .integer(whole)
  }

  private static func values(
    _ start: ParameterValue, _ end: ParameterValue, _ count: Int, _ inner: (Int) -> Double
  ) -> [ParameterValue] {
    (0..<count).map { i in
      if i == 0 { return start.canonical }
      return i == count - 1 ? end.canonical : computed(inner(i))
    }
  }

  private static func check(_ count: Int) throws(SpaceError) {
    guard (1...limit).contains(count) else {
      throw .series(
        argument: 3, "the number of values must be from 1 to \(limit), not \(count)")
    }
  }

  private static func check(_ steps: Int128) throws(SpaceError) {
    guard steps < limit else {
      throw .series(argument: 2, "that makes \(steps + 1) values; at most \(limit)")
    }
  }

  private static func number(
    _ value: ParameterValue, _ argument: Int
  ) throws(SpaceError) -> Double {
    switch value {
    case .integer(let value): return Double(value)
    case .double(let value) where value.isFinite: return value
    default: throw .series(argument: argument, "\"\(value)\" is no finite number")
    }
  }
}
