import HTTP

/// Decides which request uses which connection slot, and when slots are taken and given back.
///
/// A pure state machine of design §4, "Connections": events in, actions out, time as a parameter.
/// The caller carries actions out in order and answers `.take` and `.probe` at once with an event.
/// One governor counts for one endpoint.
struct Governor {
  /// What the machine is told.
  enum Event: Equatable {
    /// A request waits. `fresh` requests need a connection of their own, made for them.
    case queued(UInt64, HTTPRequestClass, fresh: Bool)
    /// A waiting request is no longer wanted.
    case withdrawn(UInt64, HTTPRequestClass)
    /// The request in a slot has ended; `connected` tells whether its connection was kept.
    case finished(slot: Int, Outcome, connected: Bool)
    /// Answers `.take`: the slot is ours; `rests` where its last connection was another's.
    case taken(slot: Int, rests: Bool)
    /// Answers `.take`: no slot is free, or others wait for one.
    case noneFree
    /// Answers `.probe`: whether another process holds no slot and waits for that one.
    case wanted(Bool)
    /// This process is the first of those that wait.
    case firstInLine
    /// Time has passed.
    case timer
  }

  /// How a request ended, as far as the connection limit is concerned.
  enum Outcome: Equatable {
    case success
    /// Status 500: what the service answers above its limit too (`api.md`).
    case overload
    /// Anything that says nothing about the limit.
    case neutral
  }

  /// What the caller has to do.
  enum Action: Equatable {
    case start(UInt64, slot: Int)
    /// Lock one more slot; unless `inTurn`, only one that nobody waits for.
    case take(inTurn: Bool)
    /// Close the slot's connection and keep the slot.
    case disconnect(slot: Int)
    /// Close the slot's connection, then unlock it.
    case giveBack(slot: Int)
    case probe(slot: Int)
    case joinLine
    case leaveLine
    case limitChanged(from: Int, to: Int)
  }

  enum SlotState: Equatable {
    case idle(since: Moment)
    /// No connection, and none may be made before the instant: the server may still count the last.
    case resting(until: Moment)
    /// Given to a request that starts when the rest is over.
    case preparing(UInt64, HTTPRequestClass, until: Moment)
    case busy(HTTPRequestClass, since: Moment)
  }

  struct Slot: Equatable {
    var state: SlotState
    var connected = false
    let takenAt: Moment

    var isIdle: Bool { if case .idle = state { true } else { false } }
  }

  enum Line: Equatable {
    case none, waiting, first
  }

  let rules: GovernorRules
  private(set) var limit: Int
  /// When the limit first went below the configured one; nil while it is whole.
  private(set) var decreasedSince: Moment?
  /// By slot number; nil where the slot is not ours.
  private(set) var slots: [Slot?]
  private(set) var held = 0
  private(set) var queue = RequestQueue()
  private(set) var line = Line.none

  private var lastDecrease: Moment?
  private var nextIncrease: Moment?
  private var increaseEvery = Span.zero
  private var successes = 0
  private var nextTake: Moment?
  private var nextProbe: Moment?
  /// An action whose answer has not come yet: nothing else is decided before.
  private var awaitsAnswer = false

  init(rules: GovernorRules = GovernorRules()) {
    self.rules = rules
    limit = rules.limit
    slots = Array(repeating: nil, count: rules.limit)
  }

  var inFlight: Int {
    slots.count { if case .busy = $0?.state { true } else { false } }
  }

