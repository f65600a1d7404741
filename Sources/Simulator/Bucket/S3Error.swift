import HTTP
import XML

/// An error of the bucket, by S3's names (Amazon S3 API Reference, Error Responses).
struct S3Error: Error, Sendable, Hashable {
  var status: Int
  var code: String
  var message: String

  static let accessDenied = S3Error(status: 403, code: "AccessDenied", message: "Access Denied")
  static let badDigest = S3Error(
    status: 400, code: "BadDigest",
    message: "The Content-MD5 you specified did not match what we received.")
  static let bucketNotEmpty = S3Error(
    status: 409, code: "BucketNotEmpty", message: "The bucket you tried to delete is not empty.")
  static let contentMismatch = S3Error(
    status: 400, code: "XAmzContentSHA256Mismatch",
    message: "The provided 'x-amz-content-sha256' header does not match what was computed.")
  static let entityTooLarge = S3Error(
    status: 400, code: "EntityTooLarge",
    message: "Your proposed upload exceeds the maximum allowed object size.")
  static let entityTooSmall = S3Error(
    status: 400, code: "EntityTooSmall",
    message: "Your proposed upload is smaller than the minimum allowed size.")
  static let incompleteBody = S3Error(
    status: 400, code: "IncompleteBody",
    message: "You did not provide the number of bytes specified by the Content-Length header.")
  static let invalidAccessKey = S3Error(
    status: 403, code: "InvalidAccessKeyId",
    message: "The AWS Access Key Id you provided does not exist in our records.")
  static let invalidDigest = S3Error(
    status: 400, code: "InvalidDigest", message: "The Content-MD5 you specified is not valid.")
  static let invalidPart = S3Error(
    status: 400, code: "InvalidPart",
    message: "One or more of the specified parts could not be found.")
  static let invalidPartOrder = S3Error(
    status: 400, code: "InvalidPartOrder", message: "The list of parts was not in ascending order.")
  static let invalidRange = S3Error(
    status: 416, code: "InvalidRange", message: "The requested range is not satisfiable")
  static let keyTooLong = S3Error(
    status: 400, code: "KeyTooLongError", message: "Your key is too long")
  static let malformedXML = S3Error(
    status: 400, code: "MalformedXML",
    message: "The XML you provided was not well-formed or did not validate.")
  static let methodNotAllowed = S3Error(
    status: 405, code: "MethodNotAllowed",
    message: "The specified method is not allowed against this resource.")
  static let noSuchBucket = S3Error(
    status: 404, code: "NoSuchBucket", message: "The specified bucket does not exist")
  static let noSuchKey = S3Error(
    status: 404, code: "NoSuchKey", message: "The specified key does not exist.")
  static let noSuchUpload = S3Error(
    status: 404, code: "NoSuchUpload", message: "The specified multipart upload does not exist.")
  static let notImplemented = S3Error(
    status: 501, code: "NotImplemented",
    message: "A header or query you provided implies functionality that is not implemented.")
  static let preconditionFailed = S3Error(
    status: 412, code: "PreconditionFailed",
    message: "At least one of the preconditions you specified did not hold")
  static let signatureMismatch = S3Error(
    status: 403, code: "SignatureDoesNotMatch",
    message: "The request signature we calculated does not match the signature you provided.")
  static let slowDown = S3Error(
    status: 503, code: "SlowDown", message: "Please reduce your request rate.")
  static let timeSkewed = S3Error(
    status: 403, code: "RequestTimeTooSkewed",
    message: "The difference between the request time and the current time is too large.")

  static func invalidArgument(_ message: String) -> S3Error {
    S3Error(status: 400, code: "InvalidArgument", message: message)
  }

  static func internalError(_ message: String) -> S3Error {
    S3Error(status: 500, code: "InternalError", message: message)
  }

  /// The error of a status that is asked for.
  static func standard(_ status: Int) -> S3Error {
    switch status {
    case 403: accessDenied
    case 404: noSuchKey
    case 412: preconditionFailed
    case 503: slowDown
    case 500...:
      S3Error(
        status: status, code: "InternalError",
        message: "We encountered an internal error. Please try again.")
    default: S3Error(status: status, code: "InvalidRequest", message: "Invalid request")
    }
  }

  /// The reply, without a body for HEAD.
  func reply(resource: String) -> ServerReply {
    .xml(
      status,
      XMLElement(
        "Error",
        children: [
          XMLElement("Code", text: code), XMLElement("Message", text: message),
          XMLElement("Resource", text: resource),
        ]), namespace: false)
  }
}

extension ServerReply {
  /// A reply with an XML body.
  static func xml(_ status: Int, _ root: XMLElement, namespace: Bool = true) -> ServerReply {
    let attribute = namespace ? " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"" : ""
    // The element writes no attributes: its own begins behind its name.
    let rest = root.encoded.dropFirst(root.name.count + 1)
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(root.name)\(attribute)\(rest)"
    return ServerReply(
      status: status, headers: ["Content-Type": "application/xml"], body: Array(text.utf8))
  }
}
