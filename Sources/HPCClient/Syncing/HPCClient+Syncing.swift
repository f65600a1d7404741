import HTTP
import JSON
import SigV4

/// A path of the home that this process uses for syncs of one direction, or of both, until it is
/// released: others that would go the other way wait meanwhile.
public struct SyncClaim: Sendable {
  public let path: HomePath
  let use: SyncGate.Use
  private let gate: SyncGate
  private let ticket: SyncGate.Ticket

  init(path: HomePath, use: SyncGate.Use, gate: SyncGate, ticket: SyncGate.Ticket) {
    self.path = path
    self.use = use
    self.gate = gate
    self.ticket = ticket
  }

  /// Lets others in.
  public func release() { gate.leave(ticket) }

  /// The path stays in use until a sync is over that nobody waits for any more.
  func abandon(_ sync: SyncID, at now: Duration) async { await gate.posted(ticket, sync, at: now) }

  /// Tells other programs of a sync.
  func tell(_ sync: SyncID) async { await gate.tell(ticket, sync) }
}

extension HPCClient {
  /// POST /files/sync: starts copying a folder between bucket and home.
  ///
  /// With `delete`, files that are missing at the source are deleted at the destination; an answer
  /// that is lost then is not asked for again but thrown as ambiguous. A sync that would meet one of
  /// the other direction on an overlapping path, started by a program of the user on this
  /// computer, waits for its end first.
  ///
  /// - Parameters:
  ///   - path: a folder in the home on the machine, relative to it.
  ///   - direction: which way to copy.
  ///   - delete: whether to delete at the destination.
  ///   - force: lets `delete` reach the folder that sweeps live in.
  ///   - options: of this call.
  /// - Returns: the number to ask for with ``syncStatus(_:_:)``.
  /// - Throws: why the service did not start it.
  public func startSync(
    path: String, direction: SyncDirection = .fromOnline, delete: Bool = false,
    force: Bool = false, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> SyncID {
    try await beginSync(
      path: path, direction: direction, delete: delete, force: force, options
    ).id
  }

  /// The same, with every field of the answer.
  public func beginSync(
    path: String, direction: SyncDirection = .fromOnline, delete: Bool = false,
    force: Bool = false, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> SyncRecord {
    guard !path.isEmpty else {
      throw HPCError(
        .invalidArgument,
        "files.sync needs a path: a folder in your home there, \".\" for all of it")
    }
    let place = try HomePath(path)
    if delete, !force, place.overlaps(.sweeps) {
      throw HPCError(
        .invalidArgument,
        "a sync of \(ErrorText.quoted(path)) with delete = true would reach \"hpc\", where sweeps keep "
          + "what they know about their jobs",
        hint: "Sync a folder beside it, or say force = true when no sweep is to be continued.")
    }
    let gate = syncGate
    let ticket = try await enter(
      gate, SyncNote(path: place, use: SyncGate.Use(direction), isClaim: false))
    let record: SyncRecord
    do {
      record = try await postSync(path: path, direction: direction, delete: delete, options)
    } catch {
      gate.leave(ticket)
      throw error
    }
    await gate.posted(ticket, record.id, at: configuration.time.uptime())
    return record
  }

  /// Waits until a path can be used for syncs of one direction, or of both, and takes it.
  ///
  /// - Parameters:
  ///   - path: in the home on the machine.
  ///   - use: what for.
  /// - Returns: must be released.
  /// - Throws: a cancelled task, or why a sync that stands in the way cannot be asked after.
  public func claimPath(
    _ path: HomePath, for use: SyncGate.Use
  ) async throws(HPCError) -> SyncClaim {
    let gate = syncGate
    let note = SyncNote(path: path, use: use, isClaim: true)
    return SyncClaim(path: path, use: use, gate: gate, ticket: try await enter(gate, note))
  }

  /// Starts a sync of a claimed path and waits until it has ended well.
  ///
  /// - Parameters:
  ///   - claim: has the path and allows the direction.
  ///   - direction: which way to copy.
  ///   - posted: told the number as soon as it is known.
  /// - Returns: the number.
  /// - Throws: why it did not start; `SyncFailed` where it was not all copied.
  @discardableResult
  public func sync(
    _ claim: SyncClaim, _ direction: SyncDirection, posted: @Sendable (SyncID) -> Void = { _ in }
  ) async throws(HPCError) -> SyncID {
    guard claim.use == .both || claim.use == SyncGate.Use(direction) else {
      throw HPCError(.invalidArgument, "\(claim.path) was not claimed for \(direction.rawValue)")
    }
    let id = try await postSync(
      path: claim.path.description, direction: direction, delete: false, CallOptions()
    ).id
    await claim.tell(id)
    posted(id)
    let status: SyncStatus
    do throws(HPCError) {
      status = try await waitForSync(id).status
    } catch {
      await claim.abandon(id, at: configuration.time.uptime())
      throw error
    }
    guard status.isSuccess else {
      throw .syncFailed(id, status, path: claim.path.description, direction)
    }
    return id
  }

  var syncGate: SyncGate {
    configuration.syncGates.gate(
      endpoint: configuration.endpoint.description,
      accessKeyID: configuration.credentials.accessKeyID)
  }

  /// Waits for the turn among the syncs of this program, then for those of others.
  private func enter(
    _ gate: SyncGate, _ note: SyncNote
  ) async throws(HPCError) -> SyncGate.Ticket {
    let ticket = gate.queue(note.path, note.use)
    let start = configuration.time.uptime()
    var isTold = false
    do throws(HPCError) {
      var pause = Duration.seconds(1) / configuration.clockRate
      while let obstacle = gate.obstacle(
        ticket, oldest: configuration.time.uptime() - SyncGate.patience / configuration.clockRate)
      {
        if case .sync(let id) = obstacle, try await isOver(id, gate) { continue }
        tellWait(since: start, for: note.path, &isTold)
        try await wait(&pause, for: note.path)
      }
      pause = .seconds(1) / configuration.clockRate
      var over: Set<SyncID> = []
      while let obstacle = await obstacle(note, over, gate, ticket) {
        guard case .blocked(let text, let isKept) = obstacle else {
          try await sleep(.milliseconds(10), note.path)
          continue
        }
        // Of what another program uses until it says so, the sync alone says nothing.
        if let other = SyncNote(text), let id = other.sync, !(isKept && other.isClaim),
          try await isOver(id, gate)
        {
          over.insert(id)
          continue
        }
        tellWait(since: start, for: note.path, &isTold)
        try await wait(&pause, for: note.path)
      }
    } catch {
      gate.leave(ticket)
      throw error
    }
    return ticket
  }

  /// What keeps this program from leaving a note for others; nil when it is left, or cannot be.
  private func obstacle(
    _ note: SyncNote, _ over: Set<SyncID>, _ gate: SyncGate, _ ticket: SyncGate.Ticket
  ) async -> SyncNote.Outcome? {
    guard let neighbours = configuration.syncNeighbours else { return nil }
    let outcome = await neighbours.leave(note.text) { text, isKept in
      note.judge(text, isKept: isKept, over: over)
    }
    switch outcome {
    case .unavailable: return nil
    case .left(let left):
      gate.keep(left, note, for: ticket)
      return nil
    case .blocked, .busy: return outcome
    }
  }

  /// Says once what is waited for, so that a program that waits does not look dead.
  private func tellWait(since start: Duration, for path: HomePath, _ isTold: inout Bool) {
    guard !isTold, configuration.time.uptime() - start >= .seconds(10) else { return }
    isTold = true
    configuration.observer(
      .warning(
        "waiting until a sync of \(ErrorText.quoted(path.description)), or of what is above or below, is "
          + "over that goes the other way"))
  }

  private func wait(_ pause: inout Duration, for path: HomePath) async throws(HPCError) {
    pause = max(pause, PollSchedule.shortest)
    try await sleep(pause, path)
    pause = min(pause * 1.5, .seconds(10) / configuration.clockRate)
  }

  private func sleep(_ pause: Duration, _ path: HomePath) async throws(HPCError) {
    do {
      try await configuration.time.sleep(for: pause)
    } catch {
      throw HPCError(.cancelled, "waiting for a synchronisation of \(path) was cancelled")
    }
  }

  private func isOver(_ id: SyncID, _ gate: SyncGate) async throws(HPCError) -> Bool {
    do throws(HPCError) {
      return try await syncStatus(id).isOver
    } catch {
      // The service does not know it: nothing goes on.
      guard error.status == 404 else { throw error }
      gate.ended(id)
      return true
    }
  }

  private func postSync(
    path: String, direction: SyncDirection, delete: Bool, _ options: CallOptions
  ) async throws(HPCError) -> SyncRecord {
    let body: JSONValue = [
      "path": .string(path), "direction": .string(direction.rawValue), "delete": .bool(delete),
    ]
    let call = Call(
      operation: .startSync, path: "/files/sync", kind: delete ? .destructive : .idempotent,
      body: body.encoded())
    let record = try await perform(call, options: options) { response in
      let value = try? JSONValue(parsing: response.body)
      return Self.result(
        SyncID(json: value?["requestid"]).map { SyncRecord($0, fields: value?.object ?? []) },
        response, what: "no usable requestid")
    }
    guard let record else { throw HPCError(.badAnswer, "POST /files/sync was answered 404") }
    return record
  }
}

extension HPCError {
  /// A sync that ended, but not well.
  public static func syncFailed(
    _ id: SyncID, _ status: SyncStatus, path: String? = nil, _ direction: SyncDirection? = nil
  ) -> HPCError {
    let what =
      switch status {
      case .complete(let result): "with result \(result.map(ErrorText.quoted) ?? "missing")"
      case .error(let text): "with error: \(ServiceFault.oneLine(text))"
      case .other(let text): "as \(ErrorText.quoted(text))"
      case .waiting: "as waiting"
      }
    let place = path.map { " of \(ErrorText.quoted($0))" } ?? ""
    let way = direction.map { " \($0.rawValue)" } ?? ""
    var error = HPCError(
      code: "SyncFailed", message: "sync \(id)\(place)\(way) ended \(what)",
      hint: "Some files may have been copied and others not; start it again. "
        + "A folder that is not there, or files that cannot be read there, are usual reasons.")
    error.operation = .syncStatus
    error.isRetryable = true
    return error
  }
}
