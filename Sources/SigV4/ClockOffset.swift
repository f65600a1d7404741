import Synchronization

/// How far the server's clock is ahead of this machine's, shared by a client's signers.
///
/// Found out when a signature was refused as expired (design §4), then kept for every later one.
public final class ClockOffset: Sendable {
  private let stored: Mutex<Double>

  public init(seconds: Double = 0) {
    stored = Mutex(seconds)
  }

  /// Seconds to add to the local clock.
  public var seconds: Double {
    get { stored.withLock { $0 } }
    set { stored.withLock { $0 = newValue } }
  }
}
