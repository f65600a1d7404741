import HTTP
import SigV4
import Synchronization

/// The pollers of a process, one per endpoint and account; they live as long as a client does.
public final class WatcherRegistry: Sendable {
  /// The one of this process.
  public static let shared = WatcherRegistry()

  private struct Key: Hashable {
    var endpoint: String
    var accessKeyID: String
  }

  private struct Weak {
    weak var watcher: JobWatcher?
  }

  private let watchers = Mutex<[Key: Weak]>([:])

  public init() {}

  func watcher(for client: HPCClient) -> JobWatcher {
    let configuration = client.configuration
    let key = Key(
      endpoint: configuration.endpoint.description,
      accessKeyID: configuration.credentials.accessKeyID)
    return watchers.withLock { watchers in
      if let watcher = watchers[key]?.watcher { return watcher }
      let watcher = JobWatcher(client.twin())
      watchers[key] = Weak(watcher: watcher)
      return watcher
    }
  }
}
