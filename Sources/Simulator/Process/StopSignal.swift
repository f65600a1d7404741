/// Says once that everything is to end, and wakes whoever waits.
final class StopSignal: Sendable {
  private let wakeup: Wakeup

  init() throws(FileFailure) {
    wakeup = try Wakeup()
  }

  func stop() {
    wakeup.signal()
  }

  /// Waits in this thread.
  ///
  /// - Returns: false where everything is to end, at once then.
  func pause(_ duration: Duration) -> Bool {
    !wakeup.wait(duration)
  }
}
