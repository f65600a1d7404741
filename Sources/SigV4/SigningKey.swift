/// The derived key of one day and scope, and what is signed with it.
struct SigningKey: Sendable {
  /// `YYYYMMDD/region/service/aws4_request`.
  let credentialScope: [UInt8]
  private let key: HMACSHA256

  /// Four chained authentication codes: day, region, service, fixed word.
  init(secret: String, date: ArraySlice<UInt8>, scope: SigningScope) {
    let steps: [[UInt8]] = [
      Array(date), Array(scope.region.utf8), Array(scope.service.utf8), Array("aws4_request".utf8),
    ]
    var code = Array("AWS4".utf8) + Array(secret.utf8)
    for step in steps { code = HMACSHA256(key: code).code(of: step) }
    key = HMACSHA256(key: code)
    credentialScope = Array(steps.joined(separator: [UInt8(ascii: "/")]))
  }

  /// The signature of a canonical request: 32 bytes.
  func signature(of request: CanonicalRequest, stamp: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(128 + credentialScope.count)
    text.append(contentsOf: Self.algorithm)
    text.append(UInt8(ascii: "\n"))
    text.append(contentsOf: stamp)
    text.append(UInt8(ascii: "\n"))
    text.append(contentsOf: credentialScope)
    text.append(UInt8(ascii: "\n"))
    Hexadecimal.append(SHA256.digest(of: request.bytes), to: &text)
    return key.code(of: text)
  }

  static let algorithm = Array("AWS4-HMAC-SHA256".utf8)
}
