import HPCClient
import HTTP
import LuaRuntime
import ObjectStore
import SigV4
import Sweeps

/// Jobs that belong to sweeps of this computer.
extension SweepBindings {
  /// Gives the jobs of a list that belong to a sweep the fields `sweep` and `point`, and goes on to
  /// answer. Journals are looked at beside the Lua thread: there may be many, and slow disks.
  func mark(
    _ jobs: LuaReference, in state: LuaState, then answer: @escaping () -> LuaReturn
  ) throws -> LuaReturn {
    guard let catalog = host.catalog, state.rawLength(of: jobs) > 0, !catalog.isEmpty else {
      return answer()
    }
    var known: [(id: Int64, name: String)] = []
    var tables: [Int64: LuaReference] = [:]
    for value in try state.read(list: jobs) {
      guard let job = value.asReference,
        let id = try table.objects.number(of: value, in: state)
      else { continue }
      known.append((id, try state.rawGet(job, "job_name").text ?? ""))
      tables[id] = job
    }
    guard !known.isEmpty else { return answer() }
    let (wanted, marked, service) = (known, tables, try identity())
    return .await({
      await DiskWork.run { catalog.places(of: wanted, service: service) }
    }) { call, places in
      for (id, place) in places {
        guard let job = marked[id] else { continue }
        try call.state.rawSet(job, "sweep", .string(place.sweep))
        try call.state.rawSet(job, "point", .string(place.point))
      }
      return answer()
    }
  }

  /// Endpoint and account, as journals note them.
  private func identity() throws -> JournalService {
    let configuration = try connection.client().configuration
    return JournalService(
      endpoint: configuration.endpoint.origin,
      account: configuration.credentials.maskedAccessKeyID)
  }

  /// Jobs of one sweep that are to be cancelled.
  private struct Owned: Sendable {
    var journal: String
    var points: Set<Int> = []
    var jobs: [Int64] = []
  }

  /// What of some jobs belongs to sweeps.
  private static func owned(
    _ ids: [Int64], in catalog: SweepCatalog, _ service: JournalService
  ) throws(SweepError) -> [Owned] {
    var all: [String: Owned] = [:]
    for (id, place) in catalog.places(
      of: ids.map { ($0, "") }, service: service, afresh: true)
    {
      all[place.journal, default: Owned(journal: place.journal)].jobs.append(id)
    }
    for (journal, owner) in all {
      let wanted = Set(owner.jobs)
      let rows = try SweepBooks(journal: journal).rows(all: true)
      all[journal]?.points = Set(
        rows.filter { $0.jobID.map(wanted.contains) == true }.map(\.point))
    }
    return all.values.filter { !$0.points.isEmpty }
  }

  /// `tell_sweeps(ids)`: sweeps whose jobs are to be cancelled cancel the points, and the jobs with
  /// them. Answers the ids that are so taken care of.
  func tellSweeps(_ call: borrowing LuaCall) throws -> LuaReturn {
    let ids = try call.state.read(list: call.table(1)).compactMap {
      $0.asInteger.map(Int64.init)
    }
    guard let catalog = host.catalog, !ids.isEmpty else { return .value([]) }
    let service = try identity()
    return .await({
      try await DiskWork.run { () throws(SweepError) in
        try Self.owned(ids, in: catalog, service)
      }
    }) { [self] call, owned in
      var orders: [(session: SweepSession, owned: Owned)] = []
      for owner in owned {
        orders.append((try session(try open(owner.journal, in: call.state)), owner))
      }
      guard !orders.isEmpty else { return .value([]) }
      let (work, log) = (orders, host.log)
      return .await({ await Self.cancel(work, log) }) { _, told in
        .value(.array(told.map { .integer(Int($0)) }))
      }
    }
  }

  /// The jobs whose sweeps have taken it up.
  private static func cancel(
    _ orders: [(session: SweepSession, owned: Owned)],
    _ log: @Sendable (HPCHost.LogLevel, String) -> Void
  ) async -> [Int64] {
    var told: [Int64] = []
    for (session, owned) in orders {
      do throws(SweepError) {
        _ = try await session.cancel(PointSelection(points: owned.points))
        told += owned.jobs
      } catch {
        log(
          .warn,
          "\(session.name) could not be told that its jobs are cancelled and may run the points "
            + "again: \(error)")
      }
    }
    return told
  }
}
