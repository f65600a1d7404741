import Testing

@testable import HPCClient

@Suite struct SyncGateTests {
  private func path(_ text: String) throws -> HomePath { try HomePath(text) }

  @Test(arguments: [
    ("a", SyncGate.Use.fromOnline, "a", SyncGate.Use.toOnline, true),
    ("a", .fromOnline, "a/b", .toOnline, true), ("a/b", .toOnline, "a", .fromOnline, true),
    (".", .fromOnline, "x", .toOnline, true), ("a", .fromOnline, "a", .fromOnline, false),
    ("a", .fromOnline, "ab", .toOnline, false), ("a/b", .fromOnline, "a/c", .toOnline, false),
    ("a", .both, "a", .fromOnline, true), ("a", .both, "a/b", .both, true),
    ("a", .both, "b", .both, false),
  ])
  func onlyOppositeUsesOfOverlappingPathsMeet(
    _ first: String, _ use: SyncGate.Use, _ second: String, _ other: SyncGate.Use, _ meet: Bool
  ) throws {
    let gate = SyncGate()
    let holder = gate.queue(try path(first), use)
    #expect(gate.obstacle(holder, oldest: .zero) == nil)
    let waiter = gate.queue(try path(second), other)
    #expect(gate.obstacle(waiter, oldest: .zero) == (meet ? .work : nil))
    gate.leave(holder)
    #expect(gate.obstacle(waiter, oldest: .zero) == nil)
  }

  @Test func theOneThatAskedFirstGoesFirst() throws {
    let gate = SyncGate()
    let holder = gate.queue(try path("a"), .fromOnline)
    #expect(gate.obstacle(holder, oldest: .zero) == nil)
    let first = gate.queue(try path("a"), .toOnline)
    // It could go beside the holder, but the first would wait for ever.
    let second = gate.queue(try path("a"), .fromOnline)
    #expect(gate.obstacle(second, oldest: .zero) == .work)
    gate.leave(holder)
    #expect(gate.obstacle(second, oldest: .zero) == .work)
    #expect(gate.obstacle(first, oldest: .zero) == nil)
    gate.leave(first)
    #expect(gate.obstacle(second, oldest: .zero) == nil)
  }

  @Test func aSyncStandsInTheWayUntilItIsSeenToBeOverOrOld() async throws {
    let gate = SyncGate()
    let poster = gate.queue(try path("a"), .toOnline)
    _ = gate.obstacle(poster, oldest: .zero)
    await gate.posted(poster, SyncID(7), at: .seconds(10))
    let waiter = gate.queue(try path("a"), .fromOnline)
    #expect(gate.obstacle(waiter, oldest: .zero) == .sync(SyncID(7)))
    #expect(gate.obstacle(waiter, oldest: .seconds(10)) == .sync(SyncID(7)))
    #expect(gate.obstacle(waiter, oldest: .seconds(11)) == nil)

    let other = SyncGate()
    let ended = other.queue(try path("a"), .toOnline)
    _ = other.obstacle(ended, oldest: .zero)
    await other.posted(ended, SyncID(8), at: .zero)
    other.ended(SyncID(8))
    let next = other.queue(try path("a"), .fromOnline)
    #expect(other.obstacle(next, oldest: .zero) == nil)
  }
}
