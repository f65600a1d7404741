import HTTP
import Testing

@testable import CurlTransport

@Suite struct GovernorTests {
  typealias Action = Governor.Action

  @Test func aRequestTakesASlotAndStarts() {
    var machine = Machine(limit: 3)
    machine.queue(1)
    #expect(machine.actions == [.take(inTurn: false), .start(1, slot: 0)])
    #expect(machine.governor.held == 1)
    #expect(machine.governor.inFlight == 1)
  }

  @Test func aSlotIsUsedAgainRatherThanAnotherTaken() {
    var machine = Machine(limit: 3)
    machine.queue(1)
    machine.finish(0)
    machine.queue(2)
    #expect(machine.actions == [.start(2, slot: 0)])
    #expect(machine.governor.held == 1)
  }

  @Test func noMoreThanTheLimitAreUnderWay() {
    var machine = Machine(limit: 3)
    for request in 1...5 { machine.queue(UInt64(request)) }
    #expect(machine.started == [1, 2, 3])
    #expect(machine.governor.queue.count == 2)
    machine.finish(1)
    #expect(machine.actions == [.start(4, slot: 1)])
  }

  @Test func aWithdrawnRequestNeverStarts() {
    var machine = Machine(limit: 1)
    for request in 1...3 { machine.queue(UInt64(request)) }
    machine.send(.withdrawn(2, .ordinary))
    machine.finish(0)
    #expect(machine.started == [1, 3])
    #expect(machine.governor.queue.isEmpty)
  }

  @Test func theSlotUsedLastIsUsedFirst() {
    var machine = Machine(limit: 3)
    for request in 1...3 { machine.queue(UInt64(request)) }
    for slot in [1, 0, 2] {
      machine.pass(.milliseconds(1))
      machine.finish(slot)
    }
    machine.queue(4)
    #expect(machine.actions == [.start(4, slot: 2)])
  }

  @Test func whatIsIdleForLongIsGivenBack() {
    var machine = Machine(limit: 2)
    machine.queue(1)
    machine.queue(2)
    machine.finish(0)
    machine.pass(.seconds(1))
    machine.finish(1)
    machine.pass(.milliseconds(501))
    machine.send(.timer)
    #expect(machine.actions == [.giveBack(slot: 0)])
    machine.pass(.seconds(1))
    machine.send(.timer)
    #expect(machine.actions == [.giveBack(slot: 1)])
    #expect(machine.governor.held == 0)
    #expect(machine.governor.nextTimer() == nil)
  }

  @Test func anIdleSlotIsGivenBackWithinTwoSecondsByItsOwnTimer() throws {
    var machine = Machine(limit: 1)
    machine.queue(1)
    machine.finish(0)
    let timer = try #require(machine.governor.nextTimer())
    #expect(timer - machine.now <= .seconds(2))
  }

  // MARK: - Rest

  @Test func aSlotOfAnotherProcessRestsFirst() {
    var machine = Machine(limit: 1)
    machine.othersHeld = [0]
    machine.queue(1)
    #expect(machine.actions == [.take(inTurn: false)])
    #expect(machine.governor.nextTimer() == machine.now + .milliseconds(10))
    machine.pass(.milliseconds(9))
    machine.send(.timer)
    #expect(machine.actions == [])
    machine.pass(.milliseconds(1))
    machine.send(.timer)
    #expect(machine.actions == [.start(1, slot: 0)])
  }

  @Test func aSlotRestsAfterItsConnectionWasClosed() {
    var machine = Machine(limit: 1)
    machine.queue(1)
    machine.queue(2)
    machine.finish(0, connected: false)
    #expect(machine.actions == [])
    machine.pass(.milliseconds(10))
    machine.send(.timer)
    #expect(machine.actions == [.start(2, slot: 0)])
  }

  @Test func aFreshRequestPrefersASlotWithoutConnection() {
    var machine = Machine(limit: 2)
    machine.queue(1)
    machine.queue(2)
    machine.finish(0, connected: false)
    machine.finish(1)
    machine.pass(.milliseconds(10))
    machine.send(.timer)
    machine.queue(3, .submission, fresh: true)
    #expect(machine.actions == [.start(3, slot: 0)])
  }

