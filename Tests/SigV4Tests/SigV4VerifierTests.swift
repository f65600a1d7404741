import Foundation
import HTTP
import SigV4
import Testing

@Suite struct SigV4VerifierTests {
  private static func received(_ request: HTTPRequest) -> SigV4Verifier.Request {
    var headers = request.headers
    headers.add("Host", request.url.hostHeader)
    var digest = SHA256.emptyHexadecimal
    if case .bytes(let bytes) = request.body { digest = SHA256.hexadecimal(of: bytes) }
    return SigV4Verifier.Request(
      method: request.method.rawValue, path: request.url.path, query: request.url.query,
      headers: headers, bodySHA256: digest)
  }

  private static func verify(
    _ vector: Vector, after seconds: Double = 0,
    change: (inout SigV4Verifier.Request) -> Void = { _ in }
  ) throws -> SigV4Verifier.Verified {
    var request = received(try vector.signed())
    change(&request)
    return try SigV4Verifier(scope: vector.scope, variant: vector.signingVariant)
      .verify(request, at: vector.date.addingTimeInterval(seconds)) {
        $0 == vector.accessKey ? vector.credentials : nil
      }
  }

  private static func plain() throws -> Vector {
    try #require(
      try Vector.load("standard").first {
        $0.method == "POST" && $0.token == nil && $0.headers.count > 1 && !$0.bytes.isEmpty
          && $0.url.contains("?")
      })
  }

  @Test(arguments: ["standard", "s3"])
  func acceptsEveryVectorAndNothingChanged(name: String) throws {
    for vector in try Vector.load(name) {
      #expect(try Self.verify(vector).accessKeyID == vector.accessKey)
      #expect(throws: SigV4Verifier.Failure.badSignature, "\(vector.url)") {
        try Self.verify(vector) { $0.path += "x" }
      }
    }
  }

  @Test(
    arguments: [
      ("Authorization", nil, .missingAccessKey), ("Authorization", "", .missingAccessKey),
      ("Authorization", "Basic abc", .malformed("not AWS4-HMAC-SHA256")),
      ("Authorization", "AWS4-HMAC-SHA256 Signature=1", .missingAccessKey),
      (
        "Authorization", "AWS4-HMAC-SHA256 Credential=/1/2/3/4,Signature=1,SignedHeaders=a",
        .missingAccessKey
      ),
      (
        "Authorization", "AWS4-HMAC-SHA256 Credential=k/1/2/3/4, SignedHeaders=host",
        .missingSignature
      ),
      (
        "Authorization", "AWS4-HMAC-SHA256 Credential=k/1/2/3/4, Signature=1",
        .malformed("no SignedHeaders")
      ),
      (
        "Authorization", "AWS4-HMAC-SHA256 Credential=k/4, Signature=1, SignedHeaders=host",
        .malformed("Credential has no scope")
      ),
      (
        "Authorization", "AWS4-HMAC-SHA256 Credential=k/1/2/3/4, Signature=1, SignedHeaders=host",
        .unknownAccessKey("k")
      ),
      ("X-Amz-Date", nil, .malformed("no X-Amz-Date")),
      ("X-Amz-Date", "yesterday", .malformed("X-Amz-Date is not YYYYMMDDTHHMMSSZ")),
      ("X-Amz-Date", "20261399T000000Z", .malformed("X-Amz-Date is not YYYYMMDDTHHMMSSZ")),
      ("X-Amz-Added", "1", .malformed("SignedHeaders and the headers differ")),
      ("Host", "elsewhere", .badSignature),
      ("X-Amz-Security-Token", "t", .malformed("SignedHeaders and the headers differ")),
    ] as [(String, String?, SigV4Verifier.Failure)])
  func refuses(header: String, value: String?, failure: SigV4Verifier.Failure) throws {
    let vector = try Self.plain()
    #expect(throws: failure) {
      try Self.verify(vector) { $0.headers[header] = value }
    }
  }

  @Test func refusesAChangedBody() throws {
    let vector = try Self.plain()
    #expect(throws: SigV4Verifier.Failure.badSignature) {
      try Self.verify(vector) { $0.bodySHA256 = SHA256.emptyHexadecimal }
    }
    let bucket = try #require(try Vector.load("s3").first { !$0.bytes.isEmpty })
    #expect(throws: SigV4Verifier.Failure.bodyMismatch) {
      try Self.verify(bucket) { $0.bodySHA256 = SHA256.emptyHexadecimal }
    }
    #expect(
      try Self.verify(bucket) { $0.bodySHA256 = nil }.contentSHA256
        == SHA256.hexadecimal(of: bucket.bytes))
  }

  @Test(arguments: [(-301.0, false), (-300, true), (0, true), (300, true), (301, false)])
  func refusesDatesFarFromItsClock(seconds: Double, isGood: Bool) throws {
    let vector = try Self.plain()
    if isGood {
      #expect(try Self.verify(vector, after: seconds).accessKeyID == vector.accessKey)
    } else {
      #expect(throws: SigV4Verifier.Failure.expired(seconds: seconds)) {
        try Self.verify(vector, after: seconds)
      }
    }
  }

  @Test func refusesAnotherScope() throws {
    let vector = try Self.plain()
    let verifier = SigV4Verifier(scope: SigningScope(region: "mars", service: vector.service))
    let request = Self.received(try vector.signed())
    #expect {
      try verifier.verify(request, at: vector.date) { _ in vector.credentials }
    } throws: { error in
      if case SigV4Verifier.Failure.wrongScope = error { true } else { false }
    }
  }

  @Test func refusesAWrongSecretAndAWrongToken() throws {
    let vector = try #require(try Vector.load("s3").first { $0.token != nil })
    let verifier = SigV4Verifier(scope: vector.scope, variant: .s3)
    let request = Self.received(try vector.signed())
    var wrong = [vector.credentials, vector.credentials]
    wrong[0].secretAccessKey += "x"
    wrong[1].sessionToken = nil
    for credentials in wrong {
      #expect(throws: SigV4Verifier.Failure.badSignature) {
        try verifier.verify(request, at: vector.date) { _ in credentials }
      }
    }
  }

  @Test func headersMustBeSortedAndComplete() throws {
    let vector = try Self.plain()
    for (names, message) in [
      ("x-amz-date;host", "SignedHeaders are not sorted"),
      ("host", "SignedHeaders lack host or x-amz-date"),
    ] {
      #expect(throws: SigV4Verifier.Failure.malformed(message)) {
        try Self.verify(vector) {
          let old = $0.headers["Authorization"] ?? ""
          $0.headers["Authorization"] =
            old.replacing(/SignedHeaders=[^,]*/, with: "SignedHeaders=\(names)")
        }
      }
    }
  }
}
