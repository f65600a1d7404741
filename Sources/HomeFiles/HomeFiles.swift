public import HPCClient
public import ObjectStore

/// Files between this computer and the home on the machine: through the bucket, by syncs that are
/// waited for (`api.md`, Online Object Storage).
///
/// The service syncs folders, so that a file takes the folder that it lies in along.
public struct HomeFiles: Sendable {
  /// What is going on, for a display.
  public enum Step: Sendable, Hashable {
    /// Files move between here and the bucket.
    case moving(TransferProgress)
    /// The machine copies between bucket and home.
    case syncing(path: String, SyncDirection)
    /// Something that the user should know of, to be kept on the screen.
    case notice(String)
  }

  /// How a transfer is made.
  public struct Options: Sendable {
    /// Only files whose path fits one of these; all where there are none.
    public var only: [Glob]
    /// Goes on where something else could be overwritten on the machine.
    public var force: Bool
    /// Told of every step, from any thread; must not block.
    public var tell: (@Sendable (Step) -> Void)?

    public init(
      only: [Glob] = [], force: Bool = false, tell: (@Sendable (Step) -> Void)? = nil
    ) {
      self.only = only
      self.force = force
      self.tell = tell
    }

    var transfer: TransferOptions {
      var options = TransferOptions(only: only)
      if let tell { options.progress = { tell(.moving($0)) } }
      return options
    }
  }

  let client: HPCClient
  let store: ObjectStore
  /// What keys begin with that stand for files in home (HPC_STORAGE_PREFIX).
  let prefix: String

  /// - Parameters:
  ///   - client: starts the syncs.
  ///   - store: the bucket that they copy from and to.
  ///   - prefix: what the bucket's keys begin with before a path in home.
  public init(client: HPCClient, store: ObjectStore, prefix: String) {
    self.client = client
    self.store = store
    self.prefix = prefix
  }

  /// The key of a file in home; of home itself, what all keys begin with.
  func key(_ path: HomePath) -> String {
    prefix + path.components.joined(separator: "/")
  }

  /// Runs with a path of the home held for syncs of one direction or both.
  func claiming<Value: Sendable>(
    _ path: HomePath, _ use: SyncGate.Use,
    _ body: (SyncClaim) async throws(HPCError) -> Value
  ) async throws(HPCError) -> Value {
    let claim = try await client.claimPath(path, for: use)
    defer { claim.release() }
    return try await body(claim)
  }

  func sync(
    _ claim: SyncClaim, _ direction: SyncDirection, _ options: Options
  ) async throws(HPCError) -> SyncID {
    options.tell?(.syncing(path: claim.path.description, direction))
    return try await client.sync(claim, direction)
  }

  /// Runs work with the bucket, its errors as the client's.
  func inBucket<Value: Sendable>(
    _ body: () async throws(ObjectStoreError) -> Value
  ) async throws(HPCError) -> Value {
    do throws(ObjectStoreError) {
      return try await body()
    } catch {
      throw HPCError(error)
    }
  }
}

/// What a push or a pull did.
public struct HomeReport: Sendable {
  /// Path of the file or folder in home.
  public var remote: String
  /// The file or folder here.
  public var local: String
  /// The last sync; nil where there was nothing to send.
  public var sync: SyncID?
  /// A row for each file.
  public var transfer: TransferReport

  public init(remote: String, local: String, sync: SyncID?, transfer: TransferReport) {
    self.remote = remote
    self.local = local
    self.sync = sync
    self.transfer = transfer
  }
}
