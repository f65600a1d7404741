/// How a simulator behaves; everything has a default.
extension Simulator {
  public struct Configuration: Sendable {
    /// Where jobs run and where the account is kept; nil makes a throwaway folder.
    public var home: String?
    /// Address to listen on, in digits or `localhost`. Anything but loopback lets others run programs here.
    public var address = "127.0.0.1"
    /// Port of the API; 0 lets the kernel choose.
    public var port = 0
    /// Port of the bucket; 0 lets the kernel choose.
    public var storagePort = 0
    /// How many times faster than the real one the machine's clock runs.
    public var speed = 1.0
    /// Size of the machine.
    public var nodes = 384
    /// Most jobs accepted and not ended (PJM 0072 above it).
    public var queueLimit = 100
    /// Most connections to the API; further ones are answered 500.
    public var connectionLimit = 10
    public var dialect = Dialect.documented
    /// Region and service that signatures must be made for.
    public var region = "jp-east-1"
    public var service = "hpc-api"
    public var bucket = "hpc"
    /// What stands before a path's keys in the bucket.
    public var storagePrefix = ""
    /// Folder of the bucket's objects; nil: beside the home, its name with `.bucket` after it.
    public var storageFolder: String?
    /// Access key and secret to use instead of those kept in the home.
    public var accessKeyID: String?
    public var secretAccessKey: String?
    /// What goes wrong; nil: nothing.
    public var faults: FaultPlan?
    /// The account on the machine.
    public var user = "a03010"
    public var group = "rccs-aot"
    /// How long, on the machine's clock, a sync waits before it begins.
    public var syncDelay: Duration = .milliseconds(500)
    /// How long, on the machine's clock, an ended job stays in list and detail.
    public var lingering: Duration = .zero
    /// The host's environment, of which jobs get PATH and the locale.
    public var hostEnvironment: [String: String] = [:]
    /// Told in one line what the API does not tell: why a submission was refused, for example.
    public var log: (@Sendable (String) -> Void)?

    public init() {}
  }

  /// Whose answers are given.
  public enum Dialect: String, Sendable, Hashable, CaseIterable {
    /// The published reference.
    case documented
    /// The public upstream (`api.md`): `elapse_*`, string ids, 200 for submissions, its own errors.
    case upstream
  }

  /// Why a simulator does not start.
  public enum StartError: Error, Sendable, CustomStringConvertible {
    /// A setting that cannot be, named as the options of `hpc sim`.
    case setting(String, String)
    /// Home, bucket or socket.
    case system(String)

    public var description: String {
      switch self {
      case .setting(let name, let why): "\(name): \(why)"
      case .system(let what): what
      }
    }
  }
}

extension Simulator.Configuration {
  func check() throws(Simulator.StartError) {
    guard speed.isFinite, (0.001...100_000).contains(speed) else {
      throw .setting("speed", "\(speed) is not between 0.001 and 100000")
    }
    guard (1...1_000_000).contains(nodes) else {
      throw .setting("nodes", "\(nodes) is not between 1 and 1000000")
    }
    guard queueLimit >= 1 else { throw .setting("queue-limit", "\(queueLimit) is below 1") }
    guard connectionLimit >= 1 else {
      throw .setting("connection-limit", "\(connectionLimit) is below 1")
    }
    for (name, port) in [("port", port), ("storage-port", storagePort)] {
      guard (0...65_535).contains(port) else {
        throw .setting(name, "\(port) is no port (0 to 65535)")
      }
    }
    guard (accessKeyID == nil) == (secretAccessKey == nil) else {
      throw .setting("access key", "access key and secret go together")
    }
    guard Self.isBucketName(bucket) else {
      throw .setting("bucket", "\"\(bucket)\" is no name of a bucket (a-z, 0-9, - and ., 3 to 63)")
    }
  }

  private static func isBucketName(_ name: String) -> Bool {
    (3...63).contains(name.utf8.count) && name.first != "." && name.first != "-"
      && name.utf8.allSatisfy {
        (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e
      }
  }
}
