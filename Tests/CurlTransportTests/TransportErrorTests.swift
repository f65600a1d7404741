import CurlTransport
import Glibc
import HTTP
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct TransportErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: [ScriptedServer.Step]
    let kind: TransportError.Kind

    init(_ name: String, _ steps: [ScriptedServer.Step], _ kind: TransportError.Kind) {
      self.name = name
      self.steps = steps
      self.kind = kind
    }

    var testDescription: String { name }
  }

  @Test(arguments: [
    Case("closed without a byte", [.close], .reset),
    Case("reset without a byte", [.reset], .reset),
    Case("closed within the status line", .raw("HTTP/1.1 2") + [.close], .reset),
    Case(
      "closed within the headers", .raw("HTTP/1.1 200 OK\r\nContent-Len") + [.close], .truncated),
    Case(
      "closed after a header", .raw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n") + [.close],
      .truncated),
    Case(
      "closed within the body", .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") + [.close],
      .truncated),
    Case(
      "reset within the body",
      .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") + [
        .pause(.milliseconds(20)), .reset,
      ],
      .truncated),
    Case(
      "closed within a chunk",
      .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc") + [.close], .truncated),
    Case(
      "closed between chunks",
      .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n") + [.close],
      .truncated),
    Case("no HTTP", .raw("SSH-2.0-OpenSSH_9.2\r\n") + [.close], .protocolViolation),
    Case("garbage", [.send([0, 255, 1, 254, 10, 10, 13, 10]), .close], .protocolViolation),
    Case(
      "a header without end",
      .raw("HTTP/1.1 200 OK\r\nX: ") + [.fill(0x61, count: 64 << 20), .close], .protocolViolation),
    Case(
      "headers without end",
      .raw("HTTP/1.1 200 OK\r\n")
        + .raw(String(repeating: "X-Filler: 0123456789\r\n", count: 99_999))
        + [.hold], .protocolViolation),
  ])
  func whatIsNoWholeAnswer(_ example: Case) async throws {
    let fixture = try TransportFixture { _ in example.steps }
    let error = try #require(
      await fixture.error(
        HTTPRequest(.get, fixture.server.url("/path", query: "query=secret"))))
    #expect(error.kind == example.kind)
    #expect(error.mayHaveBeenSent)
    #expect(error.detail.contains("/path"))
    #expect(!error.detail.contains("secret"))
  }

  @Test func aBodyWithoutLengthEndsWithItsConnection() async throws {
    let fixture = try TransportFixture { _ in .raw("HTTP/1.1 200 OK\r\n\r\nabc") + [.close] }
    #expect(try await fixture.transport.send(fixture.get()).body == Array("abc".utf8))
  }

  @Test func nobodyListens() async throws {
    let fixture = try TransportFixture { _ in [] }
    let url = fixture.server.url()
    fixture.server.stop()
    var error = await fixture.error(HTTPRequest(.get, url))
    // Until the listener is closed, its queue may still take a connection and then drop it.
    while error?.kind == .reset { error = await fixture.error(HTTPRequest(.get, url)) }
    #expect(error?.kind == .connect)
    #expect(error?.mayHaveBeenSent == false)
  }

  @Test func aHostWithoutAddress() async throws {
    let transport = CurlTransport(.init(slots: .transport))
    await #expect {
      _ = try await transport.send(
        HTTPRequest(.get, HTTPURL(scheme: .http, host: "no-such-host.invalid")))
    } throws: { error in
      guard let error = error as? TransportError else { return false }
      return error.kind == .resolve && !error.mayHaveBeenSent
    }
  }

  /// A slot whose look-up failed takes the next request as if nothing had been: curl 7.88 refuses
  /// some options until the next transfer has begun.
  @Test func aFailedLookUpLeavesItsSlotUsable() async throws {
    let transport = CurlTransport(.init(limit: 1, slots: .transport))
    func kind(_ sink: HTTPSink) async -> TransportError.Kind? {
      var request = HTTPRequest(.get, HTTPURL(scheme: .http, host: "no-such-host.invalid"))
      request.sink = sink
      do throws(TransportError) {
        _ = try await transport.send(request)
        return nil
      } catch {
        return error.kind
      }
    }
    let memory = HTTPSink.memory(limit: 1)
    let file = HTTPSink.file(descriptor: -1, errorLimit: 1)
    for sink in [memory, memory, file, memory, file, file] {
      #expect(await kind(sink) == .resolve)
    }
  }

  @Test(arguments: [
    ("X Y", "v"), ("", "v"), ("X:Y", "v"), ("X", "a\r\nEvil: 1"), ("X", "a\nb"), ("X", "a\0b"),
  ])
  func headersThatWouldBreakTheMessageAreRefused(name: String, value: String) async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    var request = fixture.get()
    request.headers.add(name, value)
    let error = try #require(await fixture.error(request))
    #expect(!error.mayHaveBeenSent)
    #expect(fixture.server.counts.accepted == 0)
    // The slot is as good as before.
    #expect(try await fixture.transport.send(fixture.get()).status == 200)
  }

  // MARK: - Time

  @Test func noByteForTooLong() async throws {
    let fixture = try TransportFixture { _ in [.hold] }
    var request = fixture.get()
    request.timeouts.idle = .milliseconds(50)
    let error = try #require(await fixture.error(request))
    #expect(error.kind == .idleTimeout)
    #expect(error.mayHaveBeenSent)
  }

  @Test func noByteForTooLongOnAConnectionUsedBefore() async throws {
    let fixture = try TransportFixture { $0.turn == 0 ? .status(200) : [.hold] }
    _ = try await fixture.transport.send(fixture.get())
    var request = fixture.get()
    request.timeouts.idle = .milliseconds(50)
    #expect(await fixture.error(request)?.kind == .idleTimeout)
    #expect(fixture.server.counts.accepted == 1)
  }

  @Test func theIdleClockStartsAnewWithEachByte() async throws {
    let fixture = try TransportFixture { _ in
      .raw("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        + (0..<8).flatMap { _ in [.pause(.milliseconds(100)), .send([0x61])] }
    }
    var request = fixture.get()
    request.timeouts.idle = .milliseconds(700)
    #expect(try await fixture.transport.send(request).body.count == 8)
  }

  @Test func noWholeAnswerInTime() async throws {
    let fixture = try TransportFixture { _ in
      .raw("HTTP/1.1 200 OK\r\n\r\n")
        + (0..<1000).flatMap { _ in [.pause(.milliseconds(5)), .send([0x61])] }
    }
    var request = fixture.get()
    request.timeouts.total = .milliseconds(100)
    let error = try #require(await fixture.error(request))
    #expect(error.kind == .totalTimeout)
    #expect(error.mayHaveBeenSent)
  }

  @Test func noSlotInTime() async throws {
    let fixture = try TransportFixture(limit: 1) { _ in [.hold] }
    async let first = fixture.error(fixture.get("/held"))
    await fixture.server.waitUntil { $0.requests == 1 }
    var request = fixture.get("/waiting")
    request.timeouts.queue = .milliseconds(100)
    let error = try #require(await fixture.error(request))
    #expect(error.kind == .queueTimeout)
    #expect(!error.mayHaveBeenSent)
    #expect(fixture.transport.governors.first?.queued == 0)
    // A bound on one is none on the next, and what has a slot is held up by none.
    let patient = Task { await fixture.error(fixture.get("/patient")) }
    while fixture.transport.governors.first?.queued != 1 {
      try Task.checkCancellation()
      await Task.yield()
    }
    request.timeouts.queue = .milliseconds(50)
    #expect(await fixture.error(request)?.kind == .queueTimeout)
    #expect(fixture.transport.governors.first?.queued == 1)
    patient.cancel()
    #expect(await patient.value?.kind == .cancelled)
    fixture.transport.shutdown()
    #expect(await first?.kind == .closed)
  }

  @Test func waitsThatEndTogetherAreAnsweredOnceEach() async throws {
    let fixture = try TransportFixture(limit: 2) { _ in [.pause(.milliseconds(5))] + .status(200) }
    let kinds = await withTaskGroup(of: TransportError.Kind?.self) { group in
      for number in 0..<400 {
        var request = fixture.get()
        request.timeouts.queue = .milliseconds(number % 4 * 20)
        let wanted = request
        group.addTask { await fixture.error(wanted)?.kind }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(kinds.count == 400)
    #expect(kinds.contains(.queueTimeout))
    #expect(kinds.allSatisfy { $0 == nil || $0 == .queueTimeout })
    #expect(fixture.transport.governors.first?.queued == 0)
    #expect(fixture.server.counts.requests == kinds.count { $0 == nil })
  }

  @Test func noConnectionInTime() async throws {
    // A listener whose queue is full leaves further connections waiting.
    let listener = try FullListener()
    var request = HTTPRequest(
      .get, HTTPURL(scheme: .http, host: "127.0.0.1", port: listener.port))
    request.timeouts.connect = .milliseconds(100)
    let transport = CurlTransport(.init(slots: .transport))
    await #expect {
      _ = try await transport.send(request)
    } throws: { error in
      guard let error = error as? TransportError else { return false }
      return error.kind == .connectTimeout && !error.mayHaveBeenSent
    }
  }

  // MARK: - Cancellation

  /// What was sent is waited for after a cancellation where the request says so; what waits for a
  /// slot is withdrawn at once, and never sent.
  @Test func aSentRequestHasItsGrace() async throws {
    let gate = ScriptedServer.Gate()
    let fixture = try TransportFixture(limit: 1) { request in
      request.number == 0 ? [.wait(gate)] + .status(201) : .status(201)
    }
    var request = HTTPRequest(.post, fixture.server.url("/jobs"), isRepeatable: false)
    request.timeouts.afterCancellation = .seconds(60)
    let wanted = request
    let sent = Task { await fixture.reply(wanted) }
    await fixture.server.waitUntil { $0.requests == 1 }
    let queued = Task { await fixture.reply(wanted) }
    while fixture.transport.governors.first?.queued != 1 {
      try Task.checkCancellation()
      await Task.yield()
    }
    queued.cancel()
    sent.cancel()
    guard case .failure(let error) = await queued.value else {
      Issue.record("the queued request was answered")
      return
    }
    #expect(error.kind == .cancelled && !error.mayHaveBeenSent)
    gate.open()
    #expect(try await sent.value.get().status == 201)
    #expect(fixture.server.counts.requests == 1)
  }

  @Test func theGraceEnds() async throws {
    let fixture = try TransportFixture { _ in [.hold] }
    var request = fixture.get()
    request.timeouts.afterCancellation = .milliseconds(150)
    let wanted = request
    let task = Task { await fixture.error(wanted) }
    await fixture.server.waitUntil { $0.requests == 1 }
    let start = ContinuousClock.now
    task.cancel()
    let error = await task.value
    #expect(error?.kind == .cancelled)
    #expect(error?.mayHaveBeenSent == true)
    #expect(ContinuousClock.now - start >= .milliseconds(150))
  }

  @Test func cancellingATaskEndsItsTransfer() async throws {
    let fixture = try TransportFixture { _ in [.hold] }
    let task = Task { await fixture.error(fixture.get()) }
    await fixture.server.waitUntil { $0.requests == 1 }
    task.cancel()
    let error = try #require(await task.value)
    #expect(error.kind == .cancelled)
    #expect(error.mayHaveBeenSent)
    await fixture.server.waitUntil { $0.open == 0 }
  }

  @Test func aRequestCancelledInTheQueueIsNeverSent() async throws {
    let fixture = try TransportFixture(limit: 1) { _ in [.hold] }
    let first = Task { await fixture.error(fixture.get("/hold")) }
    await fixture.server.waitUntil { $0.requests == 1 }
    let task = Task { await fixture.error(fixture.get("/queued")) }
    while fixture.transport.governors.first?.queued != 1 {
      try Task.checkCancellation()
      await Task.yield()
    }
    task.cancel()
    let error = try #require(await task.value)
    #expect(error.kind == .cancelled)
    #expect(!error.mayHaveBeenSent)
    first.cancel()
    _ = await first.value
    #expect(fixture.server.requests.map(\.target) == ["/hold"])
  }

  @Test func aTaskCancelledBeforehandSendsNothing() async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    let error = await Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return await fixture.error(fixture.get())
    }.value
    #expect(error?.kind == .cancelled)
    #expect(error?.mayHaveBeenSent == false)
    #expect(fixture.server.counts.accepted == 0)
  }

  @Test func manyCancellationsLeaveTheSlotsWhole() async throws {
    let fixture = try TransportFixture(limit: 4) { request in
      request.target == "/hold" ? [.hold] : .status(200)
    }
    for _ in 0..<20 {
      let tasks = (0..<10).map { _ in Task { await fixture.error(fixture.get("/hold")) } }
      for task in tasks { task.cancel() }
      for task in tasks { #expect(await task.value?.kind == .cancelled) }
    }
    #expect(try await fixture.transport.send(fixture.get()).status == 200)
    #expect(fixture.server.counts.peak <= 4)
  }
}

/// A listening socket whose accept queue is full.
private struct FullListener: ~Copyable {
  let port: Int
  private var sockets: [Int32] = []

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    var connecting: [Int32] = []
    let bound = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard unsafe bind(listener, address, length) == 0, listen(listener, 0) == 0,
          unsafe getsockname(listener, address, &length) == 0
        else { return false }
        for _ in 0..<4 {
          let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue
          let peer = socket(AF_INET, Int32(kind), 0)
          _ = unsafe connect(peer, address, length)
          connecting.append(peer)
        }
        return true
      }
    }
    guard bound else { throw ServerError(errno: errno) }
    port = Int(UInt16(bigEndian: address.sin_port))
    sockets = [listener] + connecting
  }

  deinit {
    for socket in sockets { close(socket) }
  }
}
