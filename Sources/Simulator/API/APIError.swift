import HTTP
import JSON

/// The documented errors, word for word (reference, each operation's examples).
enum APIError: Error, Sendable, Hashable {
  case operationFailed
  case invalidContentType
  case invalidBody
  case authenticationFailed
  case noAccessKey
  case noSignature
  case signatureExpired
  case noRights
  case urlNotFound
  case notPermitted
  case methodNotAllowed
  case `internal`
  case unavailable
  case maintenance

  var status: Int {
    switch self {
    case .operationFailed, .invalidContentType, .invalidBody: 400
    case .authenticationFailed, .noAccessKey, .noSignature, .signatureExpired: 401
    case .noRights: 403
    case .urlNotFound, .notPermitted: 404
    case .methodNotAllowed: 405
    case .internal: 500
    case .unavailable, .maintenance: 503
    }
  }

  private var code: String {
    switch self {
    case .operationFailed, .invalidContentType, .invalidBody, .notPermitted: "GeneralError"
    case .authenticationFailed: "Client.AuthFailurePermission"
    case .noAccessKey: "Client.AuthFailureRequired.AccessKey"
    case .noSignature: "Client.AuthFailureRequired.Signature"
    case .signatureExpired: "Client.AuthFailureExpired"
    case .noRights: "Client.AuthFailurePermission.MultiAccount"
    case .urlNotFound: "Client.URLNotFound"
    case .methodNotAllowed: "Client.InvalidParameterNotAllowed.Method"
    case .internal: "Server.InternalServerError"
    case .unavailable: "Server.ServiceUnavailable"
    case .maintenance: "Server.Maintenance"
    }
  }

  private var message: String {
    switch self {
    case .operationFailed: "Operation failed."
    case .invalidContentType: "Invalid Content-Type."
    case .invalidBody: "Invalid Request Body."
    case .authenticationFailed: "Authentication API abended."
    case .noAccessKey: "No access key was provided."
    case .noSignature: "No signature was provided."
    case .signatureExpired: "The signature for this request is expired."
    case .noRights: "You don't have enough rights to operate this API."
    case .urlNotFound: "A specified URL is not found."
    case .notPermitted: "Operation not permitted."
    case .methodNotAllowed: "A specified HTTP method is not allowed."
    case .internal: "An internal error has occurred. Please try your query again at a later time."
    case .unavailable: "This service is temporarily unavailable. Please try again later."
    case .maintenance: "The system is in maintenance now."
    }
  }

  /// The answer of a status that is asked for.
  ///
  /// - Parameters:
  ///   - status: an error's, other than 422.
  ///   - route: what was asked for: a job or sync that is not there has a 404 of its own.
  /// - Returns: its documented body, or that of 400 or 500 where it has none.
  static func refusal(_ status: Int, of route: APIRoute) -> ServerReply {
    var reply = standard(status, of: route).reply
    reply.status = status
    return reply
  }

  private static func standard(_ status: Int, of route: APIRoute) -> APIError {
    switch status {
    case 400: return .operationFailed
    case 401: return .authenticationFailed
    case 403: return .noRights
    case 404:
      switch route {
      case .get, .cancel, .syncStatus: return .notPermitted
      case .list, .submit, .sync: return .urlNotFound
      }
    case 405: return .methodNotAllowed
    case 503: return .unavailable
    case 500...: return .internal
    default: return .operationFailed
    }
  }

  var reply: ServerReply {
    .json(status, ["code": .string(code), "message": .string(message)])
  }
}

/// One complaint of a 422 (`HTTPValidationError`).
struct ValidationError: Error, Sendable, Hashable {
  var location: [String]
  var message: String
  var type: String

  /// The reply that carries complaints.
  static func reply(_ errors: [ValidationError]) -> ServerReply {
    let detail = errors.map { error -> JSONValue in
      [
        "loc": .array(error.location.map { .string($0) }), "msg": .string(error.message),
        "type": .string(error.type),
      ]
    }
    return .json(422, ["detail": .array(detail)])
  }
}

extension ServerReply {
  /// A reply with a JSON body.
  static func json(_ status: Int, _ value: JSONValue, headers: [(String, String)] = [])
    -> ServerReply
  {
    json(status, bytes: value.encoded(), headers: headers)
  }

  static func json(_ status: Int, bytes: [UInt8], headers: [(String, String)] = []) -> ServerReply {
    var reply = ServerReply(
      status: status, headers: ["Content-Type": "application/json"], body: bytes)
    for (name, value) in headers { reply.headers.add(name, value) }
    return reply
  }
}
