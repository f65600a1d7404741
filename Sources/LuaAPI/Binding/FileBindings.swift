import HPCClient
import HomeFiles
import LuaRuntime
import ObjectStore

/// `hpc.push`, `hpc.pull` and `hpc.files`.
struct FileBindings {
  let connection: LazyConnection
  let objects: ObjectTypes
  let host: HPCHost
  let errors: ErrorTable
  private let syncType: LuaReference
  private let reportType: LuaReference

  init(table: HPCTable, connection: LazyConnection, state: LuaState) throws {
    self.connection = connection
    objects = table.objects
    host = table.host
    errors = table.errors
    let index = try state.function("Sync") { call in
      guard try call.value(2).text == "id" else { return .nothing }
      return .value(try call.state.rawGet(call.table(1), "requestid"))
    }
    let line = try state.function("tostring") { call in
      .value(.string(try TransferText.text(ofSync: call.table(1), in: call.state)))
    }
    syncType = try state.make([
      "__name": "Sync", "__index": .reference(index), "__tostring": .reference(line),
      "record": true,
      "columns": .array(["id", "path", "direction", "status", "result"]),
    ])
    let text = try state.function("tostring") { call in
      .value(.string(try TransferText.text(of: call.table(1), in: call.state)))
    }
    reportType = try state.make(["__name": "Transfer", "__tostring": .reference(text)])
  }

  var bodies: [String: APIBody] {
    [
      "hpc.push": .native { call in
        let local = try call.string(1)
        let remote = try call.isAbsent(2) ? Self.name(of: local) : call.string(2)
        return try transfer(call, "push \(remote)") { files, options in
          try await files.push(local, to: remote, options)
        }
      },
      "hpc.pull": .native { call in
        let remote = try call.string(1)
        let local = try call.isAbsent(2) ? Self.name(of: remote) : call.string(2)
        guard !local.isEmpty else {
          throw LuaError.argument(2, "the local path is empty")
        }
        return try transfer(call, "pull \(remote)") { files, options in
          try await files.pull(remote, to: local, options)
        }
      },
      "hpc.files.sync": .native { call in try sync(call) },
      "hpc.files.status": .native { call in
        let id = try id(call, 1)
        let known = try Self.known(call)
        let options = try HPCTable.callOptions(call, 2)
        let client = try connection.client()
        return .await({ try await client.syncRecord(id, options).record }) { _, record in
          .value(sync(record, known))
        }
      },
      "hpc.files.wait": .native { call in
        let (id, known) = (try id(call, 1), try Self.known(call))
        let times = try HPCTable.times(call, options: 2)
        let client = try connection.client()
        return .await({
          try await client.waitForSync(id, interval: times.interval, timeout: times.timeout)
        }) { _, answer in
          let (sync, status) = (sync(answer.record, known), answer.status)
          guard status.isOver else { return .values([sync, "timeout"]) }
          guard status.isSuccess else { throw HPCError.syncFailed(id, status) }
          return .value(sync)
        }
      },
    ]
  }

  // MARK: Push and pull

  private func transfer(
    _ call: borrowing LuaCall, _ label: String,
    _ work: @escaping @Sendable (HomeFiles, HomeFiles.Options) async throws -> HomeReport
  ) throws -> LuaReturn {
    var options = HomeFiles.Options()
    if !call.isAbsent(3) {
      let table = try call.table(3)
      options.only = try patterns(call.state.rawGet(table, "only"), in: call.state)
      options.force = try call.state.rawGet(table, "force").isTrue
    }
    let files = try connection.homeFiles()
    let output = host.progress.flatMap { $0.isTerminal ? $0 : nil }
    let display = output.map { TransferDisplay(label, $0) }
    let log = host.log
    options.tell = { step in
      if case .notice(let text) = step { return log(.info, text) }
      display?.update(step)
    }
    let (chosen, ledger, start) = (options, host.transfers, ContinuousClock.now)
    return .await(
      by: { ledger.start(label, $0) },
      {
        guard let display else { return try await work(files, chosen) }
        return try await display.during { try await work(files, chosen) }
      }
    ) { call, report in
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let table = value(of: report, seconds: seconds)
      guard let first = report.transfer.failures.first else { return .value(table) }
      throw errors.error(Self.incomplete(report, first), adding: [("report", table)])
    }
  }

