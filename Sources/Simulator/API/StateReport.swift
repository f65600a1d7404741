import JSON

/// What `GET /_sim/state` tells a judge (design §8).
struct StateReport {
  var now: SimulatedTime
  var jobs: [Job]
  var syncs: [SyncBoard.Entry]
  var connections: ConnectionGate.Counts
  var requests: [String: Int]
  /// POSTs of each job file, whatever became of them.
  var submissions: [String: Int]
  var faults: [String: Int]

  var json: JSONValue {
    [
      "now": .double(now.seconds),
      "jobs": .array(jobs.map(Self.job)),
      "syncs": .array(syncs.map(Self.sync)),
      "connections": [
        "open": .int(Int64(connections.open)), "peak": .int(Int64(connections.peak)),
        "refused": .int(Int64(connections.refused)),
      ],
      "requests": Self.counts(requests),
      "submissions": Self.counts(submissions),
      "faults": Self.counts(faults),
    ]
  }

  private static func job(_ job: Job) -> JSONValue {
    func time(_ time: SimulatedTime?) -> JSONValue { time.map { .double($0.seconds) } ?? nil }
    return [
      "id": .int(Int64(job.id)), "name": .string(job.request.name),
      "state": .string(job.state.rawValue), "starts": .int(Int64(job.starts)),
      "exit_code": .int(Int64(job.exitCode)), "pjm_code": .int(Int64(job.pjmCode)),
      "accepted": time(job.accepted), "started": time(job.started), "ended": time(job.ended),
    ]
  }

  private static func sync(_ entry: SyncBoard.Entry) -> JSONValue {
    [
      "id": .int(Int64(entry.id)), "path": .string(entry.body.path),
      "direction": .string(entry.body.direction.rawValue), "state": .string(entry.status.text),
    ]
  }

  private static func counts(_ counts: [String: Int]) -> JSONValue {
    .object(
      counts.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .int(Int64($0.value))) })
  }
}
