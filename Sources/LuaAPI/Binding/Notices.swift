import Synchronization

/// What a user has been told once and need not read again, by whatever connection.
final class Notices: Sendable {
  private let told = Mutex<Set<String>>([])

  /// Whether a text is to be shown: not a second time.
  func isNew(_ text: String) -> Bool { told.withLock { $0.insert(text).inserted } }
}
