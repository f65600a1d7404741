import ObjectStore
import Synchronization

extension SweepSession {
  /// What the journal says, read beside the threads that tasks share: it may wait for a writer.
  nonisolated func read<Value: Sendable>(
    _ body: @escaping @Sendable (SweepBooks) throws(SweepError) -> Value
  ) async throws(SweepError) -> Value {
    let path = journalPath
    return try await DiskWork.run { () throws(SweepError) in
      try body(SweepBooks(journal: path))
    }
  }

  /// The state of the sweep; of a run in progress with what only that knows.
  public func status() async throws(SweepError) -> SweepStatus {
    var status = try await read { books throws(SweepError) in try books.status() }
    if engine != nil {
      let own = progress
      status.progress.counts = own.counts
      status.progress.pointsPerHour = own.pointsPerHour
      status.progress.remaining = own.remaining
      status.progress.settled = own.settled
      status.progress.elapsed = own.elapsed
    }
    return status
  }

  /// Names of submissions whose ids are not known, as the journal says; waits for the disk.
  public nonisolated var unsure: [String] {
    (try? SweepBooks(journal: journalPath).status().unsure) ?? []
  }

  /// Rows as ``SweepBooks/rows(states:all:)``, with those that run told from those that wait.
  public func rows(
    states: Set<PointState>? = nil, all: Bool = false
  ) async throws(SweepError) -> [SweepRow] {
    var rows = try await read { books throws(SweepError) in try books.rows(all: all) }
    if let engine {
      let running = await engine.runningPoints
      for index in rows.indices
      where rows[index].state == .submitted && running.contains(rows[index].point) {
        rows[index].state = .running
      }
    }
    guard let states else { return rows }
    return rows.filter { states.contains($0.state) }
  }

  /// What the program of a point's last attempt has written so far; asks the machine for it.
  public func logs(_ point: Int) async throws(SweepError) -> SweepLogs {
    let service = service
    let found = try await read { books throws(SweepError) in
      let own = try books.status().service
      guard own.isSame(as: service.identity) else {
        throw SweepError(.otherService(path: books.path, own, not: service.identity))
      }
      guard try books.row(point) != nil else {
        throw SweepError(
          .argument, "\(try books.status().name) has no point \(point)",
          hint: "Their numbers are in its results{all = true}, hpc sweep results NAME --all")
      }
      return try books.logPlace(of: point)
    }
    guard let place = found else {
      throw SweepError(.argument, "point \(point) has not been submitted: there is no log of it")
    }
    let trouble = Mutex<String?>(nil)
    let shell = SweepShell(service: service, timing: timing) { found in
      trouble.withLock { $0 = found.message }
    }
    let logs = LogCollector(shell: shell, root: place.root)
    guard await logs.refresh() else {
      let because = trouble.withLock { $0 }.map { ": \($0)" } ?? ""
      throw SweepError(
        .service, "the logs could not be synchronised from the machine\(because)")
    }
    do {
      return SweepLogs(
        stdout: try await logs.log(.out, of: place.attempt, submission: place.submission),
        stderr: try await logs.log(.err, of: place.attempt, submission: place.submission))
    } catch {
      throw SweepError(.service, "\(error)")
    }
  }

  /// Runs the result function again over the outputs of done points that are here. Where it raises,
  /// what it gave before stays beside its error.
  ///
  /// - Returns: how many.
  public func refreshResults() async throws(SweepError) -> Int {
    guard let function = definition?.result else { return 0 }
    let rows = try await read { books throws(SweepError) in
      try books.rows(states: [.done], all: true)
    }
    var results: [Int: (result: String?, error: String?)] = [:]
    for row in rows {
      guard let folder = row.folder else { continue }
      let files = SweepFiles(folder: folder, files: row.files) { stream in
        let logs = try await self.logs(row.point)
        return stream == .out ? logs.stdout : logs.stderr
      }
      let point = SweepPoint(number: row.point, name: row.name, parameters: row.parameters)
      do {
        results[row.point] = (try await function(point, files), nil)
      } catch is CancellationError {
        throw SweepError(.stopped, "interrupted: the saved results are as they were")
      } catch {
        results[row.point] = (row.result, "\(error)")
      }
    }
    if let engine {
      try await keep(results, engine.setup.keeper)
    } else {
      let keeper = try await openKeeper()
      do throws(SweepError) {
        try await keep(results, keeper)
      } catch {
        await keeper.close()
        throw error
      }
      await keeper.close()
    }
    return results.count
  }

  private func keep(
    _ results: [Int: (result: String?, error: String?)], _ keeper: JournalKeeper
  ) async throws(SweepError) {
    do throws(JournalError) {
      try await keeper.keep(results: results)
    } catch {
      throw SweepError(error)
    }
  }
}

extension SweepEngine {
  /// Cancels points without a verdict that are meant; how many, nil once the run is over.
  func cancel(_ selection: PointSelection) -> Int? {
    guard takesOrders else { return nil }
    let numbers = machine.record.points.indices.map { $0 + 1 }.filter {
      machine.record.points[$0 - 1].verdict == nil && selection.points?.contains($0) != false
    }
    receive(.cancel(numbers))
    return numbers.count
  }

  /// Takes up points that failed or were cancelled and are meant: their numbers, nil once the run is
  /// over.
  func retry(_ selection: PointSelection, resources: String?) -> [Int]? {
    guard takesOrders else { return nil }
    let numbers = machine.record.points.indices.map { $0 + 1 }.filter {
      selection.isFailed($0, machine.record.points[$0 - 1])
    }
    receive(.retry(numbers, resources: resources))
    return numbers
  }

  var runningPoints: Set<Int> {
    let running = machine.runningNames
    return Set(
      machine.record.points.indices.map { $0 + 1 }.filter {
        machine.state(of: $0, running: running) == .running
      })
  }
}