  private func patterns(_ value: LuaValue, in state: LuaState) throws -> [Glob] {
    var texts: [String] = []
    if let text = value.text { texts = [text] }
    if let table = value.asReference {
      for index in 0..<(try state.length(of: table)) {
        texts.append(try state.rawGet(table, .integer(index + 1)).text ?? "")
      }
    }
    do {
      return try texts.map { try Glob($0) }
    } catch {
      throw LuaError.argument(3, "option 'only': \(error)")
    }
  }

  private func value(of report: HomeReport, seconds: Double) -> LuaValue {
    let transfer = report.transfer
    let rows = transfer.rows.map { row -> LuaValue in
      var fields: [(key: LuaValue, value: LuaValue)] = [
        ("path", .string(row.path)), ("size", .integer(Int(row.size))),
      ]
      switch row.outcome {
      case .transferred: fields.append(("outcome", "transferred"))
      case .unchanged: fields.append(("outcome", "unchanged"))
      case .skipped(let reason):
        fields += [("outcome", "skipped"), ("reason", .string(reason))]
      case .failed(let error):
        fields += [("outcome", "failed"), ("reason", .string(error.description))]
      }
      return .table(fields)
    }
    return .table(
      [
        ("local", .string(report.local)), ("remote", .string(report.remote)),
        ("files", .integer(transfer.rows.count)),
        ("transferred", .integer(transfer.transferred.files)),
        ("bytes", .integer(Int(transfer.transferred.bytes))),
        ("unchanged", .integer(transfer.unchanged)),
        ("skipped", .integer(transfer.skipped)), ("failed", .integer(transfer.failures.count)),
        ("seconds", .number(seconds)), ("rows", .array(rows)),
      ] + (report.sync.map { [("sync", .integer(Int($0.number)))] } ?? []), metatable: reportType)
  }

  /// Some files are missing on the other side.
  private static func incomplete(_ report: HomeReport, _ first: ObjectStoreError) -> HPCError {
    let count = report.transfer.failures.count
    let all = report.transfer.rows.count
    guard all > 1 else { return HPCError(first) }
    var error = HPCError(
      code: "Incomplete",
      message: "\(count) of \(all) files were not transferred; the first: \(first.message)",
      hint: "All others were: err.report.rows tells of each. Run it again after mending.")
    error.isRetryable = true
    return error
  }

  static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  // MARK: Syncs

  private func sync(_ call: borrowing LuaCall) throws -> LuaReturn {
    let options = try call.table(1)
    let path = try call.state.rawGet(options, "path").wireText("path", 1) ?? ""
    let direction =
      try call.state.rawGet(options, "direction").text.flatMap(SyncDirection.init(rawValue:))
      ?? .fromOnline
    let delete = try call.state.rawGet(options, "delete").isTrue
    let force = try call.state.rawGet(options, "force").isTrue
    let times = try HPCTable.callOptions(call, 1)
    let (client, ledger) = (try connection.client(), host.transfers)
    return .await(
      // On the way out its number is awaited: an opposite sync must find it.
      by: { ledger.start("sync \(path)", $0) },
      {
        try await client.beginSync(
          path: path, direction: direction, delete: delete, force: force, times)
      }
    ) { _, record in
      .value(
        sync(record, [("path", .string(path)), ("direction", .string(direction.rawValue))]))
    }
  }

  private func id(_ call: borrowing LuaCall, _ position: Int) throws -> SyncID {
    guard let number = try objects.number(of: call.value(position), in: call.state) else {
      throw LuaError.type(position, expected: "id or Sync")
    }
    return SyncID(number)
  }

  /// What a Sync says of itself besides its id.
  private static func known(
    _ call: borrowing LuaCall
  ) throws -> [(key: LuaValue, value: LuaValue)] {
    guard let sync = try call.value(1).asReference, sync.type == .table else { return [] }
    return try (["path", "direction"] as [LuaValue]).compactMap { key in
      try call.state.rawGet(sync, key).text.map { (key, .string($0)) }
    }
  }

  /// Every field of the wire, and what is known besides.
  private func sync(
    _ record: SyncRecord, _ known: [(key: LuaValue, value: LuaValue)]
  ) -> LuaValue {
    var fields = known + LuaValue.fields(record.fields)
    fields.append(("requestid", .integer(Int(record.id.number))))
    // One kind of value to compare with, whatever the wire has.
    if case .complete(let result?) = record.status { fields.append(("result", .string(result))) }
    return .table(fields, metatable: syncType)
  }
}
