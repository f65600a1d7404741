import FoundationEssentials
import HTTP
import SigV4

/// The bucket over HTTP: the subset of S3 (2006-03-01, path style) that clients use for files.
final class S3Service: ServerService {
  struct Parts: Sendable {
    var bucket: String
    var region: String
    var credentials: Credentials
    var folder: ObjectFolder
    var uploads: MultipartUploads
    var faults: FaultInjector
  }

  let parts: Parts
  private let verifier: SigV4Verifier

  init(_ parts: Parts) {
    self.parts = parts
    verifier = SigV4Verifier(
      scope: SigningScope(region: parts.region, service: "s3"), variant: .s3,
      tolerance: .seconds(900))
  }

  func begin(_ request: ServerRequest, on connection: ServerConnection) -> any ServerExchange {
    let drawn = parts.faults.draw(.bucket)
    let exchange = exchange(request, at: parts.faults.date(drawn))
    guard let drawn else { return exchange }
    return FaultyExchange(exchange, drawn, parts.faults) { [self] status in
      reply(S3Error.standard(status), request)
    }
  }

  private func exchange(_ request: ServerRequest, at date: Date) -> any ServerExchange {
    do throws(S3Error) {
      let content = try verify(request, at: date)
      let target = try S3Target(request)
      if let bucket = target.bucket, bucket != parts.bucket,
        !(request.method == "PUT" && target.key == nil)
      {
        throw .noSuchBucket
      }
      let payload = try S3Payload(request, content: content, credentials: parts.credentials)
      if request.method == "PUT", target.key != nil,
        request.headers["x-amz-copy-source"] == nil
      {
        return try S3Upload(self, request, target, payload)
      }
      return S3Call(self, request, target, payload)
    } catch {
      return SettledExchange(reply(error, request))
    }
  }

  func reply(_ error: S3Error, _ request: ServerRequest) -> ServerReply {
    var reply = error.reply(resource: PercentDecoding.text(request.path) ?? request.path)
    if request.method == "HEAD" { reply.body = .bytes([]) }
    return reply
  }

  /// Milliseconds since 1970.
  var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

  /// - Returns: what `X-Amz-Content-Sha256` says.
  private func verify(_ request: ServerRequest, at date: Date) throws(S3Error) -> String {
    let asked = SigV4Verifier.Request(
      method: request.method, path: request.path, query: request.query, headers: request.headers,
      bodySHA256: nil)
    do throws(SigV4Verifier.Failure) {
      let credentials = parts.credentials
      let verified = try verifier.verify(asked, at: date) { key in
        key == credentials.accessKeyID ? credentials : nil
      }
      return verified.contentSHA256 ?? ""
    } catch {
      switch error {
      case .missingAccessKey, .missingSignature: throw .accessDenied
      case .unknownAccessKey: throw .invalidAccessKey
      case .badSignature: throw .signatureMismatch
      case .expired: throw .timeSkewed
      case .bodyMismatch: throw .contentMismatch
      case .wrongScope(let scope):
        throw S3Error(
          status: 400, code: "AuthorizationHeaderMalformed",
          message: "The scope \(scope) is wrong; expecting \(parts.region)/s3")
      case .malformed(let why):
        throw S3Error(status: 400, code: "AuthorizationHeaderMalformed", message: why)
      }
    }
  }
}

/// How the body of a request comes, and what it must prove to be.
struct S3Payload {
  /// What `X-Amz-Content-Sha256` says where that is a digest.
  let sha256: String?
  /// What `Content-MD5` says.
  let md5: [UInt8]?
  /// The body's length once it is out of its frames, where the client says it.
  let decodedLength: UInt64?
  var frames: ChunkedPayload?

  init(_ request: ServerRequest, content: String, credentials: Credentials) throws(S3Error) {
    let headers = request.headers
    if let text = headers["Content-MD5"] {
      guard let digest = Data(base64Encoded: text), digest.count == MD5.byteCount else {
        throw .invalidDigest
      }
      md5 = [UInt8](digest)
    } else {
      md5 = nil
    }
    if content.hasPrefix("STREAMING-") {
      sha256 = nil
      decodedLength = headers["x-amz-decoded-content-length"].flatMap { UInt64($0) }
      frames = ChunkedPayload(
        proof: content.hasPrefix("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
          ? Self.proof(headers, credentials) : nil)
    } else {
      sha256 = content == SigV4Signer.unsignedPayload ? nil : content
      decodedLength = headers["Content-Length"].flatMap { UInt64($0) }
      frames = nil
    }
  }

  private static func proof(
    _ headers: HTTPHeaders, _ credentials: Credentials
  ) -> ChunkedPayload.Proof {
    var scope = ""
    var signature = ""
    for part in (headers["Authorization"] ?? "").split(whereSeparator: { $0 == "," || $0 == " " }) {
      if part.hasPrefix("Credential=") {
        scope = part.split(separator: "/").suffix(4).joined(separator: "/")
      } else if part.hasPrefix("Signature=") {
        signature = String(part.dropFirst(10))
      }
    }
    return ChunkedPayload.Proof(
      stamp: headers["X-Amz-Date"] ?? "", scope: scope, secret: credentials.secretAccessKey,
      seed: signature)
  }

  /// Gives on the body's own bytes.
  mutating func feed(
    _ bytes: UnsafeRawBufferPointer, emit: (UnsafeRawBufferPointer) throws(S3Error) -> Void
  ) throws(S3Error) {
    if frames == nil {
      unsafe try emit(bytes)
    } else {
      unsafe try frames?.feed(bytes, emit: emit)
    }
  }

  /// Whether what came is what was announced.
  func check(size: UInt64, sha256 actual: String?, md5 digest: [UInt8]) throws(S3Error) {
    if frames?.isComplete == false { throw .incompleteBody }
    if let decodedLength, decodedLength != size { throw .incompleteBody }
    if let sha256, sha256 != actual { throw .contentMismatch }
    if let md5, md5 != digest { throw .badDigest }
  }
}
