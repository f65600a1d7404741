import JSON

/// A job as list and detail show it: all fields of the reference's example, in its order, every
/// value a string.
struct JobFields {
  let dialect: Simulator.Dialect
  let user: String
  let group: String
  let now: SimulatedTime

  /// The list's body.
  func list(_ jobs: [Job]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(600 * jobs.count + 2)
    bytes.append(UInt8(ascii: "["))
    for (index, job) in jobs.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      append(job, to: &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
    return bytes
  }

  /// One job's body.
  func detail(_ job: Job) -> [UInt8] {
    var bytes: [UInt8] = []
    append(job, to: &bytes)
    return bytes
  }

  /// Writes an object; columns are cut as pjstat cuts them (`api.md`, upstream).
  private func append(_ job: Job, to bytes: inout [UInt8]) {
    let directives = job.request.directives
    let upstream = dialect == .upstream
    let started = job.started ?? job.reserved
    bytes += "{\"job_id\":\"\(job.id)\",\"job_name\":".utf8
    quote(job.request.name, 10, &bytes)
    bytes += ",\"status\":\"\(job.state.rawValue)\",\"user\":".utf8
    quote(user, 8, &bytes)
    bytes += ",\"group\":".utf8
    quote(directives.group ?? group, 8, &bytes)
    bytes += ",\"start_date\":\"\(started?.machineDate ?? "-")\"".utf8
    bytes += (upstream ? ",\"elapse_time\":\"" : ",\"elapsed_time\":\"").utf8
    bytes += pjmDuration(job.elapsed(at: now)).utf8
    bytes += "\",\"node_require\":\"\(directives.nodeRequest)\"".utf8
    bytes += ",\"priority\":\"\(directives.priority)\"".utf8
    bytes += ",\"accept\":\"\(job.accepted.machineDate)\",\"queue\":".utf8
    quote(directives.resourceGroup, 16, &bytes)
    bytes += (upstream ? ",\"Fugaku:elapse_limit\":\"" : ",\"Fugaku:elapsed_limit\":\"").utf8
    bytes += pjmDuration(directives.elapse).utf8
    bytes += #"","Fugaku:md":"NM","Fugaku:vnode":"-","Fugaku:core":"-","Fugaku:v_mem":"-""#.utf8
    bytes += #","Fugaku:v_pol":"-","Fugaku:e_pol":"-","Fugaku:rank":"bychip""#.utf8
    bytes += ",\"Fugaku:lst\":\"\(job.lastState.rawValue)\"".utf8
    bytes += ",\"Fugaku:ec\":\"\(job.exitCode)\",\"Fugaku:pc\":\"\(job.pjmCode)\"".utf8
    bytes += ",\"Fugaku:sn\":\"\(job.signal)\",\"Fugaku:reason\":".utf8
    quote(job.reason, 16, &bytes)
    bytes.append(UInt8(ascii: "}"))
  }

  private func quote(_ text: String, _ width: Int, _ bytes: inout [UInt8]) {
    let cut = text.utf8.count <= width ? text : String(text.prefix(width))
    if cut.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c }) {
      bytes.append(UInt8(ascii: "\""))
      bytes += cut.utf8
      bytes.append(UInt8(ascii: "\""))
    } else {
      bytes += JSONValue.string(cut).encoded()
    }
  }
}
