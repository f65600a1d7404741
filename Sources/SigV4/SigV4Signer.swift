public import FoundationEssentials
public import HTTP
import Synchronization

/// Signs requests with AWS Signature Version 4 in the `Authorization` header (`api.md`, Signing).
///
/// Thread-safe; one per account and scope. Keys derived for a day are kept.
public final class SigV4Signer: HTTPRequestSigner {
  /// Says that a body is not covered by the signature: the bucket alone accepts it.
  public static let unsignedPayload = "UNSIGNED-PAYLOAD"

  public let credentials: Credentials
  public let scope: SigningScope
  public let variant: SigningVariant
  /// Correction of the local clock; added to every date.
  public let clockOffset: ClockOffset

  private let credentialPrefix: [UInt8]
  /// What all signatures of one second share; an object, so that handing it out copies nothing.
  private final class Moment: Sendable {
    let seconds: Double
    let time: SigningTime
    let stamp: String
    let key: SigningKey

    init(seconds: Double, time: SigningTime, key: SigningKey) {
      self.seconds = seconds
      self.time = time
      self.key = key
      stamp = String(decoding: time.stamp, as: UTF8.self)
    }
  }

  /// The last second's: signing goes forward in time, so one is enough.
  private let latest = Mutex<Moment?>(nil)

  public init(
    credentials: Credentials, scope: SigningScope, variant: SigningVariant = .standard,
    clockOffset: ClockOffset = ClockOffset()
  ) {
    self.credentials = credentials
    self.scope = scope
    self.variant = variant
    self.clockOffset = clockOffset
    credentialPrefix =
      SigningKey.algorithm + Array(" Credential=\(credentials.accessKeyID)/".utf8)
  }

  /// Adds `X-Amz-Date`, `Authorization`, the session token where there is one and, for the bucket,
  /// `X-Amz-Content-Sha256`, replacing those of an earlier attempt.
  ///
  /// The body is hashed where the request brings no `bodySHA256`; a file body then in this thread.
  /// One that cannot be read is signed as unsigned: sending it fails with the reason.
  public func sign(_ request: inout HTTPRequest, at date: Date) {
    let moment = moment(at: date.timeIntervalSince1970 + clockOffset.seconds)
    let contentSHA256 = Self.contentSHA256(of: &request)
    setHeaders(of: &request, stamp: moment.stamp, contentSHA256: contentSHA256)

    var fields = CanonicalRequest.fields(of: request.headers, where: Self.isCovered)
    if !fields.contains(where: { $0.name == Self.host }) {
      let place = fields.firstIndex { Self.host.lexicographicallyPrecedes($0.name) }
      fields.insert(
        .init(name: Self.host, value: request.url.hostHeader), at: place ?? fields.endIndex)
    }
    let canonical = CanonicalRequest(
      method: request.method.rawValue, path: request.url.path, query: request.url.query,
      fields: fields, contentSHA256: contentSHA256, variant: variant)

    var value: [UInt8] = []
    value.reserveCapacity(256)
    value.append(contentsOf: credentialPrefix)
    value.append(contentsOf: moment.key.credentialScope)
    value.append(contentsOf: ", SignedHeaders=".utf8)
    value.append(contentsOf: canonical.bytes[canonical.signedHeaders])
    value.append(contentsOf: ", Signature=".utf8)
    moment.key.appendSignature(of: canonical, stamp: moment.time.stamp, to: &value)
    request.headers.add("Authorization", String(decoding: value, as: UTF8.self))
  }

  private func setHeaders(
    of request: inout HTTPRequest, stamp: String, contentSHA256: String
  ) {
    request.headers["Authorization"] = nil
    request.headers["X-Amz-Date"] = stamp
    if let token = credentials.sessionToken { request.headers["X-Amz-Security-Token"] = token }
    if variant == .s3 { request.headers["X-Amz-Content-Sha256"] = contentSHA256 }
  }

  private func moment(at epochSeconds: Double) -> Moment {
    let seconds = epochSeconds.rounded(.down)
    return latest.withLock { latest in
      if let latest, latest.seconds == seconds { return latest }
      let time = SigningTime(epochSeconds: seconds)
      let key =
        latest.flatMap { $0.time.day == time.day ? $0.key : nil }
        ?? SigningKey(secret: credentials.secretAccessKey, date: time.date, scope: scope)
      let moment = Moment(seconds: seconds, time: time, key: key)
      latest = moment
      return moment
    }
  }

  private static func contentSHA256(of request: inout HTTPRequest) -> String {
    if let known = request.bodySHA256 { return known }
    let computed: String
    switch request.body {
    case .none:
      return SHA256.emptyHexadecimal
    case .bytes(let bytes):
      computed = SHA256.hexadecimal(of: bytes)
    case .file(let path, let offset, let length):
      do {
        computed = try FileDigest.sha256(path: path, offset: offset, length: length)
      } catch {
        return unsignedPayload
      }
    }
    request.bodySHA256 = computed
    return computed
  }

  private static let host = Array("host".utf8)

  /// Fields that HTTP software on the way may change or drop (RFC 9110 §7.6.1; botocore's list).
  private static let uncovered: Set<[UInt8]> = Set(
    [
      "authorization", "accept-encoding", "connection", "expect", "keep-alive",
      "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
      "user-agent", "x-amzn-trace-id",
    ].map { Array($0.utf8) })

  private static let uncoveredInitials = Set(uncovered.map { $0[0] })

  private static func isCovered(_ name: [UInt8]) -> Bool {
    // A byte is hashed faster than a name, and most names need no more.
    guard let initial = name.first, uncoveredInitials.contains(initial) else { return true }
    return !uncovered.contains(name)
  }
}
