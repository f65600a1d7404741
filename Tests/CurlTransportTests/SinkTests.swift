import CurlTransport
import Glibc
import HTTP
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct SinkTests {
  @Test(arguments: [true, false])
  func aLargeAnswerIsRefused(announced: Bool) async throws {
    let length = announced ? "Content-Length: \(1 << 30)\r\n" : ""
    let fixture = try TransportFixture { _ in
      .raw("HTTP/1.1 200 OK\r\n\(length)\r\n") + [.fill(0x20, count: 1 << 30), .close]
    }
    var request = fixture.get()
    request.sink = .memory(limit: 1 << 20)
    let error = try #require(await fixture.error(request))
    #expect(error.kind == .bodyTooLarge(limit: 1 << 20))
    #expect(error.mayHaveBeenSent)
    await fixture.server.waitUntil { $0.open == 0 }
  }

  @Test func anAnswerOfExactlyTheLimitIsFine() async throws {
    let fixture = try TransportFixture { _ in .status(200, String(repeating: "x", count: 4096)) }
    var request = fixture.get()
    request.sink = .memory(limit: 4096)
    #expect(try await fixture.transport.send(request).body.count == 4096)
    request.sink = .memory(limit: 4095)
    #expect(await fixture.error(request)?.kind == .bodyTooLarge(limit: 4095))
  }

  @Test func headersOfAHeadRequestAnnounceWhatDoesNotCome() async throws {
    let fixture = try TransportFixture { _ in
      .raw("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    }
    var request = HTTPRequest(.head, fixture.server.url())
    request.sink = .memory(limit: 10)
    let response = try await fixture.transport.send(request)
    #expect(response.headers["content-length"] == "99999")
    #expect(response.body.isEmpty)
  }

  @Test func aGoodAnswerGoesIntoTheFile() async throws {
    let fixture = try TransportFixture { _ in
      .raw("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n") + [.fill(0x7a, count: 5_000_000)]
    }
    let file = try TemporaryFile()
    var request = fixture.get()
    request.sink = .file(descriptor: file.descriptor, errorLimit: 100)
    let response = try await fixture.transport.send(request)
    #expect(response.body.isEmpty)
    let isWhole = try file.contents() == [UInt8](repeating: 0x7a, count: 5_000_000)
    #expect(isWhole)
  }

  @Test func aBadAnswerStaysOutOfTheFile() async throws {
    let fixture = try TransportFixture { _ in .status(404, "not here") }
    let file = try TemporaryFile()
    var request = fixture.get()
    request.sink = .file(descriptor: file.descriptor, errorLimit: 100)
    let response = try await fixture.transport.send(request)
    #expect(response.body == Array("not here".utf8))
    #expect(try file.contents().isEmpty)
    request.sink = .file(descriptor: file.descriptor, errorLimit: 3)
    #expect(await fixture.error(request)?.kind == .bodyTooLarge(limit: 3))
  }

  @Test func aFileThatCannotBeWritten() async throws {
    let fixture = try TransportFixture { _ in .status(200, "data") }
    var request = fixture.get()
    let file = try TemporaryFile()
    let readOnly = unsafe open(file.path, O_RDONLY | O_CLOEXEC)
    defer { close(readOnly) }
    request.sink = .file(descriptor: readOnly, errorLimit: 100)
    #expect(await fixture.error(request)?.kind == .file(errno: EBADF))
  }

  @Test func aPartOfAFileIsSent() async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let file = try TemporaryFile(bytes)
    let request = HTTPRequest(
      .put, fixture.server.url("/x"),
      body: .file(path: file.path, offset: 1000, length: 1_500_000))
    _ = try await fixture.transport.send(request)
    let isWhole = fixture.server.requests.first?.body == Array(bytes[1000..<1_501_000])
    #expect(isWhole)
  }

  @Test func aFileThatIsNotThereOrTooShort() async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    var request = HTTPRequest(
      .put, fixture.server.url(), body: .file(path: "/no/such/file", offset: 0, length: 3))
    let missing = try #require(await fixture.error(request))
    #expect(missing.kind == .file(errno: ENOENT))
    #expect(!missing.mayHaveBeenSent)
    let file = try TemporaryFile([1, 2, 3])
    request.body = .file(path: file.path, offset: 0, length: 4)
    #expect(await fixture.error(request)?.kind == .file(errno: EIO))
  }

  @Test func aBodyIsReadAgainWhereCurlRepeatsARequest() async throws {
    // The second request's kept-alive connection is closed under it; curl makes a new one.
    let fixture = try TransportFixture { request in
      request.turn == 1 ? [.close] : .status(200)
    }
    let body = [UInt8](repeating: 0x62, count: 300_000)
    let request = HTTPRequest(.put, fixture.server.url(), body: .bytes(body))
    _ = try await fixture.transport.send(request)
    _ = try await fixture.transport.send(request)
    let bodies = fixture.server.requests.map(\.body)
    #expect(bodies.map(\.count) == [body.count, body.count, body.count])
    let areSame = bodies.allSatisfy { $0 == body }
    #expect(areSame)
  }
}

/// A file that goes away with its owner.
private final class TemporaryFile {
  let path: String
  let descriptor: Int32

  init(_ bytes: [UInt8] = []) throws {
    var template = Array("/tmp/hpc-test-XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&template)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard descriptor >= 0, unsafe write(descriptor, bytes, bytes.count) == bytes.count else {
      throw ServerError(errno: errno)
    }
  }

  deinit {
    close(descriptor)
    unsafe unlink(path)
  }

  func contents() throws -> [UInt8] {
    let length = Int(lseek(descriptor, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: length)
    guard unsafe pread(descriptor, &bytes, length, 0) == length else {
      throw ServerError(errno: errno)
    }
    return bytes
  }
}
