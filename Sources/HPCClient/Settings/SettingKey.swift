/// Every setting, by the name it has in `hpc.connect{}`, in `hpc.config` and in config.ini.
public enum SettingKey: String, Sendable, Hashable, CaseIterable {
  case profile
  case endpoint
  case region
  case service
  case accessKeyID = "access_key_id"
  case secretAccessKey = "secret_access_key"
  case sessionToken = "session_token"
  case maxConnections = "max_connections"
  case retryDeadline = "retry_deadline"
  case bucket
  case storageEndpoint = "storage_endpoint"
  case storagePrefix = "storage_prefix"
  case storageAccessKeyID = "storage_access_key_id"
  case storageSecretAccessKey = "storage_secret_access_key"
  case clockRate = "clock_rate"

  /// Environment variables, the first that is set wins; the operator's own are the NIFCLOUD ones.
  public var variables: [String] {
    switch self {
    case .profile: ["NIFCLOUD_PROFILE", "NIFCLOUD_DEFAULT_PROFILE"]
    case .endpoint: ["HPC_ENDPOINT"]
    case .region: ["HPC_REGION", "NIFCLOUD_DEFAULT_REGION"]
    case .service: ["HPC_SERVICE"]
    case .accessKeyID: ["NIFCLOUD_ACCESS_KEY_ID"]
    case .secretAccessKey: ["NIFCLOUD_SECRET_ACCESS_KEY"]
    case .sessionToken: ["NIFCLOUD_SESSION_TOKEN"]
    case .maxConnections: ["HPC_MAX_CONNECTIONS"]
    case .retryDeadline: ["HPC_RETRY_DEADLINE"]
    case .bucket: ["HPC_BUCKET"]
    case .storageEndpoint: ["HPC_STORAGE_ENDPOINT"]
    case .storagePrefix: ["HPC_STORAGE_PREFIX"]
    case .storageAccessKeyID: ["NIFCLOUD_STORAGE_ACCESS_KEY_ID"]
    case .storageSecretAccessKey: ["NIFCLOUD_STORAGE_SECRET_ACCESS_KEY"]
    case .clockRate: ["HPC_CLOCK_RATE"]
    }
  }

  /// The name in the operator's own files, where they know the setting.
  var operatorName: String? {
    switch self {
    case .region: "region"
    case .accessKeyID: "nifcloud_access_key_id"
    case .secretAccessKey: "nifcloud_secret_access_key"
    default: nil
    }
  }

  /// What may be said, for messages.
  public var allowed: String {
    switch self {
    case .profile: "the name of a section in the configuration files"
    case .endpoint, .storageEndpoint: "an address like https://host or http://127.0.0.1:8080"
    case .region, .service: "a name of letters, digits and hyphens, like jp-east-1"
    case .maxConnections: "a whole number from 1 to 10"
    case .retryDeadline: "seconds, 0 to 86400"
    case .clockRate: "a number from 0.001 to 100000; 1 unless the endpoint is on this machine"
    case .bucket: "the name of a bucket: letters, digits, dots and hyphens"
    case .storagePrefix: "the beginning of a key, without control characters"
    case .accessKeyID, .secretAccessKey, .sessionToken, .storageAccessKeyID,
      .storageSecretAccessKey:
      "visible characters"
    }
  }

  /// Whether a value is never shown.
  public var isSecret: Bool {
    switch self {
    case .secretAccessKey, .sessionToken, .storageSecretAccessKey: true
    default: false
    }
  }

  /// The key whose name is most like a text, for "did you mean".
  public static func nearest(to text: String) -> SettingKey? {
    let ranked = allCases.map { ($0, editDistance(text.lowercased(), $0.rawValue)) }
    return ranked.min { $0.1 < $1.1 }.flatMap { $0.1 <= max(2, text.count / 3) ? $0.0 : nil }
  }

  private static func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}

/// Where a setting's value came from.
public enum SettingSource: Sendable, Hashable, CustomStringConvertible {
  /// A program: `hpc.connect{}`.
  case explicit
  /// An option, for example `--endpoint`.
  case commandLine(String)
  case environment(String)
  case file(path: String, line: Int)
  /// Follows from another setting, the region for example.
  case derived(SettingKey)
  case standard

  public var description: String {
    switch self {
    case .explicit: "hpc.connect"
    case .commandLine(let option): option
    case .environment(let name): name
    case .file(let path, let line): "\(path):\(line)"
    case .derived(let key): "from \(key.rawValue)"
    case .standard: "default"
    }
  }
}
