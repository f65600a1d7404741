import HTTP

/// The head of a request, path and query as they came over the wire.
struct ServerRequest: Sendable {
  var method: String
  /// Percent-encoded, as sent.
  var path: String
  /// Percent-encoded, without the question mark; nil where there is none.
  var query: String?
  var headers: HTTPHeaders

  init(method: String, target: String, headers: HTTPHeaders) {
    self.method = method
    let bytes = target.utf8
    let mark = bytes.firstIndex(of: UInt8(ascii: "?"))
    path = String(target[..<(mark ?? target.endIndex)])
    query = mark.map { String(target[target.index(after: $0)...]) }
    self.headers = headers
  }
}

/// How an answer leaves.
enum Delivery: Sendable, Hashable {
  case whole
  /// Whole, then the connection is closed.
  case last
  /// The connection is closed without a byte.
  case dropped
  /// The connection is reset without a byte.
  case reset
  /// The head and half of the body, then the connection is closed.
  case truncated
}

/// An answer.
struct ServerReply: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// A part of an open file; the descriptor goes over to the server.
    case file(descriptor: Int32, offset: UInt64, length: UInt64)
  }

  var status: Int
  var headers: HTTPHeaders
  var body: Body
  var delivery = Delivery.whole

  init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = .bytes(body)
  }
}

/// One request in the making: its body comes in pieces, then it is answered. Used by one thread.
protocol ServerExchange: AnyObject {
  /// A piece of the body.
  func receive(_ bytes: UnsafeRawBufferPointer)
  /// The body is complete. May block.
  func finish() -> ServerReply
}

/// What answers the requests of a server.
protocol ServerService: Sendable {
  /// The head of a request has come: begins an exchange.
  func begin(_ request: ServerRequest, on connection: ServerConnection) -> any ServerExchange
}

/// An exchange that knows its answer already and throws the body away.
final class SettledExchange: ServerExchange {
  private let reply: ServerReply

  init(_ reply: ServerReply) { self.reply = reply }

  func receive(_ bytes: UnsafeRawBufferPointer) {}
  func finish() -> ServerReply { reply }
}
