import HPCClient
import HTTP
import LuaRuntime
import SigV4
import Sweeps

/// Jobs that belong to sweeps of this computer.
extension SweepBindings {
  /// Gives the jobs of a list that belong to a sweep the fields `sweep` and `point`.
  func mark(_ jobs: LuaReference, in state: LuaState) throws {
    guard let catalog = host.catalog, !catalog.entries().isEmpty else { return }
    var known: [(id: Int64, name: String)] = []
    var tables: [Int64: LuaReference] = [:]
    for value in try state.read(list: jobs) {
      guard let job = value.asReference,
        let id = try table.objects.number(of: value, in: state)
      else { continue }
      known.append((id, try state.rawGet(job, "job_name").text ?? ""))
      tables[id] = job
    }
    let places = catalog.places(of: known, service: try identity())
    for (id, place) in places {
      guard let job = tables[id] else { continue }
      try state.rawSet(job, "sweep", .string(place.sweep))
      try state.rawSet(job, "point", .string(place.point))
    }
  }

  /// Endpoint and account, as journals note them.
  private func identity() throws -> JournalService {
    let configuration = try connection.client().configuration
    return JournalService(
      endpoint: configuration.endpoint.origin,
      account: configuration.credentials.maskedAccessKeyID)
  }

  /// What of jobs that are to be cancelled belongs to sweeps: the journal and its points.
  private func owners(of ids: [Int64]) throws -> [String: (points: Set<Int>, jobs: [Int64])] {
    guard let catalog = host.catalog, !catalog.entries().isEmpty else { return [:] }
    let places = catalog.places(of: ids.map { ($0, "") }, service: try identity())
    var owners: [String: (points: Set<Int>, jobs: [Int64])] = [:]
    for (id, place) in places { owners[place.journal, default: ([], [])].jobs.append(id) }
    for (journal, owner) in owners {
      let wanted = Set(owner.jobs)
      let rows = try SweepBooks(journal: journal).rows(all: true)
      let points = rows.filter { $0.jobID.map(wanted.contains) == true }.map(\.point)
      owners[journal] = (Set(points), owner.jobs)
    }
    return owners
  }

  /// `tell_sweeps(ids)`: sweeps whose jobs are to be cancelled cancel the points, and the jobs with
  /// them. Answers the ids that are so taken care of.
  func tellSweeps(_ call: borrowing LuaCall) throws -> LuaReturn {
    let ids = try call.state.read(list: call.table(1)).compactMap {
      $0.asInteger.map(Int64.init)
    }
    var orders: [(session: SweepSession, selection: PointSelection, jobs: [Int64], name: String)] =
      []
    for (journal, owner) in try owners(of: ids) where !owner.points.isEmpty {
      let sweep = try open(journal, in: call.state)
      orders.append(
        (try session(sweep), PointSelection(points: owner.points), owner.jobs, sweep.name))
    }
    guard !orders.isEmpty else { return .value([]) }
    let (work, log) = (orders, host.log)
    return .await({ () async -> [Int64] in
      var told: [Int64] = []
      for order in work {
        do throws(SweepError) {
          _ = try await order.session.cancel(order.selection)
          told += order.jobs
        } catch {
          log(
            .warn,
            "\(order.name) could not be told that its jobs are cancelled and may run the points "
              + "again: \(error)")
        }
      }
      return told
    }) { _, told in .value(.array(told.map { .integer(Int($0)) })) }
  }
}
