import CCurl
import FoundationEssentials
import HTTP

/// One origin: its governor, its slots, and the requests that wait for them or are under way.
///
/// The thin shell around ``Governor``. Belongs to the curl thread.
@safe final class Endpoint {
  let origin: String
  /// Where callers see the governor's state.
  let board: GovernorBoard

  private let url: HTTPURL
  private let multi: UnsafeMutableRawPointer
  private let configuration: CurlTransport.Configuration
  private var governor: Governor
  private var source: any SlotSource
  private var warning: String?
  private var waiting: [UInt64: Call] = [:]
  /// No later than when the first of those that wait has waited for too long; nil where none has a
  /// bound.
  private var queueEnd: Moment?
  private var slots: [CurlSlot?]
  private var started = false
  /// Since when requests wait while this process holds no slot.
  private var starvingSince: Moment?
  /// When the silences of this endpoint may be spoken of again.
  private var nextNotice = Moment.now
  /// Replies that are handed over together, when curl has nothing to do: each may wake a thread.
  private var answered: [(Call, Call.Reply)] = []
  private var isBoardStale = false

  /// `onFirst` is called from another thread when this process is the first of those that wait for
  /// a slot; the curl thread then calls ``isFirstInLine()``.
  init(
    url: HTTPURL, multi: UnsafeMutableRawPointer, configuration: CurlTransport.Configuration,
    onFirst: @escaping @Sendable () -> Void
  ) {
    self.url = url
    origin = url.origin
    unsafe self.multi = multi
    self.configuration = configuration
    let rules = configuration.governorRules
    governor = Governor(rules: rules)
    slots = Array(repeating: nil, count: rules.limit)
    source = InProcessSlots(limit: rules.limit)
    board = GovernorBoard(GovernorState(governor, origin: origin, isShared: false))
    guard case .user(let path) = configuration.slots else { return }
    do throws(LockDirectory.Problem) {
      let directory = try LockDirectory(path: path ?? LockDirectory.standardPath)
      source = SharedSlots(
        directory, origin: url.countedAs, limit: rules.limit, removesFiles: url.isLoopback,
        onFirst: onFirst
      ) { [unowned self] errno in
        countAlone(because: .access(path: directory.path, errno: errno))
      }
    } catch {
      countAlone(because: error)
    }
  }

  /// Goes on with a limit of this process: better than no requests, worse than a count over all.
  private func countAlone(because problem: LockDirectory.Problem) {
    let held = governor.slots
    isBoardStale = true
    source.leaveLine()
    source = InProcessSlots(limit: governor.rules.limit) { held[$0] != nil }
    let text =
      "connections to \(origin) are counted in this process alone, so several processes together "
      + "may exceed the service's limit: \(problem)"
    warning = text
    configuration.warn?(text)
  }

  /// Whether requests to an address go through this endpoint.
  func serves(_ other: HTTPURL) -> Bool {
    other.port == url.port && other.host == url.host && other.scheme == url.scheme
  }

  /// Whether a transfer was started since the last time this was asked.
  func hasStarted() -> Bool {
    defer { started = false }
    return started
  }

  /// When ``tick()`` has to be called at the latest.
  func nextTimer(at now: Moment) -> Moment? {
    var next = governor.nextTimer()
    func consider(_ moment: Moment) { next = next.map { min($0, moment) } ?? moment }
    for slot in slots {
      guard let transfer = slot?.transfer else { continue }
      if let end = transfer.deadline(at: now)?.moment { consider(end) }
      if tellsSilence, !transfer.isSilenceTold {
        consider(max(transfer.startedAt + Self.silence, nextNotice))
      }
    }
    if tellsSilence, let starvingSince {
      consider(max(starvingSince + Self.starvation, nextNotice))
    }
    if let queueEnd { consider(queueEnd) }
    return next
  }

  // MARK: - Silences

  /// How long an answer, or a connection, may be missing before a line says so, and how often one may.
  private static let silence = Span.seconds(10)
  private static let starvation = Span.seconds(5)
  private static let noticesApart = Span.seconds(60)

  private var tellsSilence: Bool { configuration.notice != nil }

  /// Says what is waited for, so that a program that waits does not look dead.
  private func tellSilences(at now: Moment) {
    guard let notice = configuration.notice, now >= nextNotice else { return }
    if let starvingSince, now >= starvingSince + Self.starvation {
      nextNotice = now + Self.noticesApart
      let limit = governor.rules.limit
      return notice(
        "waiting for a connection to \(origin): "
          + (limit == 1 ? "the only one is" : "all \(limit) are")
          + " in use by your other hpc processes")
    }
    for slot in slots {
      guard let transfer = slot?.transfer, !transfer.isSilenceTold,
        now >= transfer.startedAt + Self.silence
      else { continue }
      transfer.isSilenceTold = true
      nextNotice = now + Self.noticesApart
      let request = transfer.request
      let total = request.timeouts.total.map { ", up to \($0.milliseconds / 1000) s" } ?? ""
      return notice(
        "no whole answer to \(request.method.rawValue) \(request.url.masked) for 10 s: still waiting"
          + total)
    }
  }

