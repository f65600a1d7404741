public import FoundationEssentials
public import HTTP

/// Checks signatures as a service does: header authentication of both variants.
public struct SigV4Verifier: Sendable {
  /// A request as it arrived; path and query are not decoded.
  public struct Request: Sendable {
    public var method: String
    public var path: String
    public var query: String?
    public var headers: HTTPHeaders
    /// Hexadecimal digest of the body; nil to judge the head alone, when the caller compares
    /// ``Verified/contentSHA256`` itself once the body is there.
    public var bodySHA256: String?

    public init(
      method: String, path: String, query: String?, headers: HTTPHeaders, bodySHA256: String?
    ) {
      self.method = method
      self.path = path
      self.query = query
      self.headers = headers
      self.bodySHA256 = bodySHA256
    }
  }

  /// What a good signature says.
  public struct Verified: Sendable, Hashable {
    public var accessKeyID: String
    /// What `X-Amz-Content-Sha256` says, fixed words like `UNSIGNED-PAYLOAD` included; nil where
    /// there is none.
    public var contentSHA256: String?
  }

  /// Why a request is refused.
  public enum Failure: Error, Sendable, Hashable {
    /// No `Authorization`, or no `Credential` in it.
    case missingAccessKey
    case missingSignature
    case unknownAccessKey(String)
    /// The signature is for another region, service or day.
    case wrongScope(String)
    case badSignature
    /// The date differs from the clock by more than allowed; positive seconds are behind it.
    case expired(seconds: Double)
    /// The body is not the one that was signed.
    case bodyMismatch
    case malformed(String)
  }

  public var scope: SigningScope
  public var variant: SigningVariant
  /// Largest difference between date and clock, either way.
  public var tolerance: Duration

  public init(
    scope: SigningScope, variant: SigningVariant = .standard, tolerance: Duration = .seconds(300)
  ) {
    self.scope = scope
    self.variant = variant
    self.tolerance = tolerance
  }

  /// Judges one request at a moment of the service's clock; `lookup` gives the credentials of an
  /// access key.
  public func verify(
    _ request: Request, at now: Date, lookup: (String) -> Credentials?
  ) throws(Failure) -> Verified {
    let authorization = try Authorization(parsing: request.headers["Authorization"])
    guard let credentials = lookup(authorization.accessKeyID) else {
      throw .unknownAccessKey(authorization.accessKeyID)
    }
    guard let stamp = request.headers["X-Amz-Date"] else { throw .malformed("no X-Amz-Date") }
    guard let seconds = SigningTime.epochSeconds(parsing: stamp) else {
      throw .malformed("X-Amz-Date is not YYYYMMDDTHHMMSSZ")
    }
    let difference = now.timeIntervalSince1970 - seconds
    guard abs(difference) <= tolerance / .seconds(1) else { throw .expired(seconds: difference) }
    guard authorization.scope == "\(stamp.prefix(8))/\(scope.region)/\(scope.service)/aws4_request"
    else { throw .wrongScope(authorization.scope) }

    let content = try contentSHA256(of: request)
    let fields = try coveredFields(of: request.headers, names: authorization.signedHeaders)
    let canonical = CanonicalRequest(
      method: request.method, path: request.path, query: request.query, fields: fields,
      contentSHA256: content.covered, variant: variant)
    let time = SigningTime(epochSeconds: seconds)
    let key = SigningKey(secret: credentials.secretAccessKey, date: time.date, scope: scope)
    var expected: [UInt8] = []
    key.appendSignature(of: canonical, stamp: Array(stamp.utf8), to: &expected)
    guard Self.same(expected, Array(authorization.signature.utf8)),
      credentials.sessionToken == request.headers["X-Amz-Security-Token"]
    else { throw .badSignature }
    if let body = request.bodySHA256, let declared = content.declared,
      Self.isDigest(declared), declared != body
    {
      throw .bodyMismatch
    }
    return Verified(accessKeyID: authorization.accessKeyID, contentSHA256: content.declared)
  }

  /// The digest that the signature covers, and the one that a header declares.
  private func contentSHA256(
    of request: Request
  ) throws(Failure) -> (covered: String, declared: String?) {
    if let declared = request.headers["X-Amz-Content-Sha256"] {
      guard variant == .s3 || Self.isDigest(declared) else {
        throw .malformed("this service wants the body signed")
      }
      return (declared, declared)
    }
    guard variant == .standard else { throw .malformed("no X-Amz-Content-Sha256") }
    guard let body = request.bodySHA256 else { throw .malformed("no digest of the body") }
    return (body, nil)
  }

  /// The covered fields, once it is sure that host, date and every other `x-amz-*` are among them.
  private func coveredFields(
    of headers: HTTPHeaders, names: [String]
  ) throws(Failure) -> [CanonicalRequest.Field] {
    let covered = Set(names.map { Array($0.utf8) })
    guard zip(names, names.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw .malformed("SignedHeaders are not sorted")
    }
    guard names.contains("host"), names.contains("x-amz-date") else {
      throw .malformed("SignedHeaders lack host or x-amz-date")
    }
    let prefix = Array("x-amz-".utf8)
    let fields = CanonicalRequest.fields(of: headers) {
      covered.contains($0) || $0.starts(with: prefix)
    }
    guard fields.count == names.count, zip(fields, names).allSatisfy({ $0.name == Array($1.utf8) })
    else { throw .malformed("SignedHeaders and the headers differ") }
    return fields
  }

  private static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 2 * SHA256.byteCount
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Compares in constant time.
  private static func same(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// The parts of an `Authorization` header of this scheme.
private struct Authorization {
  var accessKeyID: String
  /// Day, region, service and fixed word.
  var scope: String
  var signedHeaders: [String]
  var signature: String

  init(parsing header: String?) throws(SigV4Verifier.Failure) {
    guard let header, !header.isEmpty else { throw .missingAccessKey }
    let scheme = String(decoding: SigningKey.algorithm, as: UTF8.self)
    guard header.hasPrefix(scheme + " ") else { throw .malformed("not \(scheme)") }
    var parts: [Substring: Substring] = [:]
    for part in header.dropFirst(scheme.count).split(separator: ",") {
      let part = part.drop { $0 == " " }
      let name = part.prefix { $0 != "=" }
      parts[name] = part[name.endIndex...].dropFirst()
    }
    guard let credential = parts["Credential"], !credential.isEmpty else {
      throw .missingAccessKey
    }
    guard let signature = parts["Signature"], !signature.isEmpty else { throw .missingSignature }
    guard let names = parts["SignedHeaders"] else { throw .malformed("no SignedHeaders") }
    // An access key may hold slashes itself: the scope is the last four parts.
    let pieces = credential.split(separator: "/", omittingEmptySubsequences: false)
    guard pieces.count >= 5 else { throw .malformed("Credential has no scope") }
    accessKeyID = pieces.dropLast(4).joined(separator: "/")
    guard !accessKeyID.isEmpty else { throw .missingAccessKey }
    scope = pieces.suffix(4).joined(separator: "/")
    signedHeaders = names.split(separator: ";").map(String.init)
    self.signature = String(signature)
  }
}
