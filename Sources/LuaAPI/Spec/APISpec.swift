import HPCClient

/// Everything that the `hpc` table holds, described once.
public enum APISpec {
  /// All entries; the groups in the order of the map that `hpc` prints.
  public static let entries: [APIEntry] =
    jobs + jobMembers + files + store + sweeps + sweepMembers + spaces + tasks + tools + settings
    + classMembers

  /// The entry of a path such as `hpc.jobs.list`.
  public static func entry(_ path: String) -> APIEntry? { index[path].map { entries[$0] } }

  private static let index = Dictionary(
    entries.enumerated().map { ($1.path, $0) }, uniquingKeysWith: { first, _ in first })

  /// States that a job may be listed by (`lua-api.md`, Jobs).
  public static let states = JobState.names

  /// PJM's own states (`api.md`, Fugaku job management).
  public static let pjmStates = JobState.pjmNames

  /// What every request to the service can fail with.
  static let requestErrors = [
    "an error table with code, message, status, operation, request, retryable, ambiguous, attempts and hint, when the service refuses or cannot be reached"
  ]
}
