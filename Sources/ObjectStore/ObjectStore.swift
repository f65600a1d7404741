public import FoundationEssentials
public import HTTP
public import SigV4
import Synchronization

/// One bucket of an S3 service (2006-03-01), path style (`api.md`, Online Object Storage).
///
/// Thread-safe. Requests are signed with the digest of their content, repeated where that may help,
/// and never follow redirects; at most ``Configuration/connections`` run at a time.
public final class ObjectStore: Sendable {
  /// Where the bucket is, and how it is asked.
  public struct Configuration: Sendable {
    public var endpoint: HTTPURL
    public var bucket: String
    public var region: String
    public var credentials: Credentials
    /// Requests at a time; not counted against the API's ten.
    public var connections: Int
    public var retry: RetryPolicy
    /// Files of more bytes go up in parts: 64 MiB.
    public var multipartThreshold: Int64
    /// Bytes of a part, up and down, unless a file would need more than 10,000 of them: 16 MiB. A
    /// service takes 5 MiB at least.
    public var partSize: Int64

    public init(
      endpoint: HTTPURL, bucket: String, region: String, credentials: Credentials,
      connections: Int = 8, retry: RetryPolicy = RetryPolicy(),
      multipartThreshold: Int64 = 64 << 20, partSize: Int64 = 16 << 20
    ) {
      self.endpoint = endpoint
      self.bucket = bucket
      self.region = region
      self.credentials = credentials
      self.connections = max(1, connections)
      self.retry = retry
      self.multipartThreshold = multipartThreshold
      self.partSize = max(1, partSize)
    }
  }

  /// Time and chance, for tests to replace.
  public struct Surroundings: Sendable {
    /// Measures and waits out pauses between attempts.
    public var clock: any Clock<Duration>
    public var now: @Sendable () -> Date
    /// Uniform in 0..<1.
    public var random: @Sendable () -> Double

    public init(
      clock: any Clock<Duration> = ContinuousClock(),
      now: @escaping @Sendable () -> Date = { Date() },
      random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
      self.clock = clock
      self.now = now
      self.random = random
    }
  }

  public let configuration: Configuration
  let surroundings: Surroundings
  private let transport: any HTTPTransport
  private let signer: SigV4Signer
  private let limit: ConnectionLimit
  /// Whether the endpoint has ever answered.
  private let hasAnswered = Atomic(false)

  /// - Parameters:
  ///   - configuration: where the bucket is.
  ///   - transport: sends the requests; should allow as many connections as the configuration.
  ///   - surroundings: time and chance.
  public init(
    _ configuration: Configuration, transport: any HTTPTransport,
    surroundings: Surroundings = Surroundings()
  ) {
    self.configuration = configuration
    self.transport = transport
    self.surroundings = surroundings
    signer = SigV4Signer(
      credentials: configuration.credentials,
      scope: SigningScope(region: configuration.region, service: "s3"), variant: .s3)
    limit = ConnectionLimit(configuration.connections)
  }

  /// The same bucket, asked less patiently: for callers that go on by themselves.
  public func retrying(for deadline: Duration) -> ObjectStore {
    var configuration = configuration
    configuration.retry.deadline = min(configuration.retry.deadline, deadline)
    return ObjectStore(configuration, transport: transport, surroundings: surroundings)
  }

  func context(
    _ operation: ObjectStoreError.Operation, _ key: String? = nil
  ) -> ObjectStoreError.Context {
    ObjectStoreError.Context(
      operation: operation, endpoint: configuration.endpoint.origin, bucket: configuration.bucket,
      key: key)
  }

  /// The address of an object, or of the bucket. A key is encoded once and never normalised.
  func url(key: String?, query: [(String, String)] = []) -> HTTPURL {
    let bucket = "/" + PercentEncoding.component(configuration.bucket)
    let path = key.map { "\(bucket)/\(PercentEncoding.path($0))" } ?? bucket
    return configuration.endpoint.appending(
      path: path, query: query.isEmpty ? nil : PercentEncoding.query(query))
  }

  /// Refuses what no service takes as a key.
  func check(key: String, _ context: ObjectStoreError.Context) throws(ObjectStoreError) {
    guard !key.isEmpty else { throw ObjectStoreError(.invalid("a key cannot be empty"), context) }
    guard key.utf8.count <= 1024 else {
      throw ObjectStoreError(.invalid("a key has at most 1024 bytes"), context)
    }
  }

  /// Sends one attempt when a connection is free.
  func send(_ request: HTTPRequest) async -> Result<HTTPResponse, TransportError> {
    var request = request
    request.signer = signer
    let transport = transport
    let answer: Result<HTTPResponse, TransportError>? = await limit.run { [request] in
      do throws(TransportError) {
        return .success(try await transport.send(request))
      } catch {
        return .failure(error)
      }
    }
    if case .success = answer { hasAnswered.store(true, ordering: .relaxed) }
    return answer
      ?? .failure(TransportError(.cancelled, mayHaveBeenSent: false, detail: "cancelled"))
  }

  var isKnownEndpoint: Bool { hasAnswered.load(ordering: .relaxed) }

  /// The time by which requests are signed, in seconds since 1970.
  var signingTime: Int {
    Int(surroundings.now().timeIntervalSince1970 + signer.clockOffset.seconds)
  }

  /// Makes the signer follow the service's clock.
  func correctClock(serverTime: Int) {
    signer.clockOffset.seconds = Double(serverTime) - surroundings.now().timeIntervalSince1970
  }
}
