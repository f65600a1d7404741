import CurlTransport
import HTTP
import TestSupport

/// A server with a script, and a transport that counts its slots alone.
struct TransportFixture {
  let server: ScriptedServer
  let transport: CurlTransport

  init(
    limit: Int = 10, idleGiveBack: Duration = .seconds(600),
    trace: (@Sendable (TransportTrace) -> Void)? = nil,
    atFirstByte: @escaping @Sendable (Int, Int) -> [ScriptedServer.Step]? = { _, _ in nil },
    script: @escaping ScriptedServer.Script
  ) throws {
    server = try ScriptedServer(atFirstByte: atFirstByte, script: script)
    transport = CurlTransport(
      .init(limit: limit, slots: .transport, idleGiveBack: idleGiveBack, trace: trace))
  }

  func get(_ path: String = "/") -> HTTPRequest { HTTPRequest(.get, server.url(path)) }

  /// The request's answer or error, as a value.
  func reply(_ request: HTTPRequest) async -> Result<HTTPResponse, TransportError> {
    do throws(TransportError) {
      return .success(try await transport.send(request))
    } catch {
      return .failure(error)
    }
  }

  /// The request's error; nil where an answer came.
  func error(_ request: HTTPRequest) async -> TransportError? {
    if case .failure(let error) = await reply(request) { error } else { nil }
  }
}