  @Test func inAStreamOfSubmissionsTheFreeSlotRestsAheadOfTheNext() {
    var machine = Machine(limit: 3)
    for request in 1...4 { machine.queue(UInt64(request), .submission, fresh: true) }
    // Two go, the third slot is free of them: it has no connection yet.
    #expect(machine.started == [1, 2])
    machine.pass(.milliseconds(100))
    machine.finish(0)
    #expect(machine.actions.last == .disconnect(slot: 0))
    #expect(machine.started == [1, 2, 3])
    machine.pass(.milliseconds(100))
    machine.finish(1)
    #expect(machine.started == [1, 2, 3, 4])
    #expect(machine.governor.held == 3)
  }

  @Test func aSingleSubmissionLeavesTheConnectionsOfOthersAlone() {
    var machine = Machine(limit: 2)
    machine.queue(1)
    machine.queue(2)
    machine.finish(0)
    machine.finish(1)
    machine.queue(3, .submission, fresh: true)
    #expect(machine.actions == [.disconnect(slot: 0)])
  }

  @Test func aConnectionIsClosedBeforeAFreshRequestUsesItsSlot() {
    var machine = Machine(limit: 1)
    machine.queue(1)
    machine.finish(0)
    machine.queue(2, .submission, fresh: true)
    #expect(machine.actions == [.disconnect(slot: 0)])
    machine.pass(.milliseconds(10))
    machine.send(.timer)
    #expect(machine.actions == [.start(2, slot: 0)])
  }

  @Test func aFreshRequestWithdrawnBeforeItsStartLeavesTheSlot() {
    var machine = Machine(limit: 1)
    machine.queue(1)
    machine.finish(0)
    machine.queue(2, .submission, fresh: true)
    machine.send(.withdrawn(2, .ordinary))
    machine.queue(3)
    #expect(machine.actions == [])
    machine.pass(.milliseconds(10))
    machine.send(.timer)
    #expect(machine.actions == [.start(3, slot: 0)])
  }

  // MARK: - Classes

  @Test func cancelsGoFirst() {
    var machine = Machine(limit: 1)
    machine.queue(1)
    machine.queue(2)
    machine.queue(3, .submission)
    machine.queue(4, .urgent)
    machine.queue(5, .urgent)
    for _ in 0..<4 { machine.finish(0) }
    #expect(machine.started == [1, 4, 5, 3, 2])
  }

  @Test(arguments: [2, 3, 10])
  func oneOfSeveralSlotsIsKeptFreeOfSubmissions(limit: Int) {
    var machine = Machine(limit: limit)
    for request in 1...20 { machine.queue(UInt64(request), .submission) }
    #expect(machine.started.count == limit - 1)
    #expect(machine.governor.held == limit)
    machine.queue(100)
    #expect(machine.started.last == 100)
    machine.finish(0)
    #expect(machine.started.last == UInt64(limit))
  }

  @Test func aSingleSubmissionNeedsNoSecondSlot() {
    var machine = Machine(limit: 10)
    machine.queue(1, .submission)
    #expect(machine.started == [1])
    #expect(machine.governor.held == 1)
  }

  @Test func onASingleSlotTheClassesTakeTurns() {
    var machine = Machine(limit: 1)
    for request in 1...4 { machine.queue(UInt64(request)) }
    for request in 11...14 { machine.queue(UInt64(request), .submission) }
    for _ in 0..<7 { machine.finish(0) }
    #expect(machine.started == [1, 11, 2, 12, 3, 13, 4, 14])
  }

  @Test func aFloodOfReadsDoesNotStarveSubmissions() {
    var machine = Machine(limit: 4)
    for request in 1...40 { machine.queue(UInt64(request)) }
    machine.queue(100, .submission)
    machine.finish(0)
    #expect(machine.started.last == 100)
  }

  // MARK: - The limit

  @Test func a500HalvesTheLimit() {
    var machine = Machine(limit: 10)
    machine.queue(1)
    machine.finish(0, .overload)
    #expect(machine.actions == [.limitChanged(from: 10, to: 5)])
    #expect(machine.governor.decreasedSince == machine.now)
  }

  @Test func a500OfASubmissionDoesNotCount() {
    var machine = Machine(limit: 10)
    machine.queue(1, .submission)
    machine.finish(0, .overload)
    #expect(machine.governor.limit == 10)
  }

