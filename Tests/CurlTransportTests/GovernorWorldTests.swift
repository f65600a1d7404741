import HTTP
import Testing

@testable import CurlTransport

/// Several governors over one set of slots, on a virtual clock.
@Suite struct GovernorWorldTests {
  @Test(arguments: [20, 50, 200])
  func aNewcomerIsAnsweredWithinThreeRequestTimes(latency: Int) {
    let time = Span.milliseconds(Int64(latency))
    var world = World(processes: 2, latency: time)
    world.queue(1000, at: 0)
    // In every phase of the other's requests.
    world.run(until: .milliseconds(Int64(10 * latency + latency / 3)))
    #expect(world.slotsOf(0) == 10)
    world.queue(1, at: 1)
    let asked = world.now
    world.run { $0.answered[1] == 1 }
    #expect(world.now - asked <= time * 3)
    #expect(world.peak <= 10)
  }

  @Test(arguments: [11, 12, 21])
  func everyProcessGetsItsTurn(processes: Int) {
    var world = World(processes: processes, latency: .milliseconds(50))
    for process in 0..<processes { world.queue(50, at: process) }
    // Ten slots, twenty requests a second each: everybody within their share and a turn's length.
    world.run { $0.answered.allSatisfy { $0 > 0 } }
    #expect(world.now - world.start <= .milliseconds(Int64((processes + 9) / 10) * 1500))
    world.run { $0.answered.allSatisfy { $0 == 50 } }
    let ideal = Span.milliseconds(50) * (processes * 50) / 10
    #expect((world.now - world.start) / ideal < 1.4)
    #expect(world.peak <= 10)
  }

  @Test func aProcessAloneUsesItsSlotsFully() {
    var world = World(processes: 1, latency: .milliseconds(20))
    world.queue(1000, at: 0)
    world.run { $0.answered[0] == 1000 }
    #expect((world.now - world.start) / Span.seconds(2) < 1.01)
  }

  @Test func idleSlotsGoToANewcomerAtOnce() {
    var world = World(processes: 2, latency: .milliseconds(20))
    world.queue(100, at: 0)
    world.run { $0.answered[0] == 100 }
    #expect(world.slotsOf(0) == 10)
    world.queue(1, at: 1)
    let asked = world.now
    world.run { $0.answered[1] == 1 }
    #expect(world.now - asked <= .milliseconds(60))
  }

  @Test func everythingIsGivenBackTwoSecondsAfterTheLastRequest() {
    var world = World(processes: 3, latency: .milliseconds(20))
    for process in 0..<3 { world.queue(100, at: process) }
    world.run { $0.answered.allSatisfy { $0 == 100 } }
    let last = world.now
    world.run { world in (0..<3).allSatisfy { world.slotsOf($0) == 0 } }
    #expect(world.now - last <= .seconds(2))
  }

  @Test func aKilledProcessLeavesItsSlotsToTheOthers() {
    var world = World(processes: 5, latency: .milliseconds(20))
    for process in 0..<5 { world.queue(200, at: process) }
    world.run(until: .milliseconds(200))
    world.kill(2)
    world.run { world in [0, 1, 3, 4].allSatisfy { world.answered[$0] == 200 } }
    #expect(world.peak <= 10)
  }

  @Test func aStoppedProcessInLineDoesNotStopTheRest() {
    var world = World(processes: 13, latency: .milliseconds(20))
    for process in 0..<13 { world.queue(80, at: process) }
    world.run { !$0.line(10).isEmpty }
    let head = world.line(10)[0]
    world.stop(head)
    world.run { world in
      (0..<13).allSatisfy { $0 == head || world.answered[$0] == 80 }
    }
    #expect(world.now - world.start <= .seconds(30))
  }

  @Test func aProcessStoppedWhileItWaitsCostsTheOthersOneSlot() {
    let latency = Span.milliseconds(50)
    var world = World(processes: 3, latency: latency)
    world.queue(2000, at: 0)
    world.run(until: .milliseconds(520))
    world.queue(1, at: 1)
    world.stop(1)
    #expect(world.line(10) == [1])
    let before = world.answered[0]
    world.run(until: .milliseconds(5520))
    #expect(Double(world.answered[0] - before) > 0.9 * 9 * (Span.seconds(5) / latency))
    // Also one that had given back all of its own meanwhile.
    world.run { $0.answered[0] == 2000 && $0.slotsOf(0) == 0 }
    let start = world.now
    world.queue(900, at: 2)
    world.run { $0.answered[2] == 900 }
    #expect(world.now - start <= .seconds(6))
  }

  /// Those with lower limits use the first slots alone, and wait for no others.
  @Test(arguments: [[1, 1, 10], [2, 2, 2, 10]])
  func lowerLimitsOfOthersCostTheirSlotsAlone(limits: [Int]) {
    let latency = Span.milliseconds(50)
    var world = World(limits: limits, latency: latency)
    for process in limits.indices { world.queue(2000, at: process) }
    world.run(until: .seconds(5))
    let slots = limits[0]
    let ideal = Span.seconds(5) / latency
    #expect(Double(world.answered[limits.count - 1]) > 0.9 * ideal * Double(10 - slots))
    let shares = world.answered.dropLast()
    #expect(Double(shares.reduce(0, +)) > 0.8 * ideal * Double(slots))
    #expect(shares.allSatisfy { Double($0) > 0.3 * ideal * Double(slots) / Double(shares.count) })
    #expect(world.peak <= 10)
  }

