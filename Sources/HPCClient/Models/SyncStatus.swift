public import JSON

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

/// One synchronisation as the service described it: every field that it sent, known or not.
public struct SyncRecord: Sendable, Hashable {
  public var id: SyncID
  /// The wire's members in their order.
  public var fields: [JSONValue.Member]
  /// Where it stands; nil where the answer does not say so, as the one that starts it.
  public var status: SyncStatus?

  /// Wraps the members of an answer.
  public init(_ id: SyncID, fields: [JSONValue.Member]) {
    self.id = id
    self.fields = fields
    let result = fields.last { $0.key == "result" }?.value
    status = fields.last { $0.key == "status" }?.value.string.map {
      SyncStatus(status: $0, result: result?.string ?? result?.int.map(String.init))
    }
  }
}
