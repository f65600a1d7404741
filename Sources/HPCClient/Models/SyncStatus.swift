/// Which way a file synchronisation copies.
public enum SyncDirection: String, Sendable, Hashable, CaseIterable {
  /// From the home on the machine into the bucket.
  case toOnline = "to_online"
  /// From the bucket into the home on the machine: what the service does when nothing is said.
  case fromOnline = "from_online"
}

/// Where a file synchronisation stands (`api.md`, Quirks: prefixes are matched).
public enum SyncStatus: Sendable, Hashable {
  case waiting
  /// Ended; `"0"` is success.
  case complete(result: String?)
  /// What follows `error:`.
  case error(String)
  /// A status that is not known here, as it came.
  case other(String)

  /// Reads the two fields of the answer.
  public init(status: String, result: String?) {
    if status.hasPrefix("waiting") {
      self = .waiting
    } else if status.hasPrefix("complete") {
      self = .complete(result: result)
    } else if status.hasPrefix("error") {
      let rest = status.dropFirst("error".count).drop { $0 == ":" || $0 == " " }
      self = .error(String(rest))
    } else {
      self = .other(status)
    }
  }

  /// Whether everything was copied.
  public var isSuccess: Bool { self == .complete(result: "0") }

  /// Whether nothing more will happen.
  public var isOver: Bool {
    switch self {
    case .complete, .error: true
    case .waiting, .other: false
    }
  }
}
