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
    let a = try number(start, "range")
    let b = try number(end, "range")
    let step = try number(step, "range")
    guard step != 0 else { throw .series("range: the step must not be zero") }
    guard let from = ExactDecimal(a), let to = ExactDecimal(b), let by = ExactDecimal(step) else {
      throw .series("range: \(a) to \(b) by \(step) is no range of finite numbers")
    }
    guard let steps = from.steps(to: to, by: by) ?? Int128(exactly: ((b - a) / step).rounded(.down))
    else { throw .series("range: \(a) to \(b) by \(step) has too many values") }
    guard steps < limit else { throw .series("range: \(steps) values; at most \(limit)") }
    guard steps >= 0 else { return [] }
    return (0...Int(steps)).map { i in
      computed(by.scaled(by: i)?.adding(from)?.double ?? a + Double(i) * step)
    }
  }

  /// `count` (at least 1) values from `start` to `end`, equally far apart; one value is `start`.
  public static func linspace(
    _ start: ParameterValue, _ end: ParameterValue, count: Int
  ) throws(SpaceError) -> [ParameterValue] {
    let a = try number(start, "linspace")
    let b = try number(end, "linspace")
    try check(count, "linspace")
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
    let a = try number(start, "logspace")
    let b = try number(end, "logspace")
    guard a > 0, b > 0 else {
      throw .series("logspace takes its end values, above zero: \(start) and \(end) are not")
    }
    try check(count, "logspace")
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

  private static func check(_ count: Int, _ name: String) throws(SpaceError) {
    guard (1...limit).contains(count) else {
      throw .series("\(name): the number of values must be from 1 to \(limit), not \(count)")
    }
  }

  private static func number(
    _ value: ParameterValue, _ name: String
  ) throws(SpaceError) -> Double {
    switch value {
    case .integer(let value): return Double(value)
    case .double(let value) where value.isFinite: return value
    default: throw .series("\(name): \"\(value)\" is no finite number")
    }
  }
}
