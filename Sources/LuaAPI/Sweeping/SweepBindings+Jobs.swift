import HPCClient
import HTTP
import LuaRuntime
import ObjectStore
import SigV4
import Sweeps

/// Jobs that belong to sweeps of this computer.
extension SweepBindings {
  /// Finds which of some jobs belong to sweeps, and where, beside the threads of Lua and of the network:
  /// there may be many journals, and slow disks.
  typealias Finder =
    @Sendable (_ jobs: @escaping @Sendable () -> [(id: Int64, name: String)]) async -> Places
  typealias Places = [Int64: SweepCatalog.Place]

  func finder(_ client: HPCClient) -> Finder {
    let catalog = host.catalog
    return { jobs in
      guard let catalog, !catalog.isEmpty else { return [:] }
      let service = Self.identity(client)
      return await DiskWork.run { catalog.places(of: jobs(), service: service) }
    }
  }

  /// Gives the jobs of a list that belong to a sweep the fields `sweep` and `point`.
  func mark(_ jobs: LuaReference, with places: Places, in state: LuaState) throws {
    guard !places.isEmpty else { return }
    for value in try state.read(list: jobs) {
      guard let job = value.asReference,
        let place = try table.objects.number(of: value, in: state).flatMap({ places[$0] })
      else { continue }
      try state.rawSet(job, "sweep", .string(place.sweep))
      try state.rawSet(job, "point", .string(place.point))
    }
  }

  /// Endpoint and account, as journals note them.
  private static func identity(_ client: HPCClient) -> JournalService {
    let configuration = client.configuration
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
    let service = Self.identity(try connection.client())
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
