import HPCClient

extension APISpec {
  /// Fields of the tables that have no functions of their own.
  static let classMembers: [APIEntry] = config + syncs + transfers + errors

  private static func field(
    _ path: String, _ type: APIType, _ summary: String, _ meaning: String = ""
  ) -> APIEntry {
    APIEntry(.field, path, summary, returns: [APIReturn(type, meaning)])
  }

  private static let config =
    SettingKey.allCases.map { key in
      field(
        "Config.\(key.rawValue)",
        [.maxConnections, .retryDeadline, .clockRate].contains(key) ? .number : .string,
        key.isSecret ? "Masked: \(key.allowed)." : "The setting: \(key.allowed).")
    } + [
      field("Config.sources", .table, "Where each setting comes from."),
      field("Config.connections", .table, "The connections of this process to the endpoint."),
      field(
        "Config.sim", .table, "The embedded simulator: home, endpoint, storage_endpoint, speed."),
    ]

  private static let syncs = [
    field("Sync.id", .integer, "Number of the sync.", "requestid is the service's own name for it"),
    field("Sync.path", .string, "What is copied, from hpc.files.sync."),
    field(
      "Sync.direction", .words(["from_online", "to_online"]),
      "Which way it is copied, from hpc.files.sync."),
    field("Sync.status", .string, "How it stands: waiting, complete or error: and why."),
    field("Sync.result", .string, "The service's result, once it is complete.", "\"0\" is success"),
  ]

  private static let transfers = [
    field("Transfer.local", .string, "The path on this computer."),
    field("Transfer.remote", .string, "The path in your home on the machine."),
    field("Transfer.files", .integer, "Files that were looked at."),
    field("Transfer.transferred", .integer, "Files that were copied."),
    field("Transfer.bytes", .integer, "Bytes of those."),
    field("Transfer.unchanged", .integer, "Files that were there already."),
    field("Transfer.skipped", .integer, "Files that were left out."),
    field("Transfer.failed", .integer, "Files that could not be copied."),
    field("Transfer.seconds", .seconds, "How long it took."),
    field("Transfer.sync", .integer, "Number of the sync."),
    field("Transfer.rows", .array(.table), "Each file: path, size, outcome, reason."),
  ]

  private static let errors = [
    field("Error.code", .string, "What kind of error it is, such as NoCredentials."),
    field("Error.message", .string, "What happened, and what is known."),
    field("Error.hint", .string, "What to do, where something can be said."),
    field("Error.status", .integer, "HTTP status of the answer, where there was one."),
    field("Error.operation", .string, "The operation, such as submit."),
    field("Error.request", .string, "Method and URL, without secrets."),
    field("Error.body", .string, "The beginning of the answer."),
    field("Error.retryable", .boolean, "Whether trying again later may help."),
    field("Error.ambiguous", .boolean, "Whether it may have happened all the same."),
    field("Error.attempts", .integer, "Requests that were made."),
    field("Error.traceback", .string, "Where it was raised."),
    field(
      "Error.candidates", .array(.object("Job")),
      "Jobs that an ambiguous submission may have made.", "hpc.jobs.settle(err) looks again"),
    field("Error.jobfile", .string, "The jobfile of an ambiguous submission."),
    field("Error.sent_at", .number, "When an ambiguous submission was sent.", "epoch seconds"),
    field(
      "Error.account", .integer, "Where an ambiguous submission went: a number of this program."),
    field("Error.report", .object("Transfer"), "What a push or pull that failed did."),
    field("Error.row", .object("Row"), "The row of a verdict that is not done."),
  ]
}
