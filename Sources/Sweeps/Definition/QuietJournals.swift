import FoundationEssentials
import ObjectStore
import Synchronization

/// Which journals there are, and which jobs those hold that nobody writes, so that not every list of
/// jobs opens all of them.
///
/// Each commit changes the file of a journal. One that was left alone for longer than clocks and file
/// systems are coarse is summed up, and opened again only for a job that it holds. So is their folder.
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
  private let listed = Mutex<(version: FileVersion, entries: [SweepCatalog.Entry])?>(nil)

  /// The journals of a folder; `read` where they are not known.
  func entries(in folder: String, _ read: () -> [SweepCatalog.Entry]) -> [SweepCatalog.Entry] {
    let version = FileVersion(path: folder)
    if let known = listed.withLock({ $0 }), known.version == version { return known.entries }
    let entries = read()
    listed.withLock { listed in
      listed = version.flatMap { Self.isQuiet($0) ? ($0, entries) : nil }
    }
    return entries
  }

  private static func isQuiet(_ version: FileVersion) -> Bool {
    Date().timeIntervalSince1970 - Double(version.modified) > rest
  }

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
    let (found, all) = look(version.map(Self.isQuiet) ?? false)
    let sum = version.flatMap { version in all.map { Sum(version: version, jobs: $0) } }
    sums.withLock { $0[journal] = sum }
    return found
  }
}
