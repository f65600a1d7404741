import CurlTransport
import HTTP
import TestSupport
import Testing

/// Against `openssl s_server` with a certificate of its own.
@Suite(.timeLimit(.minutes(5))) struct TLSTests {
  @Test func anUntrustedCertificateIsRefusedBeforeAnythingIsSent() async throws {
    let server = try await TLSServer(names: "IP:127.0.0.1")
    let transport = CurlTransport(.init(slots: .transport))
    let error = try #require(await server.error(transport))
    #expect(error.kind == .tls)
    #expect(!error.mayHaveBeenSent)
  }

  @Test func aCertificateOfTheGivenFileIsTrusted() async throws {
    let server = try await TLSServer(names: "IP:127.0.0.1")
    let transport = CurlTransport(.init(slots: .transport, caFile: server.certificate))
    #expect(try await transport.send(server.request).status == 200)
    // The connection is made anew, and closed by close_notify, at each of these.
    #expect(try await transport.send(server.request).status == 200)
    transport.shutdown()
  }

  @Test func aCertificateForAnotherNameIsRefused() async throws {
    let server = try await TLSServer(names: "DNS:elsewhere.example")
    let transport = CurlTransport(.init(slots: .transport, caFile: server.certificate))
    let error = try #require(await server.error(transport))
    #expect(error.kind == .tls)
    #expect(!error.mayHaveBeenSent)
  }

  @Test func aCertificateFileThatIsNotThereIsAnError() async throws {
    let server = try await TLSServer(names: "IP:127.0.0.1")
    let transport = CurlTransport(.init(slots: .transport, caFile: "/no/such/file.pem"))
    let error = try #require(await server.error(transport))
    #expect(error.kind == .tls)
    #expect(error.detail.contains("/no/such/file.pem"))
  }

  @Test func aServerThatSpeaksNoTLS() async throws {
    let answer: [ScriptedServer.Step] = .raw("HTTP/1.1 400 No\r\n\r\n") + [.close]
    let plain = try ScriptedServer(atFirstByte: { _, _ in answer }, script: { _ in answer })
    let transport = CurlTransport(.init(slots: .transport))
    let url = HTTPURL(scheme: .https, host: "127.0.0.1", port: plain.port)
    await #expect {
      _ = try await transport.send(HTTPRequest(.get, url))
    } throws: { error in
      guard let error = error as? TransportError else { return false }
      return error.kind == .tls && !error.mayHaveBeenSent
    }
  }
}

private struct TLSServer {
  let certificate: String
  let request: HTTPRequest
  private let folder: TemporaryFolder
  private let process: ChildProcess

  init(names: String) async throws {
    folder = try TemporaryFolder()
    certificate = folder.path + "/certificate.pem"
    let key = folder.path + "/key.pem"
    let made = try await ChildProcess(
      "openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
        "1", "-subj", "/CN=test", "-addext", "subjectAltName=\(names)", "-out", certificate,
        "-keyout", key,
      ]
    ).ended()
    try #require(made.status == 0)
    process = try ChildProcess(
      "openssl",
      ["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www"])
    let output = await process.output(containing: "ACCEPT ")
    let line = output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("ACCEPT ") }
    let port: Int = try #require(Int(line?.split(separator: ":").last ?? ""))
    request = HTTPRequest(.get, HTTPURL(scheme: .https, host: "127.0.0.1", port: port))
  }

  func error(_ transport: CurlTransport) async -> TransportError? {
    do throws(TransportError) {
      _ = try await transport.send(request)
      return nil
    } catch {
      return error
    }
  }
}
