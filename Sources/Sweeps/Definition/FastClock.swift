/// A simulator's clock that runs faster than the wall's: programs there take the time that they
/// take, and limits come sooner.
public struct FastClock: Sendable, CustomStringConvertible {
  private let rate: Double

  /// Nil for a clock like ours.
  public init?(rate: Double) {
    guard rate > 1 else { return nil }
    self.rate = rate
  }

  public var description: String {
    "the simulator's clock runs \(Self.number(rate)) times faster than its programs"
  }

  /// `10 min are 10 s here`
  ///
  /// - Parameter seconds: of an elapse limit.
  func limit(_ seconds: Int) -> String {
    "\(Elapse.spoken(seconds)) are \(Self.number(Double(seconds) / rate)) s here"
  }

  private static func number(_ value: Double) -> String {
    let rounded = (value * 10).rounded() / 10
    return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
  }
}
