/// Why a journal cannot be used; `description` says what happened and what to do.
public enum JournalError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, or its folder, cannot be opened: SQLite's or the system's reason.
  case cannotOpen(path: String, reason: String)
  /// There is no such journal.
  case missing(path: String)
  /// The file is no journal of hpc.
  case foreign(path: String)
  /// The file is damaged.
  case corrupt(path: String, reason: String)
  /// Written by a newer hpc.
  case newer(path: String, version: Int, known: Int)
  /// No space is left; nothing was lost.
  case full(path: String)
  /// Another process runs it.
  case busy(path: String, owner: JournalOwner)
  /// Another process has written it while this one ran it, or it is no longer where it was.
  case overtaken(path: String, reason: String)
  /// It belongs to another endpoint or account.
  case otherService(path: String, JournalService, not: JournalService)
  /// A write would have broken a rule of the protocol: a fault of this program.
  case broken(path: String, rule: String)
  /// Reading or writing failed.
  case failed(path: String, reason: String)

  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason): return "cannot open the journal \(path): \(reason)"
    case .missing(let path): return "there is no journal \(path)"
    case .foreign(let path):
      return "\(path) is no journal of hpc: give the sweep another name, or move the file away"
    case .corrupt(let path, let reason):
      return
        "the journal \(path) is damaged (\(reason)). Nothing was written to it. What can be read "
        + "is saved by: sqlite3 '\(path)' .dump | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 "
        + "'\(path).new'; docs/sweeps.md says how to go on with that. Or start the sweep under "
        + "another name"
    case .newer(let path, let version, let known):
      return "the journal \(path) was written by a newer hpc (schema \(version), this one knows "
        + "\(known)): use that hpc. Nothing was changed"
    case .full(let path):
      return "no space left for the journal \(path). Nothing is lost: what is durable is durable, "
        + "and nothing further was submitted. Make room and run the sweep again"
    case .busy(let path, let owner): return "\(path) is being run by \(owner)"
    case .overtaken(let path, let reason):
      return "\(path) \(reason): this run stops. Nothing is lost; run it again, in one place"
    case .otherService(let path, let own, let other):
      return own.difference(from: other, path: path)
    case .broken(let path, let rule):
      return "the journal \(path) refused a write that breaks the protocol: \(rule). Nothing was "
        + "written; this is a fault of hpc, please report it"
    case .failed(let path, let reason): return "the journal \(path) failed: \(reason)"
    }
  }
}

/// Where jobs of a journal are: two machines' jobs must not be mixed.
public struct JournalService: Sendable, Hashable, CustomStringConvertible {
  public var endpoint: String
  /// Masked access key id, such as `AK…7Q`.
  public var account: String
  /// Digest of endpoint and access key id, which tells keys apart that look alike; nil where it is
  /// not known.
  public var fingerprint: String?
  /// `bucket/prefix`, where the sweep's files are; nil where it is not known.
  public var bucket: String?

  public init(
    endpoint: String, account: String, fingerprint: String? = nil, bucket: String? = nil
  ) {
    self.endpoint = endpoint
    self.account = account
    self.fingerprint = fingerprint
    self.bucket = bucket
  }

  public var description: String { "\(endpoint) as \(account)" }

  /// True where nothing that both know differs.
  public func isSame(as other: JournalService) -> Bool {
    func agree(_ a: String?, _ b: String?) -> Bool { a == nil || b == nil || a == b }
    return endpoint == other.endpoint && account == other.account
      && agree(fingerprint, other.fingerprint) && agree(bucket, other.bucket)
  }

  /// What differs, and what to do.
  func difference(from other: JournalService, path: String) -> String {
    if endpoint != other.endpoint || account != other.account {
      return "\(path) belongs to \(self), not to \(other). Use another name, or connect to its own "
        + "endpoint"
    }
    if let fingerprint, let own = other.fingerprint, fingerprint != own {
      return "\(path) belongs to another access key of \(endpoint), which looks like this one "
        + "(\(account)). Use another name, or the key that it was begun with"
    }
    return "\(path) keeps its files in the bucket \(bucket ?? "?"), not in \(other.bucket ?? "?"). "
      + "Use another name, or set HPC_BUCKET and HPC_STORAGE_PREFIX as they were"
  }
}

/// The process that runs a journal.
public struct JournalOwner: Sendable, Hashable, CustomStringConvertible {
  public var pid: Int32
  public var host: String
  /// Seconds since 1970.
  public var since: Int64

  public init(pid: Int32, host: String, since: Int64) {
    self.pid = pid
    self.host = host
    self.since = since
  }

  public var description: String {
    "pid \(pid) on \(host) since \(LocalTime.clock(since))"
  }
}