  @Test func requestsUnderWayAtADecreaseDoNotDecreaseAgain() {
    var machine = Machine(limit: 10)
    for request in 1...10 { machine.queue(UInt64(request)) }
    machine.pass(.milliseconds(50))
    for slot in 0..<10 { machine.finish(slot, .overload) }
    #expect(machine.governor.limit == 5)
    // The next round trip may.
    machine.queue(11)
    machine.pass(.milliseconds(50))
    machine.finish(machine.lastSlot, .overload)
    #expect(machine.governor.limit == 2)
    machine.queue(12)
    machine.finish(machine.lastSlot, .overload)
    #expect(machine.governor.limit == 2)
  }

  @Test(arguments: [1, 2, 3])
  func theFloorIsTwoOrTheLimitItself(limit: Int) {
    var machine = Machine(limit: limit)
    for request in 1...5 {
      machine.queue(UInt64(request))
      machine.finish(0, .overload)
      machine.pass(.milliseconds(1))
    }
    #expect(machine.governor.limit == min(2, limit))
  }

  @Test func slotsAboveALoweredLimitAreGivenBack() {
    var machine = Machine(limit: 10)
    for request in 1...10 { machine.queue(UInt64(request)) }
    machine.finish(0, .overload)
    #expect(machine.actions == [.limitChanged(from: 10, to: 5), .giveBack(slot: 0)])
    for slot in 1..<10 { machine.finish(slot) }
    #expect(machine.governor.held == 5)
    for request in 11...30 { machine.queue(UInt64(request)) }
    #expect(machine.governor.inFlight == 5)
  }

  @Test func aRunOfSuccessesRaisesTheLimitByOne() {
    var machine = Machine(limit: 10)
    machine.queue(1)
    machine.finish(0, .overload)
    for request in 0..<machine.governor.rules.successesPerStep {
      #expect(machine.governor.limit == 5)
      machine.queue(UInt64(request + 2))
      machine.finish(machine.lastSlot)
    }
    #expect(machine.governor.limit == 6)
  }