  /// Takes one event and answers what is to be done now.
  mutating func handle(_ event: Event, at now: Moment) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .queued(let request, let requestClass, let fresh):
      queue.append(request, requestClass, fresh: fresh)
    case .withdrawn(let request, let requestClass):
      withdraw(request, requestClass, at: now)
    case .finished(let slot, let outcome, let connected):
      finish(slot, outcome, connected: connected, at: now, &actions)
    case .taken(let slot, let rests):
      awaitsAnswer = false
      nextTake = nil
      held += 1
      slots[slot] = Slot(
        state: rests ? .resting(until: now + rules.rest) : .idle(since: now), takenAt: now)
      if nextProbe == nil { nextProbe = now + rules.probeInterval }
    case .noneFree:
      awaitsAnswer = false
      noSlotFree(at: now, &actions)
    case .wanted(let wanted):
      awaitsAnswer = false
      answerProbe(wanted, at: now, &actions)
    case .firstInLine:
      if line == .waiting {
        line = .first
        nextTake = nil
      } else {
        actions.append(.leaveLine)
      }
    case .timer:
      break
    }
    decide(at: now, &actions)
    return actions
  }

  /// When `.timer` has to come at the latest; nil when only events can change anything.
  func nextTimer() -> Moment? {
    var next: Moment? = nextIncrease
    func consider(_ instant: Moment?) {
      if let instant { next = next.map { min($0, instant) } ?? instant }
    }
    var idle = false
    for case let slot? in slots {
      switch slot.state {
      case .idle(let since):
        idle = true
        consider(since + rules.idleGiveBack)
      case .resting(let until), .preparing(_, _, let until):
        consider(until)
      case .busy:
        break
      }
    }
    if idle && rules.isShared { consider(nextProbe) }
    if wantsMore { consider(nextTake) }
    return next
  }

  // MARK: - Events

  private mutating func withdraw(
    _ request: UInt64, _ requestClass: HTTPRequestClass, at now: Moment
  ) {
    for index in slots.indices {
      if case .preparing(request, _, let until) = slots[index]?.state {
        slots[index]?.state = until > now ? .resting(until: until) : .idle(since: now)
        return
      }
    }
    queue.withdraw(request, requestClass)
  }

  private mutating func finish(
    _ index: Int, _ outcome: Outcome, connected: Bool, at now: Moment, _ actions: inout [Action]
  ) {
    guard let slot = slots[index], case .busy(let requestClass, let startedAt) = slot.state else {
      return
    }
    let rested = now + rules.rest
    slots[index]?.connected = connected
    slots[index]?.state = connected ? .idle(since: now) : .resting(until: rested)
    switch outcome {
    case .success:
      successes += 1
      if limit < rules.limit && successes >= rules.successesPerStep { increase(at: now, &actions) }
    case .overload where requestClass != .submission:
      successes = 0
      // Requests that were under way at the last decrease tell nothing about what came after it.
      if let lastDecrease, startedAt < lastDecrease { break }
      decrease(at: now, &actions)
    case .overload, .neutral:
      break
    }
  }

  private mutating func decrease(at now: Moment, _ actions: inout [Action]) {
    let lower = max(min(rules.floor, rules.limit), limit / 2)
    lastDecrease = now
    if lower < limit { actions.append(.limitChanged(from: limit, to: lower)) }
    limit = lower
    guard limit < rules.limit else { return }
    if decreasedSince == nil { decreasedSince = now }
    increaseEvery = rules.recovery / (rules.limit - limit)
    nextIncrease = now + increaseEvery
  }

  private mutating func increase(at now: Moment, _ actions: inout [Action]) {
    successes = 0
    actions.append(.limitChanged(from: limit, to: limit + 1))
    limit += 1
    guard limit == rules.limit else { return }
    decreasedSince = nil
    nextIncrease = nil
  }

  private mutating func noSlotFree(at now: Moment, _ actions: inout [Action]) {
    switch line {
    case .none where held == 0:
      line = .waiting
      actions.append(.joinLine)
      nextTake = now + rules.takeIntervalInLine
    case .none:
      nextTake = now + rules.takeInterval
    case .waiting:
      nextTake = now + rules.takeIntervalInLine
    case .first:
      nextTake = now + rules.takeIntervalWhenFirst
    }
  }

  /// Another process may starve: one of several slots is given back; the only one when it is not
  /// needed, or has been used long enough.
  private mutating func answerProbe(_ wanted: Bool, at now: Moment, _ actions: inout [Action]) {
    nextProbe = now + (queue.isEmpty ? rules.idleProbeInterval : rules.probeInterval)
    guard wanted, let index = lowestIdle, let slot = slots[index] else { return }
    nextProbe = now + rules.probePauseAfterGiving
    if held > 1 || queue.isEmpty || slot.takenAt + rules.fairUse <= now {
      giveBack(index, &actions)
      nextTake = now + rules.takeInterval
      if held == 0 && !queue.isEmpty {
        line = .waiting
        actions.append(.joinLine)
        nextTake = now + rules.takeIntervalInLine
      }
    }
  }

  // MARK: - Decisions

  private mutating func decide(at now: Moment, _ actions: inout [Action]) {
    while let due = nextIncrease, due <= now {
      nextIncrease = due + increaseEvery
      increase(at: now, &actions)
    }
    endRests(at: now, &actions)
    guard !awaitsAnswer else { return }
    while held > limit, let (index, _) = leastRecentlyUsedIdle() { giveBack(index, &actions) }
    if shouldProbe(at: now), let index = lowestIdle {
      awaitsAnswer = true
      actions.append(.probe(slot: index))
      return
    }
    dispatch(at: now, &actions)
    giveBackLongIdle(at: now, &actions)
    if line != .none && (held > 0 || queue.isEmpty) {
      line = .none
      actions.append(.leaveLine)
    }
    if wantsMore && (nextTake.map { $0 <= now } ?? true) {
      awaitsAnswer = true
      actions.append(.take(inTurn: line != .none))
    }
  }

  private mutating func endRests(at now: Moment, _ actions: inout [Action]) {
    for index in slots.indices {
      switch slots[index]?.state {
      case .resting(let until) where until <= now:
        slots[index]?.state = .idle(since: now)
      case .preparing(let request, let requestClass, let until) where until <= now:
        slots[index]?.state = .busy(requestClass, since: now)
        actions.append(.start(request, slot: index))
      default:
        break
      }
    }
  }

  /// Between requests only, and not where the answer would change nothing.
  private func shouldProbe(at now: Moment) -> Bool {
    guard rules.isShared, let nextProbe, nextProbe <= now, let (_, idle) = leastRecentlyUsedIdle()
    else { return false }
    return held > 1 || queue.isEmpty || idle.takenAt + rules.fairUse <= now
  }

  private mutating func dispatch(at now: Moment, _ actions: inout [Action]) {
    while let choice = queue.next(submissionsAllowed: submissionsAllowed),
      let index = idleSlot(connected: !choice.fresh), let slot = slots[index]
    {
      queue.take(choice)
      if choice.fresh && slot.connected {
        actions.append(.disconnect(slot: index))
        let rested = now + rules.rest
        slots[index]?.connected = false
        slots[index]?.state = .preparing(choice.request, choice.requestClass, until: rested)
      } else {
        slots[index]?.state = .busy(choice.requestClass, since: now)
        actions.append(.start(choice.request, slot: index))
      }
      if choice.fresh && submissionsUnderWay > 1 { restAhead(at: now, &actions) }
    }
  }

  /// In a stream of submissions the slot that is kept free of them rests before the next one needs
  /// it, not when.
  private mutating func restAhead(at now: Moment, _ actions: inout [Action]) {
    var connected: Int?
    for (index, slot) in slots.enumerated() {
      guard let slot else { continue }
      switch slot.state {
      case .idle where slot.connected: connected = index
      case .idle, .resting: return
      case .preparing, .busy: continue
      }
    }
    guard let connected else { return }
    actions.append(.disconnect(slot: connected))
    slots[connected]?.connected = false
    slots[connected]?.state = .resting(until: now + rules.rest)
  }

  /// One of several slots is kept free of submissions; a single one takes turns (RequestQueue).
  private var submissionsAllowed: Bool {
    submissionsUnderWay < max(1, held - 1)
  }

  private var submissionsUnderWay: Int {
    slots.count {
      switch $0?.state {
      case .busy(.submission, _), .preparing(_, .submission, _): true
      default: false
      }
    }
  }

  private mutating func giveBackLongIdle(at now: Moment, _ actions: inout [Action]) {
    for index in slots.indices {
      if case .idle(let since) = slots[index]?.state, since + rules.idleGiveBack <= now {
        giveBack(index, &actions)
      }
    }
  }

  private mutating func giveBack(_ index: Int, _ actions: inout [Action]) {
    slots[index] = nil
    held -= 1
    actions.append(.giveBack(slot: index))
  }

  /// Whether one more slot would serve a request that waits now.
  private var wantsMore: Bool {
    guard !queue.isEmpty, held < limit else { return false }
    let submissions = submissionsUnderWay + queue.submissions
    var others = queue.others
    for case let slot? in slots {
      if case .busy(let requestClass, _) = slot.state, requestClass != .submission { others += 1 }
    }
    return held < others + submissions + (others == 0 && submissions > 1 ? 1 : 0)
  }

  /// The idle slot used last, so that the others become old; with or without a connection first.
  private func idleSlot(connected: Bool) -> Int? {
    guard held <= limit else { return nil }
    var best: (index: Int, fits: Bool, since: Moment)?
    for (index, slot) in slots.enumerated() {
      guard let slot, case .idle(let since) = slot.state else { continue }
      let fits = slot.connected == connected
      if let best {
        if best.fits && !fits { continue }
        if best.fits == fits && (best.since, index) >= (since, best.index) { continue }
      }
      best = (index, fits, since)
    }
    return best?.index
  }

  /// The one that would be given to others: a process with a lower limit uses the first ones alone.
  private var lowestIdle: Int? { slots.firstIndex { $0?.isIdle == true } }

  private func leastRecentlyUsedIdle() -> (Int, Slot)? {
    var best: (index: Int, slot: Slot, since: Moment)?
    for (index, slot) in slots.enumerated() {
      guard let slot, case .idle(let since) = slot.state else { continue }
      if let best, (best.since, best.index) <= (since, index) { continue }
      best = (index, slot, since)
    }
    return best.map { ($0.index, $0.slot) }
  }
}
