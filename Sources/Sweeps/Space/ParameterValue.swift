/// One value of a parameter.
public enum ParameterValue: Sendable, Hashable {
  case integer(Int64)
  case double(Double)
  case string(String)
  case boolean(Bool)

  /// The value as it stands in names, scripts and the environment: integers as digits, doubles in
  /// the shortest form that reads back to the same double, booleans as `true` and `false`.
  public var text: String {
    switch self {
    case .integer(let value): String(value)
    case .double(let value): value.description
    case .string(let value): value
    case .boolean(let value): value ? "true" : "false"
    }
  }

  /// The value that stands for all equal ones: a whole double that fits is the integer, as Lua
  /// compares and keys numbers, so that `1.0` finds the point of `1`.
  public var canonical: ParameterValue {
    guard case .double(let value) = self, let whole = Int64(exactly: value) else { return self }
    return .integer(whole)
  }

  /// An unambiguous encoding of ``canonical`` for digests: a tag, a colon, the text.
  public var encoded: String {
    switch canonical {
    case .integer(let value): "i:\(value)"
    case .double(let value): "d:\(value)"
    case .string(let value): "s:\(value.utf8.count):\(value)"
    case .boolean(let value): "b:\(value)"
    }
  }

  /// False for the doubles that no parameter may have: infinities and NaN.
  public var isFinite: Bool {
    if case .double(let value) = self { value.isFinite } else { true }
  }
}

extension ParameterValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral
{
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension ParameterValue: CustomStringConvertible {
  public var description: String { text }
}
