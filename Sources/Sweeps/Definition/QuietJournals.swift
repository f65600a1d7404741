import FoundationEssentials
import Synchronization

/// Which jobs the journals hold that nobody writes, so that not every list of jobs opens all of them.
///
/// Each commit changes the file of a journal. One that was left alone for longer than clocks and file
/// systems are coarse is summed up, and opened again only for a job that it holds.
final class QuietJournals: Sendable {
  /// Ids and names of jobs.
  struct Jobs: Sendable {
    var ids: Set<Int64> = []
    var names: Set<String> = []
  }

  private struct Sum {
    let version: FileVersion
    let jobs: Jobs
  }

  private static let rest: TimeInterval = 10

  private let sums = Mutex<[String: Sum]>([:])

  /// Looks into a journal unless it is known to hold none of some jobs.
  ///
  /// - Parameters:
  ///   - journal: its path.
  ///   - jobs: what is looked for.
  ///   - look: opens it; answers what was found and, where that is asked for, all that it holds.
  /// - Returns: points by id, as `look` found them.
  func look(
    into journal: String, for jobs: [(id: Int64, name: String)],
    _ look: (_ sumsUp: Bool) -> (found: [Int64: String], all: Jobs?)
  ) -> [Int64: String] {
    // Taken before it is opened: what is committed meanwhile makes another version.
    let version = FileVersion(path: journal)
    if let sum = sums.withLock({ $0[journal] }), sum.version == version {
      let mayHold = jobs.contains {
        sum.jobs.ids.contains($0.id) || sum.jobs.names.contains($0.name)
      }
      return mayHold ? look(false).found : [:]
    }
    let isQuiet = version.map { Date().timeIntervalSince1970 - $0.modified > Self.rest } ?? false
    let (found, all) = look(isQuiet)
    let sum = version.flatMap { version in all.map { Sum(version: version, jobs: $0) } }
    sums.withLock { $0[journal] = sum }
    return found
  }
}
