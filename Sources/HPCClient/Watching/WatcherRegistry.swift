import HTTP
import SigV4
import Synchronization

/// The pollers of a process and what it has seen of jobs, one of each per endpoint and account; they
/// live as long as a client does.
public final class WatcherRegistry: Sendable {
  /// The one of this process.
  public static let shared = WatcherRegistry()

  private struct Key: Hashable {
    var endpoint: String
    var accessKeyID: String

    init(_ configuration: HPCClient.Configuration) {
      endpoint = configuration.endpoint.description
      accessKeyID = configuration.credentials.accessKeyID
    }
  }

  private struct Entry {
    weak var watcher: JobWatcher?
    weak var memory: JobMemory?
  }

  private let entries = Mutex<[Key: Entry]>([:])

  public init() {}

  func watcher(for client: HPCClient) -> JobWatcher {
    // Made outside of the lock: a client asks for its memory.
    let made = JobWatcher(client.twin())
    return entries.withLock { entries in
      let key = Key(client.configuration)
      if let watcher = entries[key]?.watcher { return watcher }
      entries[key, default: Entry()].watcher = made
      return made
    }
  }

  func memory(for configuration: HPCClient.Configuration) -> JobMemory {
    entries.withLock { entries in
      let key = Key(configuration)
      if let memory = entries[key]?.memory { return memory }
      let made = JobMemory(
        patience: .seconds(120) / configuration.clockRate,
        account: entries.values.count { $0.memory != nil } + 1)
      entries[key, default: Entry()].memory = made
      return made
    }
  }
}
