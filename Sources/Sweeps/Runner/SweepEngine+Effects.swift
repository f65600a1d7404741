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
      begin { .sealsPut(attempts, await shell.putSeals(attempts, root: root)) }
    case .findSeals(let attempts):
      begin { .sealsSeen(attempts, await shell.presentSeals(attempts, root: root)) }
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
    let parts = machine.record.submissions[submission - 1].attempts.map(part)
    let name = name(submission)
    let root = root
    let keeper = setup.keeper
    begin {
      do {
        let written = try await writer.write(name: name, root: root, parts)
        for (point, definition) in written.definitions {
          await keeper.note(definition, of: [point])
        }
        return .uploaded(
          submission: submission, .ready(nodes: written.nodes, elapse: written.elapse))
      } catch {
        return .uploaded(submission: submission, .failed("\(error)"))
      }
    }
  }

  /// What a script must know of an attempt.
  private func part(_ id: AttemptID) -> SubmissionWriter.Part {
    let record = machine.record.points[id.point - 1]
    var earlier: [AttemptID] = []
    for (index, attempt) in record.attempts.prefix(id.number - 1).enumerated() {
      switch attempt.phase {
      case .closed(.exited), .closed(.runLost):
        earlier.append(AttemptID(point: id.point, number: index + 1))
      default: continue
      }
    }
    return SubmissionWriter.Part(
      id: id, point: point(id.point), previous: earlier.last, earlier: earlier,
      resources: record.resources.flatMap { Resources(json: $0) })
  }

  // MARK: Records

  /// What is new in the bucket to this run; nil where it cannot be seen whole.
  private func collect(claimsOf: [AttemptID], seals: [AttemptID]) async -> OutListing? {
    let shell = setup.shell
    let root = root
    guard let names = await shell.recordNames(root: root) else { return nil }
    var listing = OutListing(hasCanary: names.hasCanary)

    let wanted = Set(claimsOf)
    let unread = names.claims.filter { wanted.contains($0.attempt) && claims[$0] == nil }
    let exits = names.exits.filter { !seenExits.contains($0) && !isKnown($0) }
    guard let claimTexts = await shell.readRecords(unread, in: "claim", root: root),
      let exitTexts = await shell.readRecords(exits, in: "exit", root: root)
    else { return nil }
    for (name, text) in claimTexts { claims[name] = ClaimRecord(text) }
    for name in names.claims {
      if wanted.contains(name.attempt) {
        listing.claims[name] = .some(claims[name])
      } else if seenClaims.insert(name).inserted {
        listing.claims[name] = .some(claims[name])
      }
    }
    for name in names.refusals where seenRefusals.insert(name).inserted {
      listing.refusals.append(name)
    }
    for (name, text) in exitTexts {
      // One that is not whole yet is read again.
      guard let exit = ExitRecord(text) else { continue }
      seenExits.insert(name)
      listing.exits[name] = exit
    }
    if !seals.isEmpty {
      guard let present = await shell.presentSeals(seals, root: root) else { return nil }
      listing.seals = present
    }
    return listing
  }

  /// True for the record that closed its attempt.
  private func isKnown(_ name: RecordName) -> Bool {
    guard machine.record.has(name.attempt) else { return false }
    let attempt = machine.record[attempt: name.attempt]
    return attempt.phase.isSettled && attempt.execution == name.execution
  }

  // MARK: Outputs

  private func fetch(_ id: AttemptID, _ exit: ExitRecord) {
    let fetcher = OutputFetcher(shell: setup.shell, folder: setup.folder)
    let point = point(id.point)
    let files = SweepFiles(
      folder: "\(setup.folder)/\(point.name)", files: exit.files, readLog: logReader(id))
    let function = setup.blueprint?.definition.result
    let root = root
    begin {
      if let outcome = await fetcher.fetch(id, exit, to: point.name, root: root) {
        return .fetched(id, outcome)
      }
      do {
        return .fetched(id, .verified(result: try await function?(point, files), error: nil))
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
    let submission = machine.record[attempt: id].submission.map(name) ?? ""
    return { stream in
      guard await logs.refresh() else {
        throw SweepError(.service, "the log of the job could not be synchronised")
      }
      return try await logs.log(stream, of: id, submission: submission)
    }
  }
}
