import FoundationEssentials
import HTTP
import XML

/// Judges answers of the bucket: what they mean and whether asking again may help.
enum S3Answer {
  /// What to do about an answer.
  enum Verdict {
    case accepted
    /// Correct the clock by the server's date, in seconds since 1970, and sign again.
    case wrongClock(serverTime: Int?, ObjectStoreError)
    case transient(ObjectStoreError, retryAfter: Duration?)
    case final(ObjectStoreError)
  }

  /// The service's own words about a failure.
  struct Words: Hashable {
    var code: String?
    var message: String?
    var requestID: String?
    var endpoint: String?
  }

  /// Longest sentence of the service that an error keeps.
  private static let messageLimit = 300

  /// Clocks that differ by more, in seconds, explain a refusal without words.
  private static let clockTolerance = 300

  /// Judges an answer to a request that was signed by the time `now`, in seconds since 1970.
  static func judge(
    _ response: HTTPResponse, _ context: ObjectStoreError.Context, now: Int
  ) -> Verdict {
    if (200..<300).contains(response.status) { return .accepted }
    let words = words(of: response)
    let serverTime = response.headers["Date"].flatMap(HTTPDate.epochSeconds(parsing:))
    var kind = kind(response, words, context)
    // Answers to HEAD have no body that could say so.
    if response.status == 403, words.code == nil, let serverTime,
      abs(serverTime - now) > clockTolerance
    {
      kind = .clockSkew
    }
    let error = ObjectStoreError(
      kind, context, status: response.status, code: words.code, serverMessage: words.message,
      requestID: words.requestID)
    switch kind {
    case .clockSkew:
      return .wrongClock(serverTime: serverTime, error)
    case .unavailable:
      let seconds = response.headers["Retry-After"].flatMap { Int($0) }
      return .transient(error, retryAfter: seconds.map { .seconds(min(max($0, 0), 3600)) })
    default:
      return .final(error)
    }
  }

  /// The verdict on a body `<Error>`: CompleteMultipartUpload may send one with status 200 (S3 API,
  /// CompleteMultipartUpload).
  static func judgeBody(
    _ response: HTTPResponse, _ context: ObjectStoreError.Context
  ) -> Verdict {
    let words = words(of: response)
    guard words.code != nil else { return .accepted }
    return .transient(
      ObjectStoreError(
        .unavailable, context, status: response.status, code: words.code,
        serverMessage: words.message, requestID: words.requestID), retryAfter: nil)
  }

  /// The verdict on an answer that brings an object: what has no ETag is none of S3's, but a page of
  /// something in between.
  static func judgeObject(
    _ response: HTTPResponse, _ context: ObjectStoreError.Context
  ) -> Verdict {
    if response.status == 200 || response.status == 206, response.headers["ETag"] != nil {
      return .accepted
    }
    return .final(
      ObjectStoreError(.badAnswer("an object without an ETag"), context, status: response.status))
  }

  /// The verdict on an answer without a useful ETag that is to say that an object was stored: who has
  /// more to say than that says something else.
  static func judgeStored(
    _ response: HTTPResponse, _ context: ObjectStoreError.Context
  ) -> Verdict {
    guard response.headers["ETag"] == nil, !response.body.isEmpty else { return .accepted }
    return .final(
      ObjectStoreError(.badAnswer("text instead of an ETag"), context, status: response.status))
  }

  private static func kind(
    _ response: HTTPResponse, _ words: Words, _ context: ObjectStoreError.Context
  ) -> ObjectStoreError.Kind {
    switch words.code {
    case "NoSuchBucket": return .noSuchBucket
    case "NoSuchKey": return .noSuchKey
    case "NoSuchUpload": return .uploadGone
    case "RequestTimeTooSkewed", "RequestExpired": return .clockSkew
    case "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed",
      "InvalidToken", "ExpiredToken":
      return .badCredentials
    case "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling",
      "RequestLimitExceeded":
      return .unavailable
    default: break
    }
    switch response.status {
    case 300..<400:
      return .redirected(
        to: (response.headers["Location"] ?? words.endpoint).map(HTTPURL.withoutSecrets))
    case 401: return .badCredentials
    case 403: return .accessDenied
    // HEAD answers have no body: without a key it can only be the bucket.
    case 404 where words.code == nil: return context.key == nil ? .noSuchBucket : .noSuchKey
    case 412: return .objectChanged
    case 408, 429, 500...: return .unavailable
    default: return .refused
    }
  }

  /// Reads `<Error>`; whatever else the body is, its beginning is kept as the message.
  static func words(of response: HTTPResponse) -> Words {
    var words = Words()
    words.requestID = response.headers["x-amz-request-id"]
    guard !response.body.isEmpty else { return words }
    if let root = try? XMLElement(parsing: response.body, limits: XMLLimits(bytes: 1 << 20)) {
      // Some servers put the element into another one.
      let error = root.name == "Error" ? root : root["Error"] ?? XMLElement("")
      words.code = error["Code"]?.text
      words.message = error["Message"].map { bounded($0.text) }
      words.requestID = error["RequestId"]?.text ?? words.requestID
      words.endpoint = error["Endpoint"]?.text
    } else if !(200..<300).contains(response.status) {
      words.message = bounded(String(decoding: response.body.prefix(messageLimit), as: UTF8.self))
    }
    return words
  }

  /// One line of bounded length without control characters: it ends up on terminals.
  private static func bounded(_ text: String) -> String {
    let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
    var result = ""
    result.unicodeScalars.append(contentsOf: line.prefix(messageLimit))
    return result
  }
}
