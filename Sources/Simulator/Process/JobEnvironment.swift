/// The environment of a job: made anew, so that nothing of the host's, secrets least of all, gets
/// in.
struct JobEnvironment: Sendable {
  /// What is taken over from the host.
  static let inherited = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"]

  /// `NAME=value` each.
  let entries: [String]

  /// - Parameters:
  ///   - job: with the variables that its script asks for.
  ///   - home: also the working directory, since the API submits from there.
  ///   - user: the account on the machine.
  ///   - host: the host's environment.
  init(job: Job, home: String, user: String, host: [String: String]) {
    let directives = job.request.directives
    var variables: [String: String] = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    for name in Self.inherited { if let value = host[name] { variables[name] = value } }
    variables["HOME"] = home
    variables["PWD"] = home
    variables["USER"] = user
    variables["LOGNAME"] = user
    variables["SHELL"] = "/bin/sh"
    for variable in directives.variables { variables[variable.name] = variable.value }
    variables["PJM_ENVIRONMENT"] = "BATCH"
    variables["PJM_JOBID"] = "\(job.id)"
    variables["PJM_JOBNAME"] = job.request.name
    variables["PJM_JOBDIR"] = home
    variables["PJM_O_WORKDIR"] = home
    variables["PJM_O_HOME"] = home
    variables["PJM_O_LOGNAME"] = user
    variables["PJM_RSCGRP"] = directives.resourceGroup
    variables["PJM_NODE"] = "\(directives.nodes)"
    variables["PJM_BULKNUM"] = ""
    variables["PJM_STEPNUM"] = ""
    if let mpi = directives.mpi, let processes = Self.processes(mpi) {
      variables["PJM_MPI_PROC"] = processes
    }
    entries = variables.map { "\($0.key)=\($0.value)" }.sorted()
  }

  /// `48` of `proc=48,max-proc-per-node=4`.
  private static func processes(_ mpi: String) -> String? {
    mpi.split(separator: ",").first { $0.hasPrefix("proc=") }.map { String($0.dropFirst(5)) }
  }
}
