import HTTP
import JSON

/// What an answer that is no success says, whatever its shape (`api.md`, Operations: errors).
struct ServiceFault: Sendable, Hashable {
  var status: Int
  /// The service's code; nil where a gateway or the upstream answered in another shape.
  var code: String?
  /// One line, free of control characters; empty where nothing was said.
  var message: String
  /// The body as text, bounded.
  var body: String
  /// Where a redirect points to, for people: without what may be secret in it.
  var location: String?

  /// How many bytes of a body an error keeps.
  static let bodyLimit = 4096

  init(_ response: HTTPResponse) {
    status = response.status
    body = String(decoding: response.body.prefix(Self.bodyLimit), as: UTF8.self)
    location = response.headers["Location"].map(HTTPURL.withoutSecrets)
    let reading = Self.read(response.body)
    code = reading.code.map(Self.oneLine)
    message = Self.oneLine(reading.message)
  }

  /// Gateways quote what they refuse, and each in its own way.
  mutating func hide(_ secrets: [String]) {
    for secret in secrets where !secret.isEmpty {
      let mark = "…"
      let isQuoted = message.contains(secret) || code?.contains(secret) == true
      message = message.replacing(secret, with: mark)
      code = code?.replacing(secret, with: mark)
      let percent = secret.replacing("+", with: "%2B").replacing("/", with: "%2F")
        .replacing("=", with: "%3D")
      let spellings = [secret, secret.replacing("/", with: "\\/"), percent]
      let whole = body
      for spelling in spellings { body = body.replacing(spelling, with: mark) }
      // Quoted in a way that cannot be found.
      if isQuoted, body == whole { body = mark }
    }
  }

  private static func read(_ bytes: [UInt8]) -> (code: String?, message: String) {
    guard !bytes.allSatisfy({ $0 <= 0x20 }) else { return (nil, "") }
    guard let value = try? JSONValue(parsing: bytes, maximumDepth: 64) else {
      return (nil, page(bytes))
    }
    if let text = value.string { return (nil, text) }
    guard value.object != nil else { return (nil, "") }
    if let details = value["detail"] { return ("ValidationError", validation(details)) }
    let message = value["message"] ?? value["errorMessage"] ?? value["Message"]
    return (value["code"]?.string ?? value["type"]?.string, message?.string ?? "")
  }

  /// `{"detail": [{"loc", "msg", "type"}]}` of a refused body, or `{"detail": "Not Found"}`.
  private static func validation(_ details: JSONValue) -> String {
    guard let details = details.array else { return details.string ?? "" }
    return details.map { detail in
      let place = (detail["loc"]?.array ?? []).compactMap { $0.string ?? $0.int.map(String.init) }
      let text = detail["msg"]?.string ?? detail["type"]?.string ?? "not valid"
      return place.isEmpty ? text : "\(place.joined(separator: ".")): \(text)"
    }.joined(separator: "; ")
  }

  /// The title of a web page, else the beginning of a text.
  private static func page(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.prefix(bodyLimit), as: UTF8.self)
    let lower = text.lowercased()
    guard lower.drop(while: \.isWhitespace).hasPrefix("<") else { return text }
    guard let start = lower.firstRange(of: "<title>"),
      let end = lower.firstRange(of: "</title>"), start.upperBound <= end.lowerBound
    else { return "a web page" }
    return "a web page: \(lower[start.upperBound..<end.lowerBound])"
  }

  /// Server text goes to terminals: no control characters, one line, bounded.
  static func oneLine(_ text: String) -> String {
    var words: [Substring] = []
    var length = 0
    for word in text.split(whereSeparator: { $0.isWhitespace || $0.isNewline }) {
      length += word.count + 1
      guard length <= 400 else {
        words.append("…")
        break
      }
      words.append(word)
    }
    return words.joined(separator: " ").filter { character in
      !character.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
  }

  /// Whether the body says that there is no such *job*: the published one, and the two that the
  /// upstream was seen to send. Neither URLNotFound nor a page of a gateway is one.
  var isJobNotFound: Bool {
    guard status == 404 else { return false }
    if code == "GeneralError" { return message.hasPrefix("Operation not permitted") }
    guard code == nil else { return false }
    return message.hasPrefix("Parse entry failed")
      || (message.contains("PJM 0112") && message.contains("does not exist"))
  }

  /// Whether a POST /jobs answered so was certainly not accepted (design §4).
  var isDefiniteRefusal: Bool {
    switch status {
    case 401, 403, 404, 405, 422: true
    case 400: message.hasPrefix("Invalid ")
    default: false
    }
  }

  var isExpiredSignature: Bool { status == 401 && code == "Client.AuthFailureExpired" }
  var isMaintenance: Bool { code == "Server.Maintenance" }
}
