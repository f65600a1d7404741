/// `mantissa` × 10^`exponent`, exactly: what a user wrote as `0.1` is 1 × 10^-1 here.
///
/// Steps of a range are added in this form, so that the value 1.2 of `range(1, 3, 0.1)` is the
/// double that the text `1.2` means and not 1.2000000000000002.
struct ExactDecimal: Equatable {
  var mantissa: Int128
  var exponent: Int

  init(mantissa: Int128, exponent: Int) {
    self.mantissa = mantissa
    self.exponent = exponent
  }

  /// The shortest decimal that reads back as `value`; nil unless it is finite.
  init?(_ value: Double) {
    guard value.isFinite else { return nil }
    var digits = ""
    var exponent = 0
    var afterPoint = false
    var text = Substring(value.description)
    if let e = text.firstIndex(of: "e") {
      guard let scale = Int(text[text.index(after: e)...]) else { return nil }
      exponent = scale
      text = text[..<e]
    }
    for character in text {
      if character == "." {
        afterPoint = true
      } else {
        digits.append(character)
        if afterPoint { exponent -= 1 }
      }
    }
    guard let mantissa = Int128(digits) else { return nil }
    self.init(mantissa: mantissa, exponent: exponent)
  }

  /// The double that is nearest.
  var double: Double? { Double("\(mantissa)e\(exponent)") }

  /// `self` × `factor`; nil where 128 bits are too few.
  func scaled(by factor: Int) -> ExactDecimal? {
    let (product, overflow) = mantissa.multipliedReportingOverflow(by: Int128(factor))
    return overflow ? nil : ExactDecimal(mantissa: product, exponent: exponent)
  }

  /// The sum; nil where 128 bits are too few.
  func adding(_ other: ExactDecimal) -> ExactDecimal? {
    guard let (a, b, exponent) = Self.aligned(self, other) else { return nil }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : ExactDecimal(mantissa: sum, exponent: exponent)
  }

  /// How often `step` fits between `self` and `end`: floor((end - self) ÷ step), with both
  /// mantissas over one exponent; nil where 128 bits are too few.
  func steps(to end: ExactDecimal, by step: ExactDecimal) -> Int128? {
    let negated = ExactDecimal(mantissa: -mantissa, exponent: exponent)
    guard let span = end.adding(negated),
      let (a, b, _) = Self.aligned(span, step), b != 0
    else { return nil }
    let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    return remainder != 0 && (remainder < 0) != (b < 0) ? quotient - 1 : quotient
  }

  private static func aligned(_ a: ExactDecimal, _ b: ExactDecimal) -> (Int128, Int128, Int)? {
    if a.mantissa == 0 { return (0, b.mantissa, b.exponent) }
    if b.mantissa == 0 { return (a.mantissa, 0, a.exponent) }
    let exponent = min(a.exponent, b.exponent)
    guard let x = raised(a.mantissa, by: a.exponent - exponent),
      let y = raised(b.mantissa, by: b.exponent - exponent)
    else { return nil }
    return (x, y, exponent)
  }

  private static func raised(_ mantissa: Int128, by power: Int) -> Int128? {
    guard power <= 38 else { return nil }
    var result = mantissa
    for _ in 0..<power {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = product
    }
    return result
  }
}
