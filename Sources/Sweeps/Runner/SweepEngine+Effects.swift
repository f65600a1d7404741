import HPCClient

extension SweepEngine {
  /// Starts what the machine wants done.
  func perform(_ effect: Effect) {
    let shell = setup.shell
    let root = root
    switch effect {
    case .makeRoot(let path):
      begin { .rootMade(await shell.makeRoot(path)) }
    case .upload(let submission):
      upload(submission)
    case .post(let submission):
      let jobfile = "\(root)/in/\(name(submission))/run.sh"
      begin { .posted(submission: submission, await shell.post(jobfile: jobfile)) }
    case .list(let number):
      begin { .listed(number: number, await shell.list()) }
    case .postSync(let tree):
      let direction: SyncDirection = tree == .outputs ? .toOnline : .fromOnline
      let path = "\(root)/\(tree.rawValue)"
      begin { .syncPosted(tree, await shell.postSync(path: path, direction: direction)) }
    case .pollSync(let tree, let request):
      begin { .syncSeen(tree, request: request, await shell.pollSync(request)) }
    case .putSeals(let attempts):
      let names = attempts.map(machine.record.name)
      begin { .sealsPut(attempts, await shell.putSeals(names, root: root)) }
    case .findSeals(let attempts):
      let names = attempts.map(machine.record.name)
      begin {
        let present = await shell.presentSeals(names, root: root)
        return .sealsSeen(attempts, present.map { Set($0.map(\.id)) })
      }
    case .removeCanary:
      begin { .canaryRemoved(await shell.removeCanary(root: root)) }
    case .collect(let claimsOf, let seals):
      begin { .collected(await self.collect(claimsOf: claimsOf, seals: seals)) }
    case .delete(let job):
      begin(isKept: true) { .deleted(job: job, await shell.delete(job: job)) }
    case .fetch(let id, let exit):
      fetch(id, exit)
    case .findCause(let id):
      let logs = logs
      let submission = machine.record[attempt: id].submission.map(name)
      begin {
        guard let submission else { return .causeFound(id, nil) }
        return .causeFound(id, await logs.statistics(of: submission))
      }
    case .report(let anomaly):
      report(anomaly)
    case .finish(let outcome):
      finish(.outcome(outcome))
    }
  }

  private func name(_ submission: Int) -> String {
    machine.record.submissions[submission - 1].name
  }

  func point(_ number: Int) -> SweepPoint {
    let known = points[number - 1]
    return SweepPoint(number: number, name: known.name, parameters: known.parameters)
  }

  // MARK: Uploads

  private func upload(_ submission: Int) {
    guard let blueprint = setup.blueprint else {
      let message = "the sweep's Lua file is needed to submit points; it was opened by name"
      return begin { .uploaded(submission: submission, .failed(message)) }
    }
    let writer = SubmissionWriter(blueprint: blueprint, shell: setup.shell, stage: setup.stage)
    let parts = parts(of: submission)
    let name = name(submission)
    let root = root
    let keeper = setup.keeper
    begin {
      do {
        let written = try await writer.write(name: name, root: root, parts)
        for (point, definition) in written.definitions {
          await keeper.note(definition, of: [point])
        }
        return .uploaded(submission: submission, .ready(written.upload))
      } catch {
        return .uploaded(submission: submission, .failed("\(error)"))
      }
    }
  }

  /// What a script must know of its attempts.
  private func parts(of submission: Int) -> [SubmissionWriter.Part] {
    machine.record.submissions[submission - 1].attempts.map { id in
      SubmissionWriter.Part(id, at: point(id.point), in: machine.record)
    }
  }

  // MARK: Records

  /// What the bucket holds of attempts that are open, and each time all of it: what was read for a
  /// collection that failed half-way counts as never told. Of settled attempts exit records alone,
  /// once. Nil where the bucket cannot be seen whole.
  private func collect(claimsOf: [AttemptID], seals: [AttemptID]) async -> OutListing? {
    let shell = setup.shell
    let root = root
    guard let names = await shell.recordNames(root: root) else { return nil }
    let record = machine.record
    func isOpen(_ name: RecordName) -> Bool {
      record.has(name.attempt) && !record[attempt: name.attempt.id].phase.isSettled
    }
    let wanted = Set(claimsOf)
    let openClaims = names.claims.filter(isOpen)
    let unread = openClaims.filter { wanted.contains($0.attempt.id) && claims[$0] == nil }
    let openExits = names.exits.filter(isOpen)
    let lateExits = names.exits.filter {
      record.has($0.attempt) && !isOpen($0) && !toldExits.contains($0)
        && record[attempt: $0.attempt.id].execution != $0.execution
    }
    let unreadExits = (openExits + lateExits).filter { exits[$0] == nil }
    guard let claimTexts = await shell.readRecords(unread, in: "claim", root: root),
      let exitTexts = await shell.readRecords(unreadExits, in: "exit", root: root)
    else { return nil }
    for (name, text) in claimTexts { claims[name] = ClaimRecord(text) }
    // One that is not whole yet is read again.
    for (name, text) in exitTexts { exits[name] = ExitRecord(text) }
    var listing = OutListing(hasCanary: names.hasCanary)
    for name in openClaims { listing.claims[name] = .some(claims[name]) }
    listing.refusals = names.refusals.filter(isOpen)
    for name in openExits + lateExits { listing.exits[name] = exits[name] }
    if !seals.isEmpty {
      // After the records: a bucket that was emptied before they were listed is found out.
      let wanted = seals.map(record.name)
      guard let present = await shell.presentSeals(wanted, root: root) else { return nil }
      listing.seals = Set(present.map(\.id))
    }
    for name in lateExits where exits[name] != nil { toldExits.insert(name) }
    exits = exits.filter { isOpen($0.key) }
    return listing
  }

  // MARK: Outputs

  private func fetch(_ id: AttemptID, _ exit: ExitRecord) {
    let fetcher = OutputFetcher(shell: setup.shell, folder: setup.folder)
    let attempt = machine.record.name(of: id)
    let point = point(id.point)
    let files = SweepFiles(
      folder: "\(setup.folder)/\(point.name)", files: exit.files, readLog: logReader(id))
    let function = setup.blueprint?.definition.result
    let root = root
    begin {
      if let outcome = await fetcher.fetch(attempt, exit, to: point.name, root: root) {
        return .fetched(id, outcome)
      }
      do {
        return .fetched(id, .verified(result: try await function?(point, files), error: nil))
      } catch is CancellationError {
        // Nobody runs functions any more: the next run calls it.
        return .fetched(id, .failed("the result function was interrupted"))
      } catch {
        return .fetched(id, .verified(result: nil, error: "\(error)"))
      }
    }
  }

  /// Reads what an attempt wrote, once a result function asks for it.
  private func logReader(
    _ id: AttemptID
  ) -> @Sendable (SweepLogs.Stream) async throws -> [UInt8] {
    let logs = logs
    let attempt = machine.record.name(of: id)
    let submission = machine.record[attempt: id].submission.map(name) ?? ""
    return { stream in
      guard await logs.refresh() else {
        throw SweepError(.service, "the log of the job could not be synchronised")
      }
      return try await logs.log(stream, of: attempt, submission: submission)
    }
  }
}
