/// A format for one number, as C and Lua write it: `%` flags width `.`precision conversion.
struct ValueFormat: Sendable, Hashable, CustomStringConvertible {
  let description: String
  private let prefix: String
  private let conversion: Character

  /// Reads a format; nil where it is none: flags of `-+ #0`, at most two digits each of width and
  /// precision, and one of `d i o x X u f F e E g G a A`.
  init?(_ text: Substring) {
    guard text.first == "%", let conversion = text.last, text.count >= 2 else { return nil }
    guard "dioxXufFeEgGaA".contains(conversion) else { return nil }
    var rest = text.dropFirst().dropLast()
    rest = rest.drop { "-+ #0".contains($0) }
    let width = rest.prefix { "0123456789".contains($0) }
    rest = rest.dropFirst(width.count)
    guard width.count <= 2 else { return nil }
    if rest.first == "." {
      let precision = rest.dropFirst()
      guard precision.count <= 2, precision.allSatisfy({ "0123456789".contains($0) }) else {
        return nil
      }
    } else if !rest.isEmpty {
      return nil
    }
    description = String(text)
    prefix = String(text.dropLast())
    self.conversion = conversion
  }

  /// The formatted number; nil for what is no number, and for integer conversions of doubles that
  /// are not whole.
  func text(_ value: ParameterValue) -> String? {
    if "dioxXu".contains(conversion) {
      guard case .integer(let number) = value.canonical else { return nil }
      return NumberFormat.text(number, "\(prefix)ll\(conversion)")
    }
    switch value {
    case .integer(let number): return NumberFormat.text(Double(number), description)
    case .double(let number): return NumberFormat.text(number, description)
    case .string, .boolean: return nil
    }
  }
}
