import Glibc

/// What is known of a job, on which ground, and since when (`exactly-once.md`, A good list).
public struct JobObservation: Sendable, Hashable {
  /// What a state rests on, the strongest last.
  public enum Evidence: Sendable, Hashable, CustomStringConvertible {
    /// Nothing has been looked at yet.
    case none
    /// An answer before the wait showed the job, and no list has come since.
    case earlier
    /// A list showed the job.
    case list
    /// Its detail showed it.
    case detail
    /// Two good lists an interval apart did not show it, and its detail is not found.
    case gone

    public var description: String {
      switch self {
      case .none: "none"
      case .earlier: "an earlier answer"
      case .list: "list"
      case .detail: "detail"
      case .gone: "absent from two lists, and its detail is not found"
      }
    }
  }

  public var id: JobID
  public var state: JobState
  /// As it was last shown; nil where it never was.
  public var record: JobRecord?
  public var evidence: Evidence
  /// Seconds since 1970 on this machine's clock: when the state was seen.
  public var observedAt: Double
  /// False for a number that neither a list nor a submission of this client has ever shown.
  public var wasKnown: Bool

  /// Whether nothing more will be learnt of the job.
  public var isOver: Bool { evidence == .gone || record?.isTerminal == true }

  /// One sentence for people (`lua-api.md`, Errors: job gone).
  public var text: String {
    switch evidence {
    case .gone where !wasKnown:
      return "no such job \(id), or it ended before it was first seen"
    case .gone:
      let status = ServiceFault.oneLine(record?.status ?? "")
      let seen = status.isEmpty ? "never listed" : "last seen \(status)"
      return "job \(id) left the list at \(Self.localTime(observedAt)) (\(seen)). The service "
        + "forgets ended jobs and tells no exit code. hpc.run or a sweep gives a verdict."
    case .none: return "job \(id) has not been looked for yet"
    case .earlier, .list, .detail:
      return "job \(id) was \(state) at \(Self.localTime(observedAt))"
    }
  }

  /// `HH:MM:SS` in the user's time zone.
  private static func localTime(_ epoch: Double) -> String {
    var seconds = time_t(max(0, min(epoch, 4e9)))
    var parts = unsafe tm()
    _ = unsafe localtime_r(&seconds, &parts)
    return unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
      .map { $0 < 10 ? "0\($0)" : "\($0)" }
      .joined(separator: ":")
  }
}
