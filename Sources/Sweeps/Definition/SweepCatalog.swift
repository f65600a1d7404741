import FoundationEssentials
import ObjectStore
import SigV4

/// The journals of this user on this computer: a small file each in a folder of the state directory.
///
/// Lets `hpc sweep list` find sweeps wherever they are, and `hpc.jobs.list` name a job's sweep.
public struct SweepCatalog: Sendable {
  /// One journal.
  public struct Entry: Sendable, Hashable {
    public var name: String
    /// Absolute path of the journal.
    public var journal: String
  }

  /// A job's place in a sweep.
  public struct Place: Sendable, Hashable {
    public var sweep: String
    /// Name of the point; of all of them, where points share the job.
    public var point: String
    public var journal: String
  }

  public let folder: String
  private let quiet = QuietJournals()

  public init(folder: String) {
    self.folder = folder
  }

  /// `$XDG_STATE_HOME/hpc/sweeps`, else below `~/.local/state`; nil without either.
  public static func standard(_ environment: [String: String]) -> SweepCatalog? {
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      return SweepCatalog(folder: "\(state)/hpc/sweeps")
    }
    return environment["HOME"].map { SweepCatalog(folder: "\($0)/.local/state/hpc/sweeps") }
  }

  /// Notes a journal; that it cannot be noted is no reason not to run it.
  public func register(_ entry: Entry) {
    let key = SHA256.hexadecimal(of: Array(entry.journal.utf8)).prefix(16)
    let path = "\(folder)/\(key)"
    let text = "\(entry.name)\n\(entry.journal)\n"
    guard (try? String(contentsOfFile: path, encoding: .utf8)) != text else { return }
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    try? Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
  }

  /// True where no journal was ever noted.
  public var isEmpty: Bool { FileVersion(path: folder) == nil }

  /// The journals that are still there, by name; notes of others are removed.
  public func entries() -> [Entry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var entries: [Entry] = []
    for name in names {
      let path = "\(folder)/\(name)"
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
      let lines = text.split(separator: "\n")
      guard lines.count == 2, FileManager.default.fileExists(atPath: String(lines[1])) else {
        if name.utf8.count == 16 { try? FileManager.default.removeItem(atPath: path) }
        continue
      }
      entries.append(Entry(name: String(lines[0]), journal: String(lines[1])))
    }
    return entries.sorted { ($0.name, $0.journal) < ($1.name, $1.journal) }
  }

  /// The state of a journal, or why it cannot be read.
  public typealias Listed = (entry: Entry, status: Result<SweepStatus, SweepError>)

  /// Every journal; waits for disks.
  public func list() -> [Listed] {
    entries().map { entry in
      do throws(SweepError) {
        return (entry, .success(try SweepBooks(journal: entry.journal).status()))
      } catch {
        return (entry, .failure(error))
      }
    }
  }

  /// Where some jobs belong: by id, and by name where the id is not known yet.
  ///
  /// - Parameters:
  ///   - jobs: ids and names, as a list of the service shows them.
  ///   - service: only journals of it are looked at.
  ///   - afresh: whether to open every journal: another computer's changes of one may show late.
  public func places(
    of jobs: [(id: Int64, name: String)], service: JournalService, afresh: Bool = false
  ) -> [Int64: Place] {
    var places: [Int64: Place] = [:]
    guard !jobs.isEmpty else { return places }
    let quiet = afresh ? QuietJournals() : quiet
    for entry in quiet.entries(in: folder, entries) {
      let found = quiet.look(into: entry.journal, for: jobs) { sumsUp in
        guard let journal = try? SweepJournal(reading: entry.journal) else { return ([:], nil) }
        let all = sumsUp ? try? journal.jobs() : nil
        guard (try? journal.service())?.isSame(as: service) == true,
          let found = try? journal.points(ofJobs: jobs)
        else { return ([:], all) }
        return (found, all)
      }
      for (id, point) in found {
        places[id] = Place(sweep: entry.name, point: point, journal: entry.journal)
      }
    }
    return places
  }
}
