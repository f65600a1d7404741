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
    world.run { !$0.line.isEmpty }
    let head = world.line[0]
    world.stop(head)
    world.run { world in
      (0..<13).allSatisfy { $0 == head || world.answered[$0] == 80 }
    }
    #expect(world.now - world.start <= .seconds(30))
  }
}

private struct World {
  let start = Moment.now
  private(set) var now: Moment
  private(set) var answered: [Int]
  private(set) var peak = 0
  private(set) var line: [Int] = []
  private let latency: Span
  private var governors: [Governor]
  private var backlog: [UInt64]
  private var owners: [Int?]
  private var lastOwners: [Int?]
  private var waiting: Set<Int> = []
  private var inactive: Set<Int> = []
  /// Requests under way: when they end, and where.
  private var flights: [(end: Moment, process: Int, slot: Int)] = []

  init(processes: Int, latency: Span, limit: Int = 10) {
    now = start
    self.latency = latency
    var rules = GovernorRules()
    rules.limit = limit
    governors = Array(repeating: Governor(rules: rules), count: processes)
    answered = Array(repeating: 0, count: processes)
    backlog = Array(repeating: 0, count: processes)
    owners = Array(repeating: nil, count: limit)
    lastOwners = Array(repeating: -1, count: limit)
  }

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
          if inTurn || waiting.subtracting([process]).isEmpty,
            let slot = owners.firstIndex(of: nil)
          {
            owners[slot] = process
            events.append(.taken(slot: slot, rests: lastOwners[slot] != process))
            lastOwners[slot] = process
            peak = max(peak, owners.count { $0 != nil })
          } else {
            events.append(.noneFree)
          }
        case .probe: events.append(.wanted(!waiting.subtracting([process]).isEmpty))
        case .giveBack(let slot): owners[slot] = nil
        case .start(_, let slot): flights.append((now + latency, process, slot))
        case .joinLine:
          waiting.insert(process)
          if !line.contains(process) { line.append(process) }
          if line.first == process { events.append(.firstInLine) }
        case .leaveLine:
          waiting.remove(process)
          leave(process)
        case .disconnect, .limitChanged: break
        }
      }
    }
  }

  private mutating func leave(_ process: Int) {
    let wasFirst = line.first == process
    line.removeAll { $0 == process }
    if wasFirst, let first = line.first, !inactive.contains(first) {
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
