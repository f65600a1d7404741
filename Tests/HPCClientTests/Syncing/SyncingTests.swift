import HTTP
import JSON
import TestSupport
import Testing

@testable import HPCClient

@Suite struct SyncingTests {
  /// A service whose syncs wait as long as it is told.
  private func service(_ status: @escaping @Sendable (Int) -> String) -> InMemoryTransport {
    InMemoryTransport { request, number throws(TransportError) in
      if request.method == .post {
        return HTTPResponse(status: 200, body: Array("{\"requestid\": \(number)}".utf8))
      }
      return HTTPResponse(status: 200, body: Array(status(number).utf8))
    }
  }

  @Test func anOppositeSyncWaitsForTheEndOfTheFirst() async throws {
    let fixture = Fixture(
      service {
        $0 < 5 ? #"{"status": "waiting"}"# : #"{"status": "complete", "result": "0"}"#
      })
    _ = try await fixture.client.startSync(path: "a/b", direction: .toOnline)
    _ = try await fixture.client.startSync(path: "a", direction: .fromOnline)
    #expect(
      fixture.sent == [
        "POST /files/sync", "GET /files/sync/1", "GET /files/sync/1", "GET /files/sync/1",
        "GET /files/sync/1", "POST /files/sync",
      ])
  }

  @Test func aLongWaitForAnotherSyncIsToldOnce() async throws {
    let fixture = Fixture(
      service {
        $0 < 30 ? #"{"status": "waiting"}"# : #"{"status": "complete", "result": "0"}"#
      })
    func warnings() -> [String] {
      fixture.events.all.compactMap { if case .warning(let text) = $0 { text } else { nil } }
    }
    _ = try await fixture.client.startSync(path: "a/b", direction: .toOnline)
    #expect(warnings().isEmpty)
    _ = try await fixture.client.startSync(path: "a", direction: .fromOnline)
    #expect(fixture.time.uptime() > .seconds(60))
    #expect(warnings().count == 1)
    #expect(warnings().first?.contains("\"a\"") == true)
  }

  @Test func everyCallPostsItsOwn() async throws {
    let fixture = Fixture(service { _ in #"{"status": "waiting"}"# })
    let first = try await fixture.client.startSync(path: "a")
    let second = try await fixture.client.startSync(path: "a")
    #expect(first != second)
    #expect(fixture.sent == ["POST /files/sync", "POST /files/sync"])
  }

  @Test func aSyncThatTheServiceDoesNotKnowIsNoObstacle() async throws {
    let transport = InMemoryTransport { request, number throws(TransportError) in
      request.method == .post
        ? HTTPResponse(status: 200, body: Array("{\"requestid\": \(number)}".utf8))
        : HTTPResponse(
          status: 404, body: Array(#"{"code": "GeneralError", "message": "x"}"#.utf8))
    }
    let fixture = Fixture(transport)
    _ = try await fixture.client.startSync(path: "a", direction: .toOnline)
    _ = try await fixture.client.startSync(path: "a", direction: .fromOnline)
    #expect(fixture.sent.count == 3)
  }

  @Test func aRefusedPostLeavesThePathFree() async throws {
    let fixture = Fixture(
      .json(403, #"{"code": "Client.AuthFailurePermission", "message": "x"}"#),
      .json(200, #"{"requestid": 2}"#))
    await #expect(throws: HPCError.self) {
      try await fixture.client.startSync(path: "a", direction: .toOnline)
    }
    #expect(try await fixture.client.startSync(path: "a", direction: .fromOnline) == SyncID(2))
  }

  @Test(arguments: ["hpc", "hpc/x/out", ".", "./hpc/", "./"])
  func deletingWhereSweepsLiveIsRefused(_ path: String) async throws {
    let fixture = Fixture(service { _ in "" })
    let error = await #expect(throws: HPCError.self) {
      try await fixture.client.startSync(path: path, delete: true)
    }
    #expect(error?.message.contains("sweeps") == true)
    #expect(fixture.sent.isEmpty)
    _ = try await fixture.client.startSync(path: path, delete: true, force: true)
    _ = try await fixture.client.startSync(path: path)
    #expect(fixture.sent.count == 2)
  }

  @Test func deletingElsewhereIsNot() async throws {
    let fixture = Fixture(service { _ in "" })
    _ = try await fixture.client.startSync(path: "hpcx", delete: true)
    _ = try await fixture.client.startSync(path: "work/hpc", delete: true)
    #expect(fixture.sent.count == 2)
  }

  @Test(arguments: [
    (#"{"status": "complete", "result": "1"}"#, "result \"1\""),
    (#"{"status": "complete"}"#, "result missing"),
    (#"{"status": "error: parameter error"}"#, "parameter error"),
    (#"{"status": "error: no such ID"}"#, "no such ID"),
  ])
  func aClaimedSyncThatEndsBadlyIsAnErrorThatSaysHow(_ status: String, _ text: String) async throws
  {
    let fixture = Fixture(service { _ in status })
    let claim = try await fixture.client.claimPath(try HomePath("a"), for: .toOnline)
    let error = await #expect(throws: HPCError.self) {
      try await fixture.client.sync(claim, .toOnline)
    }
    claim.release()
    #expect(error?.code == "SyncFailed")
    #expect(error?.message.contains(text) == true)
  }

  @Test func aSyncWhoseWaitFailedIsStillInTheWay() async throws {
    let transport = InMemoryTransport { request, number throws(TransportError) in
      if request.method == .post {
        return HTTPResponse(status: 200, body: Array("{\"requestid\": \(number)}".utf8))
      }
      return number == 2
        ? HTTPResponse(status: 403, body: Array(#"{"code": "x", "message": "x"}"#.utf8))
        : HTTPResponse(
          status: 200,
          body: Array(
            (number < 5
              ? #"{"status": "waiting"}"# : #"{"status": "complete", "result": "0"}"#).utf8))
    }
    let fixture = Fixture(transport)
    let claim = try await fixture.client.claimPath(HomePath("a"), for: .toOnline)
    await #expect(throws: HPCError.self) { try await fixture.client.sync(claim, .toOnline) }
    claim.release()
    _ = try await fixture.client.startSync(path: "a", direction: .fromOnline)
    #expect(
      fixture.sent == ["POST /files/sync"]
        + Array(repeating: "GET /files/sync/1", count: 4) + ["POST /files/sync"])
  }
}