  private func noteStarvation() {
    guard tellsSilence else { return }
    let starves = !waiting.isEmpty && governor.held == 0
    starvingSince = starves ? starvingSince ?? .now : nil
  }

  // MARK: - Events

  func accept(_ call: Call) {
    waiting[call.ticket.id] = call
    if let end = call.queueEnd { queueEnd = min(queueEnd ?? end, end) }
    handle(
      .queued(
        call.ticket.id, call.request.requestClass, fresh: call.request.wantsFreshConnection))
  }

  func isFirstInLine() { handle(.firstInLine) }

  /// Ends transfers whose time is over and lets the governor's time pass.
  func tick() {
    let now = Moment.now
    for case let slot? in slots {
      guard let transfer = slot.transfer else { continue }
      if let end = transfer.deadline(at: now), end.moment <= now { abort(slot, transfer, end.kind) }
    }
    tellSilences(at: now)
    if let queueEnd, queueEnd <= now { endWaits(at: now) }
    if let due = governor.nextTimer(), due <= now { handle(.timer) }
  }

  /// Ends what has waited for a slot for too long.
  private func endWaits(at now: Moment) {
    for (id, call) in waiting where call.queueEnd.map({ $0 <= now }) == true {
      // One that went before may have let this one start.
      guard waiting.removeValue(forKey: id) != nil else { continue }
      answer(call, .failure(Self.unsent(.queueTimeout, call.request, CurlFailure.noSlot)))
      handle(.withdrawn(id, call.request.requestClass))
    }
    queueEnd = waiting.values.compactMap(\.queueEnd).min()
  }

  /// Ends a request that is no longer wanted, at once or after the grace that it has once it was sent;
  /// false where it is none of this endpoint's.
  func cancel(_ id: UInt64) -> Bool {
    if let call = waiting.removeValue(forKey: id) {
      answer(call, .failure(Self.unsent(.cancelled, call.request, "cancelled")))
      handle(.withdrawn(id, call.request.requestClass))
      return true
    }
    for case let slot? in slots {
      if let transfer = slot.transfer, transfer.call.ticket.id == id {
        if !transfer.goesOn(cancelledAt: .now) { abort(slot, transfer, .cancelled) }
        return true
      }
    }
    return false
  }

  /// curl has ended the transfer of an easy handle; false where it is none of this endpoint's.
  func finished(_ easy: UnsafeMutableRawPointer?, _ code: CURLcode) -> Bool {
    for case let slot? in slots where unsafe slot.isHandle(easy) {
      if let transfer = slot.transfer { finish(slot, transfer, code, hasEnded: true) }
      return true
    }
    return false
  }

  /// Hands over the replies that have come, and shows the governor's state.
  func answer() {
    if isBoardStale {
      isBoardStale = false
      board.state = GovernorState(
        governor, origin: origin, isShared: source.isShared, warning: warning)
    }
    guard !answered.isEmpty else { return }
    for (call, reply) in answered { call.finish(reply) }
    answered.removeAll(keepingCapacity: true)
  }

  /// Answers everything with `.closed` and gives every slot back.
  func end() {
    for call in waiting.values { answer(call, .failure(.closed)) }
    waiting = [:]
    for case let slot? in slots {
      if let transfer = slot.transfer {
        transfer.failure = .closed
        let ending = unsafe slot.stop(in: multi, hasEnded: false)
        answer(transfer, slot, ending, code: CURLE_OK)
      }
      slot.disconnect()
    }
    for (index, slot) in governor.slots.enumerated() where slot != nil { source.giveBack(index) }
    source.leaveLine()
    source.end()
    governor = Governor(rules: governor.rules)
    isBoardStale = true
    answer()
  }

  // MARK: - The governor's actions

  private func handle(_ event: Governor.Event) {
    isBoardStale = true
    var events = [event]
    while !events.isEmpty {
      for action in governor.handle(events.removeFirst(), at: .now) {
        if let answer = carryOut(action) { events.append(answer) }
      }
    }
    noteStarvation()
  }

