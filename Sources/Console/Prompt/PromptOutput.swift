import Synchronization

/// Tells a prompt that another thread has written something that is to be shown above it.
public enum PromptOutput {
  private static let wake = Mutex<(@Sendable () -> Void)?>(nil)

  /// Whether a prompt is up that shows above it what is written.
  public static var isPromptUp: Bool { wake.withLock { $0 != nil } }

  /// To be called after writing to stdout or stderr beside the loop.
  public static func didWrite() {
    let wake = wake.withLock { $0 }
    wake?()
  }

  /// Sets what wakes the prompt.
  static func onWrite(_ action: (@Sendable () -> Void)?) { wake.withLock { $0 = action } }
}
