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

  /// Appends the signature of a canonical request: 64 hexadecimal digits.
  func appendSignature(
    of request: CanonicalRequest, stamp: [UInt8], to output: inout [UInt8]
  ) {
    var text: [UInt8] = []
    text.reserveCapacity(128 + credentialScope.count)
    text.append(contentsOf: Self.algorithm)
    text.append(UInt8(ascii: "\n"))
    text.append(contentsOf: stamp)
    text.append(UInt8(ascii: "\n"))
    text.append(contentsOf: credentialScope)
    text.append(UInt8(ascii: "\n"))
    var hash = SHA256()
    hash.update(request.bytes)
    hash.appendHexadecimal(to: &text)
    key.hash(of: text).appendHexadecimal(to: &output)
  }

  static let algorithm = Array("AWS4-HMAC-SHA256".utf8)
}