  /// Whatever the limits of those that waited before, who may use all slots does not wait for theirs.
  @Test func aNewcomerDoesNotQueueBehindLowerLimits() {
    let latency = Span.milliseconds(200)
    var world = World(limits: [10, 1, 1, 1, 10], latency: latency)
    for process in 0..<4 { world.queue(1000, at: process) }
    world.run(until: .seconds(3))
    world.queue(1, at: 4)
    let asked = world.now
    world.run { $0.answered[4] == 1 }
    #expect(world.now - asked <= latency * 3)
  }
}

private struct World {
  let start = Moment.now
  private(set) var now: Moment
  private(set) var answered: [Int]
  private(set) var peak = 0
  /// By limit.
  private var lines: [Int: [Int]] = [:]
  private let limits: [Int]
  private let latency: Span
  private var governors: [Governor]
  private var backlog: [UInt64]
  private var owners: [Int?]
  private var lastOwners: [Int?]
  private var waiting: Set<Int> = []
  private var inactive: Set<Int> = []
  /// Requests under way: when they end, and where.
  private var flights: [(end: Moment, process: Int, slot: Int)] = []

  init(processes: Int, latency: Span) {
    self.init(limits: Array(repeating: 10, count: processes), latency: latency)
  }

  init(limits: [Int], latency: Span) {
    now = start
    self.limits = limits
    self.latency = latency
    governors = limits.map { limit in
      var rules = GovernorRules()
      rules.limit = limit
      return Governor(rules: rules)
    }
    answered = Array(repeating: 0, count: limits.count)
    backlog = answered.map { _ in 0 }
    owners = Array(repeating: nil, count: 10)
    lastOwners = Array(repeating: -1, count: 10)
  }

  /// Those that wait, of one limit.
  func line(_ limit: Int) -> [Int] { lines[limit] ?? [] }

  func slotsOf(_ process: Int) -> Int { owners.count { $0 == process } }

  mutating func queue(_ count: Int, at process: Int) {
    for _ in 0..<count {
      backlog[process] += 1
      send(.queued(backlog[process], .ordinary, fresh: false), to: process)
    }
  }

  /// The kernel takes everything back.
  mutating func kill(_ process: Int) {
    inactive.insert(process)
    flights.removeAll { $0.process == process }
    for slot in owners.indices where owners[slot] == process { owners[slot] = nil }
    waiting.remove(process)
    leave(process)
  }

  /// As by SIGSTOP: it keeps what it has and does nothing.
  mutating func stop(_ process: Int) {
    inactive.insert(process)
    flights.removeAll { $0.process == process }
  }

  mutating func run(until elapsed: Span) { run { $0.now >= $0.start + elapsed } }

  mutating func run(until isReached: (World) -> Bool) {
    var steps = 0
    while !isReached(self) {
      steps += 1
      guard steps < 1_000_000 else {
        Issue.record("a condition is never reached")
        return
      }
      var next: Moment?
      for (process, governor) in governors.enumerated() where !inactive.contains(process) {
        if let timer = governor.nextTimer() { next = next.map { min($0, timer) } ?? timer }
      }
      for flight in flights { next = next.map { min($0, flight.end) } ?? flight.end }
      guard let next else {
        Issue.record("nothing will ever happen again")
        return
      }
      now = max(now, next)
      while let index = flights.firstIndex(where: { $0.end <= now }) {
        let flight = flights.remove(at: index)
        answered[flight.process] += 1
        send(.finished(slot: flight.slot, .success, connected: true), to: flight.process)
      }
      for process in governors.indices where !inactive.contains(process) {
        if let timer = governors[process].nextTimer(), timer <= now { send(.timer, to: process) }
      }
    }
  }

  private mutating func send(_ event: Governor.Event, to process: Int) {
    var events = [event]
    while !events.isEmpty {
      for action in governors[process].handle(events.removeFirst(), at: now) {
        switch action {
        case .take(let inTurn):
          let slots = owners.indices.prefix(limits[process])
          if let slot = slots.first(where: {
            owners[$0] == nil && (inTurn || !isWanted($0, besides: process))
          }) {
            owners[slot] = process
            events.append(.taken(slot: slot, rests: lastOwners[slot] != process))
            lastOwners[slot] = process
            peak = max(peak, owners.count { $0 != nil })
          } else {
            events.append(.noneFree)
          }
        case .probe(let slot): events.append(.wanted(isWanted(slot, besides: process)))
        case .giveBack(let slot): owners[slot] = nil
        case .start(_, let slot): flights.append((now + latency, process, slot))
        case .joinLine:
          waiting.insert(process)
          let limit = limits[process]
          if !line(limit).contains(process) { lines[limit, default: []].append(process) }
          if line(limit).first == process { events.append(.firstInLine) }
        case .leaveLine:
          waiting.remove(process)
          leave(process)
        case .disconnect, .limitChanged: break
        }
      }
    }
  }

  private func isWanted(_ slot: Int, besides process: Int) -> Bool {
    let free = owners.indices.prefix(limits[process]).first { $0 != slot && owners[$0] == nil }
    return waiting.contains {
      $0 != process && limits[$0] > slot && limits[$0] <= free ?? Int.max
    }
  }

  private mutating func leave(_ process: Int) {
    let limit = limits[process]
    let wasFirst = line(limit).first == process
    lines[limit]?.removeAll { $0 == process }
    if wasFirst, let first = line(limit).first, !inactive.contains(first) {
      send(.firstInLine, to: first)
    }
  }
}

extension Span {
  fileprivate static func * (a: Span, b: Int) -> Span {
    Span(nanoseconds: a.nanoseconds * Int64(b))
  }

  fileprivate static func / (a: Span, b: Span) -> Double {
    Double(a.nanoseconds) / Double(b.nanoseconds)
  }
}
