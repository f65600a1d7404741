import HTTP
import Synchronization
import TestSupport
import Testing

@testable import HPCClient

@Suite struct SyncNoteTests {
  private func note(
    _ path: String, _ use: SyncGate.Use, isClaim: Bool = false, sync: Int64? = nil
  ) throws -> SyncNote {
    var note = SyncNote(path: try HomePath(path), use: use, isClaim: isClaim)
    note.sync = sync.map { SyncID($0) }
    return note
  }

  @Test(arguments: ["a", ".", "a b/c  d", "日本/x"])
  func aNoteCanBeReadAgain(path: String) throws {
    for sync in [nil, 0, Int64.max] {
      for isClaim in [true, false] {
        let note = try note(path, .both, isClaim: isClaim, sync: sync)
        #expect(SyncNote(note.text) == note)
      }
    }
  }

  @Test(arguments: [
    "", "sync", "sync up 1 a", "sync both 1", "sync both 1 /a", "claim both - ../x",
  ])
  func garbageIsNoNote(text: String) {
    #expect(SyncNote(text) == nil)
  }

  @Test(arguments: [
    // What another says, whether it is kept, which syncs are over, and what that means.
    ("sync fromOnline 7 a", true, [], SyncNote.Verdict.block),
    ("sync fromOnline 7 a", false, [], .block), ("sync fromOnline 7 a", true, [7], .remove),
    ("sync fromOnline 7 a", false, [7], .remove), ("sync toOnline 7 a", true, [], .ignore),
    ("sync fromOnline 7 b", true, [], .ignore), ("sync fromOnline 7 .", true, [], .block),
    ("sync fromOnline - a", true, [], .block), ("sync fromOnline - a", false, [], .remove),
    ("claim fromOnline 7 a/b", true, [7], .block), ("claim fromOnline 7 a/b", false, [7], .remove),
    ("claim both - a", true, [], .block), ("claim both - a", false, [], .remove),
    ("", true, [], .block), ("gar", false, [], .remove),
  ])
  func othersStandInTheWayWhileTheySync(
    text: String, isKept: Bool, over: [Int64], verdict: SyncNote.Verdict
  ) throws {
    let mine = try note("a", .toOnline)
    #expect(mine.judge(text, isKept: isKept, over: Set(over.map { SyncID($0) })) == verdict)
  }

  /// Another program whose note is there, as that of a dead one, until it is removed.
  private final class Neighbours: SyncNeighbours {
    struct Left: LeftSyncNote {
      let neighbours: Neighbours
      func write(_ text: String, last: Bool) {
        neighbours.said.withLock { $0.append("\(text) \(last)") }
      }
    }

    let others: Mutex<[String]>
    let said = Mutex<[String]>([])

    init(_ others: [String]) { self.others = Mutex(others) }

    func leave(
      _ text: String, judge: (String, Bool) -> SyncNote.Verdict
    ) -> SyncNote.Outcome {
      for other in others.withLock({ $0 }) {
        switch judge(other, false) {
        case .block: return .blocked(by: other, isKept: false)
        case .remove: others.withLock { $0.removeAll { $0 == other } }
        case .ignore: break
        }
      }
      said.withLock { $0.append(text) }
      return .left(Left(neighbours: self))
    }
  }

  @Test func whatADeadProgramHasPostedIsWaitedFor() async throws {
    let transport = InMemoryTransport { request, number throws(TransportError) in
      let body =
        request.method == .post
        ? "{\"requestid\": \(number)}"
        : number < 3 ? #"{"status": "waiting"}"# : #"{"status": "complete", "result": "0"}"#
      return HTTPResponse(status: 200, body: Array(body.utf8))
    }
    let fixture = Fixture(transport)
    var configuration = fixture.client.configuration
    let neighbours = Neighbours(["sync fromOnline 70 a/b", "sync toOnline 71 a"])
    configuration.syncNeighbours = neighbours
    let client = HPCClient(configuration, transport: transport)
    let claim = try await client.claimPath(HomePath("a"), for: .toOnline)
    _ = try await client.sync(claim, .toOnline)
    claim.release()
    #expect(
      fixture.sent == [
        "GET /files/sync/70", "GET /files/sync/70", "GET /files/sync/70", "POST /files/sync",
        "GET /files/sync/4",
      ])
    #expect(neighbours.others.withLock { $0 } == ["sync toOnline 71 a"])
    #expect(neighbours.said.withLock { $0 } == ["claim toOnline - a", "claim toOnline 4 a false"])
    _ = try await client.startSync(path: "a", direction: .toOnline)
    #expect(neighbours.said.withLock { $0 }.last == "sync toOnline 6 a true")
  }
}
