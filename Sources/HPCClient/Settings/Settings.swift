public import HTTP
public import SigV4

/// The effective settings, each with its source (design §6). No secret shows in a description.
public struct Settings: Sendable {
  /// One line of ``entries``.
  public struct Entry: Sendable, Hashable {
    public var key: SettingKey
    /// Secrets are masked; nil where nothing is set.
    public var value: String?
    public var source: SettingSource?
  }

  public var profile: String
  public var endpoint: HTTPURL
  public var scope: SigningScope
  /// Of the API and of the bucket.
  public var region: String { scope.region }
  /// Connections to the endpoint, over all processes of the user: 1 to 10.
  public var maxConnections: Int
  public var retryDeadline: Duration
  public var clockRate: Double
  public var bucket: String?
  public var storageEndpoint: HTTPURL
  /// What keys in the bucket begin with: empty, or ending in the prefix's own characters.
  public var storagePrefix: String
  /// What should be said once, for example that others can read a file with keys.
  public var warnings: [String]
  /// Every setting in the order of ``SettingKey``.
  public var entries: [Entry]

  var found: FoundCredentials
  var foundForStorage: FoundCredentials?

  /// Keys, or the places that were looked at in vain.
  enum FoundCredentials: Sendable {
    case keys(Credentials)
    case none(lookedAt: [String])
  }

  /// The account's keys.
  ///
  /// - Returns: access key and secret.
  /// - Throws: where keys were looked for.
  public func credentials() throws(HPCError) -> Credentials {
    switch found {
    case .keys(let credentials): return credentials
    case .none(let places):
      throw HPCError(
        .noCredentials,
        "no credentials found. Looked at:\n" + places.map { "  \($0)" }.joined(separator: "\n"),
        hint: "\nSet NIFCLOUD_ACCESS_KEY_ID and NIFCLOUD_SECRET_ACCESS_KEY, or write them to one "
          + "of these files. Without an account: hpc --sim runs a simulator.")
    }
  }

  /// The bucket's keys: its own where there are any, else the account's.
  ///
  /// - Returns: access key and secret.
  /// - Throws: where keys were looked for.
  public func storageCredentials() throws(HPCError) -> Credentials {
    if case .keys(let credentials)? = foundForStorage { return credentials }
    return try credentials()
  }

  /// Whether two programs with these would do the same.
  public func isSame(as other: Settings) -> Bool {
    entries == other.entries
      && (try? credentials()) == (try? other.credentials())
      && (try? storageCredentials()) == (try? other.storageCredentials())
  }

  /// Whether requests to a host stay on this machine.
  static func isLoopback(_ host: String) -> Bool {
    if host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}

extension Settings: CustomStringConvertible, CustomReflectable {
  /// One line a setting.
  public var description: String {
    entries.map { entry in
      let source = entry.source.map { "  (\($0))" } ?? ""
      return "\(entry.key.rawValue) = \(entry.value ?? "-")\(source)"
    }.joined(separator: "\n")
  }

  public var customMirror: Mirror {
    Mirror(self, children: entries.map { ($0.key.rawValue, $0.value as Any) })
  }
}

extension HPCClient.Configuration {
  /// A configuration out of resolved settings.
  ///
  /// - Parameters:
  ///   - settings: of one account and endpoint.
  ///   - fileExists: whether a file is there on this computer, for advice.
  ///   - observer: told what happens; called from any thread.
  /// - Throws: where keys were looked for in vain.
  public init(
    _ settings: Settings, fileExists: @escaping @Sendable (String) -> Bool = { _ in false },
    observer: @escaping @Sendable (ClientEvent) -> Void = { _ in }
  ) throws(HPCError) {
    self.init(
      endpoint: settings.endpoint, credentials: try settings.credentials(), scope: settings.scope,
      retry: RetryPolicy(
        deadline: settings.retryDeadline,
        maintenanceDeadline: settings.retryDeadline * RetryPolicy.maintenanceFactor),
      clockRate: settings.clockRate,
      fileExists: fileExists, observer: observer)
  }
}