  /// Does what the governor says.
  ///
  /// - Returns: the event that answers the action, where one does.
  private func carryOut(_ action: Governor.Action) -> Governor.Event? {
    switch action {
    case .start(let id, let index):
      return start(id, in: index)
    case .take(let inTurn):
      let before = source
      var taken = before.take(inTurn: inTurn)
      if taken == nil && source !== before { taken = source.take(inTurn: inTurn) }
      guard let taken else { return .noneFree }
      configuration.trace?(.slotTaken(origin: origin, slot: taken.slot))
      return .taken(slot: taken.slot, rests: taken.rests)
    case .disconnect(let index):
      slots[index]?.disconnect()
    case .giveBack(let index):
      slots[index]?.disconnect()
      source.giveBack(index)
      configuration.trace?(.slotGivenBack(origin: origin, slot: index))
    case .probe(let index):
      return .wanted(source.isWanted(index))
    case .joinLine:
      source.joinLine()
    case .leaveLine:
      source.leaveLine()
    case .limitChanged(let from, let to):
      configuration.trace?(.limit(origin: origin, from: from, to: to))
    }
    return nil
  }

  /// Signs and starts a request in a slot.
  private func start(_ id: UInt64, in index: Int) -> Governor.Event? {
    guard let call = waiting.removeValue(forKey: id) else {
      return .finished(slot: index, .neutral, connected: false)
    }
    var request = call.request
    request.signer?.sign(&request, at: Date())
    do {
      let transfer = try Transfer(call, signed: request, at: .now)
      if let slot = slots[index] {
        do {
          try unsafe slot.start(transfer, in: multi)
        } catch {
          // A handle that takes no options any more is of no use to anybody.
          slots[index] = nil
        }
      }
      if slots[index] == nil {
        let slot = try CurlSlot(index: index, for: url, configuration)
        try unsafe slot.start(transfer, in: multi)
        slots[index] = slot
      }
      started = true
      return nil
    } catch {
      let failure: TransportError =
        switch error {
        case let error as BodySource.Failure:
          Self.unsent(.file(errno: error.errno), request, "its body cannot be read")
        case let error as CurlSlot.Refused:
          Self.unsent(
            .other(code: Int(error.code.rawValue)), request, "not a request that can be sent")
        default:
          Self.unsent(.other(code: 0), request, "not sent")
        }
      answer(call, .failure(failure))
      return .finished(slot: index, .neutral, connected: false)
    }
  }

  // MARK: - Endings

  private func abort(_ slot: CurlSlot, _ transfer: Transfer, _ kind: TransportError.Kind) {
    transfer.failure = kind
    finish(slot, transfer, CURLE_OK, hasEnded: false)
  }

  private func finish(
    _ slot: CurlSlot, _ transfer: Transfer, _ code: CURLcode, hasEnded: Bool
  ) {
    let ending = unsafe slot.stop(in: multi, hasEnded: hasEnded)
    let reply = answer(transfer, slot, ending, code: code)
    let outcome: Governor.Outcome =
      switch reply {
      case .success(let response) where response.status == 500: .overload
      case .success(let response) where response.status < 500: .success
      default: .neutral
      }
    handle(.finished(slot: slot.index, outcome, connected: ending.connected))
  }

  @discardableResult
  private func answer(
    _ transfer: Transfer, _ slot: CurlSlot, _ ending: CurlSlot.Ending, code: CURLcode
  ) -> Call.Reply {
    let reply = CurlFailure.reply(
      transfer, code: code, message: slot.message, requestSize: ending.requestSize)
    if let trace = configuration.trace {
      let now = Moment.now
      trace(
        .request(
          TransportTrace.Exchange(
            method: transfer.request.method, url: transfer.request.url.masked,
            outcome: .init(reply), sent: transfer.source.position,
            received: transfer.response.bodyBytes, slot: slot.index,
            reusedConnection: ending.reused,
            queued: (transfer.startedAt - transfer.call.queuedAt).duration,
            took: (now - transfer.startedAt).duration,
            connect: transfer.connectedAt.map { ($0 - transfer.startedAt).duration } ?? .zero)))
    }
    answered.append((transfer.call, reply))
    return reply
  }

  /// Answers a call that never got as far as curl.
  private func answer(_ call: Call, _ reply: Call.Reply) {
    configuration.trace?(
      .request(
        TransportTrace.Exchange(
          method: call.request.method, url: call.request.url.masked, outcome: .init(reply), sent: 0,
          received: 0, slot: nil, reusedConnection: false, queued: (.now - call.queuedAt).duration,
          took: .zero, connect: .zero)))
    answered.append((call, reply))
  }

  private static func unsent(
    _ kind: TransportError.Kind, _ request: HTTPRequest, _ reason: String
  ) -> TransportError {
    TransportError(
      kind, mayHaveBeenSent: false,
      detail: "\(request.method.rawValue) \(request.url.origin)\(request.url.path): \(reason)")
  }
}

extension TransportTrace.Exchange.Outcome {
  fileprivate init(_ reply: Call.Reply) {
    switch reply {
    case .success(let response): self = .status(response.status)
    case .failure(let error): self = .failed(error)
    }
  }
}
