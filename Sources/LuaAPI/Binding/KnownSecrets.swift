import HPCClient
import SigV4
import Synchronization

/// The secrets of this process's connections, so that none is written where it would stay.
public final class KnownSecrets: Sendable {
  private let known = Mutex<Set<String>>([])

  /// All of them.
  public var all: Set<String> { known.withLock { $0 } }

  /// Remembers those of one connection.
  func note(_ settings: Settings) {
    for keys in [try? settings.credentials(), try? settings.storageCredentials()] {
      guard let keys else { continue }
      known.withLock { known in
        known.insert(keys.secretAccessKey)
        if let token = keys.sessionToken { known.insert(token) }
      }
    }
  }
}
