import Foundation
import HTTP
import SigV4
import Testing

/// One request signed by botocore: written by scripts/generate-signing-vectors.
struct Vector: Decodable, CustomTestStringConvertible {
  var variant: String
  var method: String
  var url: String
  var headers: [[String]]
  var body: String
  var accessKey: String
  var secretKey: String
  var token: String?
  var region: String
  var service: String
  var epoch: Double
  var authorization: String
  var contentSha256: String?

  var testDescription: String { "\(method) \(url)" }

  static func load(_ name: String) throws -> [Vector] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard
      let file = Bundle.module.url(
        forResource: name, withExtension: "json", subdirectory: "Vectors")
    else { throw CocoaError(.fileNoSuchFile) }
    return try decoder.decode([Vector].self, from: Data(contentsOf: file))
  }

  var credentials: Credentials {
    Credentials(accessKeyID: accessKey, secretAccessKey: secretKey, sessionToken: token)
  }

  var scope: SigningScope { SigningScope(region: region, service: service) }

  var signingVariant: SigningVariant { variant == "s3" ? .s3 : .standard }

  var date: Date { Date(timeIntervalSince1970: epoch) }

  var bytes: [UInt8] { Data(base64Encoded: body).map(Array.init) ?? [] }

  func request() throws -> HTTPRequest {
    guard let method = HTTPMethod(rawValue: method) else { throw CocoaError(.coderReadCorrupt) }
    let fields = headers.map { HTTPHeaders.Field(name: $0[0], value: $0[1]) }
    return HTTPRequest(
      method, try HTTPURL(parsing: url), headers: HTTPHeaders(fields),
      body: bytes.isEmpty ? .none : .bytes(bytes))
  }

  func signed() throws -> HTTPRequest {
    var request = try request()
    SigV4Signer(credentials: credentials, scope: scope, variant: signingVariant)
      .sign(&request, at: date)
    return request
  }
}
