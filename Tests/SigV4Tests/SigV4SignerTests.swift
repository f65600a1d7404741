import Foundation
import HTTP
import SigV4
import Testing

@Suite struct SigV4SignerTests {
  @Test(arguments: ["standard", "s3"])
  func signsAsBotocore(name: String) throws {
    let vectors = try Vector.load(name)
    #expect(vectors.count >= 400)
    for vector in vectors {
      let request = try vector.signed()
      #expect(request.headers["Authorization"] == vector.authorization, "\(vector.url)")
      #expect(request.headers["X-Amz-Content-Sha256"] == vector.contentSha256)
    }
  }

  /// docs.nifcloud.com/api/signature_v4.htm; value as in `api.md`.
  @Test func signsTheOperatorsPublishedExample() throws {
    var request = HTTPRequest(
      .get,
      HTTPURL(
        scheme: .https, host: "jp-east-1.rdb.api.nifcloud.com",
        query: PercentEncoding.query([
          ("Action", "CreateDBSecurityGroup"), ("DBSecurityGroupDescription", "テストファイアウォール"),
          ("DBSecurityGroupName", "test-fire-wall"), ("NiftyAvailabilityZone", "east-11"),
        ])))
    signer(service: "rdb").sign(&request, at: Date(timeIntervalSince1970: 1_666_748_634))
    #expect(
      request.headers["Authorization"]?.hasSuffix(
        "Signature=dfc7b3e953d8a50c43b754184e4baa4174753c8975e55dd41341fa58e0d082d3") == true)
  }

  @Test func signingAgainReplacesWhatWasThere() throws {
    let once = try #require(try Vector.load("s3").first { $0.token != nil })
    let signer = SigV4Signer(credentials: once.credentials, scope: once.scope, variant: .s3)
    var request = try once.request()
    signer.sign(&request, at: once.date.addingTimeInterval(-90_000))
    signer.sign(&request, at: once.date)
    #expect(request.headers[all: "Authorization"] == [once.authorization])
    #expect(request.headers[all: "X-Amz-Date"].count == 1)
  }

  @Test func keysOfTwoDaysAreKeptApart() throws {
    let signer = signer()
    let dates = [0.0, 86_399, 86_400, 5, 172_800, 86_401].map {
      Date(timeIntervalSince1970: $0)
    }
    for date in dates {
      var kept = HTTPRequest(.get, HTTPURL(scheme: .http, host: "h"))
      var fresh = kept
      signer.sign(&kept, at: date)
      self.signer().sign(&fresh, at: date)
      #expect(kept.headers["Authorization"] == fresh.headers["Authorization"])
    }
  }

  @Test func offsetMovesTheDate() {
    let offset = ClockOffset()
    let signer = SigV4Signer(
      credentials: Credentials(accessKeyID: "a", secretAccessKey: "s"),
      scope: SigningScope(region: "r", service: "s"), clockOffset: offset)
    var request = HTTPRequest(.get, HTTPURL(scheme: .http, host: "h"))
    offset.seconds = 3600.5
    signer.sign(&request, at: Date(timeIntervalSince1970: 0))
    #expect(request.headers["X-Amz-Date"] == "19700101T010000Z")
    offset.seconds = -3600
    signer.sign(&request, at: Date(timeIntervalSince1970: 0))
    #expect(request.headers["X-Amz-Date"] == "19691231T230000Z")
  }

  @Test func knownDigestOfTheBodyIsUsedAndAComputedOneKept() {
    let url = HTTPURL(scheme: .http, host: "h")
    var known = HTTPRequest(.put, url, body: .bytes([1]), bodySHA256: "ab")
    var computed = HTTPRequest(.put, url, body: .bytes([1]))
    signer(variant: .s3).sign(&known, at: Date(timeIntervalSince1970: 0))
    signer(variant: .s3).sign(&computed, at: Date(timeIntervalSince1970: 0))
    #expect(known.headers["X-Amz-Content-Sha256"] == "ab")
    #expect(computed.bodySHA256 == SHA256.hexadecimal(of: [1]))
  }

  @Test func fileBodiesAreHashedAndUnreadableOnesLeftUnsigned() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try Data(bytes).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let url = HTTPURL(scheme: .http, host: "h")
    var part = HTTPRequest(.put, url, body: .file(path: path, offset: 3, length: 600_000))
    var gone = HTTPRequest(.put, url, body: .file(path: path + "x", offset: 0, length: 1))
    signer(variant: .s3).sign(&part, at: Date(timeIntervalSince1970: 0))
    signer(variant: .s3).sign(&gone, at: Date(timeIntervalSince1970: 0))
    #expect(part.bodySHA256 == SHA256.hexadecimal(of: Array(bytes[3..<600_003])))
    #expect(gone.headers["X-Amz-Content-Sha256"] == "UNSIGNED-PAYLOAD")
  }

  private func signer(
    service: String = "hpc-api", variant: SigningVariant = .standard
  ) -> SigV4Signer {
    SigV4Signer(
      credentials: Credentials(
        accessKeyID: "12345678901234567890",
        secretAccessKey: "1234567890abcdefghijklmnopqrstuvwxyzABCD"),
      scope: SigningScope(region: "jp-east-1", service: service), variant: variant)
  }
}
