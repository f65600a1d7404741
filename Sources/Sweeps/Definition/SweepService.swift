public import HPCClient
import HTTP
public import ObjectStore
import SigV4

/// The service that a sweep's jobs run on: API, bucket, and what is to be known of both.
public struct SweepService: Sendable {
  public var client: HPCClient
  public var store: ObjectStore
  /// What stands before a path's keys in the bucket.
  public var storagePrefix: String
  /// Connections to the API, all together.
  public var connections: Int
  /// True for the simulator that runs inside this process: journals of it are throwaway.
  public var isSimulated: Bool

  public init(
    client: HPCClient, store: ObjectStore, storagePrefix: String = "", connections: Int = 10,
    isSimulated: Bool = false
  ) {
    self.client = client
    self.store = store
    self.storagePrefix = storagePrefix
    self.connections = connections
    self.isSimulated = isSimulated
  }

  /// Endpoint, account and bucket, as the journal notes them.
  public var identity: JournalService {
    let endpoint = client.configuration.endpoint.origin
    let credentials = client.configuration.credentials
    return JournalService(
      endpoint: endpoint, account: credentials.maskedAccessKeyID,
      fingerprint: SHA256.hexadecimal(of: Array("\(endpoint) \(credentials.accessKeyID)".utf8)),
      bucket: "\(store.configuration.bucket)/\(storagePrefix)")
  }

  /// How much faster than the wall clock jobs run there.
  public var clockRate: Double { client.configuration.clockRate }
}

/// What happens during a run, for a log above the progress line.
public enum SweepNews: Sendable, Hashable {
  case settled(SweepRow)
  /// Something to read once.
  case note(String)
}
