import HTTP
import TestSupport
import Testing

@testable import CurlTransport

/// What curl's callbacks are told: the second line of defence behind fresh connections.
@Suite(.timeLimit(.minutes(5))) struct TransferTests {
  @Test(arguments: [true, false])
  func aSecondSendingIsRefusedWhereThereMustBeNone(isRepeatable: Bool) async throws {
    let transfer = try await transfer(isRepeatable: isRepeatable)
    #expect(transfer.willSend())
    #expect(transfer.willSend() == isRepeatable)
    #expect(transfer.failure == (isRepeatable ? nil : .reset))
  }

  @Test(arguments: [true, false])
  func aRewindIsRefusedWhereThereMustBeNone(isRepeatable: Bool) async throws {
    let transfer = try await transfer(isRepeatable: isRepeatable)
    #expect(transfer.rewind(to: 0) == isRepeatable)
    #expect(!transfer.rewind(to: 100))
  }

  private func transfer(isRepeatable: Bool) async throws -> Transfer {
    let url = HTTPURL(scheme: .http, host: "127.0.0.1", path: "/jobs")
    let request = HTTPRequest(.post, url, body: .bytes([1, 2, 3]), isRepeatable: isRepeatable)
    nonisolated(unsafe) var transfer: Result<Transfer, any Error>?
    _ = await withCheckedContinuation { continuation in
      let call = Call(request, ticket: Call.Ticket(id: 1), continuation: continuation)
      unsafe transfer = Result { try Transfer(call, signed: request, at: .now) }
      call.finish(.failure(.closed))
    }
    return try #require(unsafe transfer).get()
  }
}