  @Test func theLimitIsWholeAMinuteAfterTheLastDecrease() throws {
    var machine = Machine(limit: 10)
    machine.queue(1)
    machine.finish(0, .overload)
    machine.pass(.seconds(30))
    machine.queue(2)
    machine.finish(machine.lastSlot, .overload)
    let decreased = machine.now
    var limits: [Int] = []
    while let timer = machine.governor.nextTimer() {
      machine.now = timer
      machine.send(.timer)
      limits.append(machine.governor.limit)
    }
    #expect(machine.now - decreased <= .seconds(60))
    #expect(machine.governor.limit == 10)
    #expect(machine.governor.decreasedSince == nil)
    // One step after another, not at once.
    for (earlier, later) in zip(limits, limits.dropFirst()) { #expect(later - earlier <= 1) }
  }

  // MARK: - Others

  @Test func oneSlotIsGivenBackWhenAnotherProcessStarves() {
    var machine = Machine(limit: 3, isShared: true)
    for request in 1...6 { machine.queue(UInt64(request)) }
    machine.pass(.milliseconds(50))
    machine.isWanted = true
    machine.finish(0)
    #expect(machine.actions == [.probe(slot: 0), .giveBack(slot: 0)])
    // The next request's end comes too soon to look again.
    machine.finish(1)
    #expect(machine.actions == [.start(4, slot: 1)])
    machine.pass(.milliseconds(20))
    machine.isWanted = false
    machine.finish(2)
    #expect(machine.actions.first == .probe(slot: 2))
    #expect(machine.started.suffix(2) == [5, 6])
  }

  @Test func aProcessWithAnIdleSlotLooksWhetherOthersStarve() throws {
    var machine = Machine(limit: 1, isShared: true)
    machine.queue(1)
    machine.finish(0)
    machine.isWanted = true
    let timer = try #require(machine.governor.nextTimer())
    #expect(timer - machine.now <= .milliseconds(10))
    machine.now = timer
    machine.send(.timer)
    #expect(machine.actions == [.probe(slot: 0), .giveBack(slot: 0)])
  }

  @Test func theOnlySlotIsGivenBackAfterASecondOfUse() {
    var machine = Machine(limit: 1, isShared: true)
    machine.isWanted = true
    machine.free = [0]
    machine.ignoresWant = true
    for request in 1...3 { machine.queue(UInt64(request)) }
    machine.pass(.milliseconds(900))
    machine.finish(0)
    #expect(machine.actions == [.start(2, slot: 0)])
    machine.pass(.milliseconds(100))
    machine.finish(0)
    #expect(machine.actions == [.probe(slot: 0), .giveBack(slot: 0), .joinLine])
    #expect(machine.governor.line == .waiting)
  }

  @Test func withoutASlotAProcessStandsInLine() {
    var machine = Machine(limit: 2, isShared: true)
    machine.free = []
    machine.queue(1)
    #expect(machine.actions == [.take(inTurn: false), .joinLine])
    machine.free = [1]
    machine.send(.firstInLine)
    #expect(machine.actions == [.take(inTurn: true), .start(1, slot: 1), .leaveLine])
    #expect(machine.governor.line == .none)
  }

  @Test func theFirstInLineTriesOften() throws {
    var machine = Machine(limit: 2, isShared: true)
    machine.free = []
    machine.queue(1)
    machine.send(.firstInLine)
    #expect(machine.actions == [.take(inTurn: true)])
    let timer = try #require(machine.governor.nextTimer())
    #expect(timer - machine.now <= .milliseconds(2))
  }

  @Test func aStoppedProcessAtTheHeadHoldsNobodyUp() throws {
    var machine = Machine(limit: 2, isShared: true)
    machine.free = []
    machine.queue(1)
    machine.free = [0]
    let timer = try #require(machine.governor.nextTimer())
    #expect(timer - machine.now <= .milliseconds(250))
    machine.now = timer
    machine.send(.timer)
    #expect(machine.started == [1])
  }

  @Test func theLineIsLeftWhenNothingWaitsAnyMore() {
    var machine = Machine(limit: 2, isShared: true)
    machine.free = []
    machine.queue(1)
    machine.send(.withdrawn(1, .ordinary))
    #expect(machine.actions == [.leaveLine])
    machine.send(.firstInLine)
    #expect(machine.actions == [.leaveLine])
    #expect(machine.governor.nextTimer() == nil)
  }

  @Test func noMoreSlotsAreTakenWhileOthersStarve() {
    var machine = Machine(limit: 3, isShared: true)
    machine.queue(1)
    machine.isWanted = true
    machine.queue(2)
    #expect(machine.actions == [.take(inTurn: false)])
    #expect(machine.governor.held == 1)
  }
}

/// A governor with its shell: answers `.take` and `.probe`, keeps time, writes down what was done.
private struct Machine {
  var governor: Governor
  var now = Moment.now
  /// Of the last event.
  var actions: [Governor.Action] = []
  var started: [UInt64] = []
  var lastSlot = 0
  var free: Set<Int>
  var othersHeld: Set<Int> = []
  var isWanted = false
  /// As if the others had come after the slot was taken.
  var ignoresWant = false

  init(limit: Int, isShared: Bool = false) {
    var rules = GovernorRules()
    rules.limit = limit
    rules.isShared = isShared
    governor = Governor(rules: rules)
    free = Set(0..<limit)
  }

  mutating func pass(_ span: Span) { now = now + span }

  mutating func queue(
    _ request: UInt64, _ requestClass: HTTPRequestClass = .ordinary, fresh: Bool = false
  ) {
    send(.queued(request, requestClass, fresh: fresh))
  }

  mutating func finish(
    _ slot: Int, _ outcome: Governor.Outcome = .success, connected: Bool = true
  ) {
    send(.finished(slot: slot, outcome, connected: connected))
  }

  mutating func send(_ event: Governor.Event) {
    actions = []
    var events = [event]
    while !events.isEmpty {
      for action in governor.handle(events.removeFirst(), at: now) {
        actions.append(action)
        switch action {
        case .take(let inTurn):
          if let slot = free.min(), inTurn || !isWanted || ignoresWant {
            free.remove(slot)
            events.append(.taken(slot: slot, rests: othersHeld.contains(slot)))
          } else {
            events.append(.noneFree)
          }
        case .probe: events.append(.wanted(isWanted))
        case .giveBack(let slot): free.insert(slot)
        case .start(let request, let slot):
          started.append(request)
          lastSlot = slot
        case .disconnect, .joinLine, .leaveLine, .limitChanged: break
        }
      }
    }
  }
}
