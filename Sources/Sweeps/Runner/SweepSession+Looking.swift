extension SweepSession {
  /// The state of the sweep; of a run in progress with what only that knows.
  public func status() async throws(SweepError) -> SweepStatus {
    var status = try SweepBooks(journal: journalPath).status()
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

  /// Rows as ``SweepBooks/rows(states:all:)``, with those that run told from those that wait.
  public func rows(
    states: Set<PointState>? = nil, all: Bool = false
  ) async throws(SweepError) -> [SweepRow] {
    var rows = try SweepBooks(journal: journalPath).rows(all: all)
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
    let place: (attempt: AttemptName, submission: String, root: String)?
    do throws(JournalError) {
      place = try SweepJournal(reading: journalPath).logPlace(of: point)
    } catch {
      throw SweepError(error)
    }
    guard let place else {
      throw SweepError(.argument, "point \(point) has not been submitted: there is no log of it")
    }
    let shell = SweepShell(service: service, timing: timing) { _ in }
    let logs = LogCollector(shell: shell, root: place.root)
    guard await logs.refresh() else {
      throw SweepError(.service, "the logs could not be synchronised from the machine")
    }
    do {
      return SweepLogs(
        stdout: try await logs.log(.out, of: place.attempt, submission: place.submission),
        stderr: try await logs.log(.err, of: place.attempt, submission: place.submission))
    } catch {
      throw SweepError(.service, "\(error)")
    }
  }

  /// Runs the result function again over the outputs of done points that are here.
  ///
  /// - Returns: how many.
  public func refreshResults() async throws(SweepError) -> Int {
    guard let function = definition?.result else { return 0 }
    let rows = try SweepBooks(journal: journalPath).rows(states: [.done], all: true)
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
      } catch {
        results[row.point] = (nil, "\(error)")
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
  /// Points without a verdict that are meant.
  func open(_ selection: PointSelection) -> [Int] {
    machine.record.points.indices.map { $0 + 1 }.filter {
      machine.record.points[$0 - 1].verdict == nil && selection.points?.contains($0) != false
    }
  }

  /// Points that failed or were cancelled and are meant.
  func failed(_ selection: PointSelection) -> [Int] {
    machine.record.points.indices.map { $0 + 1 }.filter {
      selection.isFailed($0, machine.record.points[$0 - 1])
    }
  }

  var runningPoints: Set<Int> {
    let running = machine.runningNames
    return Set(
      machine.record.points.indices.map { $0 + 1 }.filter {
        machine.state(of: $0, running: running) == .running
      })
  }
}
