/// What a journal says, for looking only: also while another process runs it.
public struct SweepBooks {
  /// Absolute path.
  public let path: String
  private let journal: SweepJournal

  /// Opens a journal; throws ``SweepError``.
  public init(journal path: String) throws(SweepError) {
    self.path = path
    do throws(JournalError) {
      journal = try SweepJournal(reading: path)
    } catch {
      throw SweepError(error)
    }
  }

  /// Folder of the outputs: beside the journal, `.out` for its `.sweep`.
  public var outputFolder: String {
    (path.hasSuffix(".sweep") ? String(path.dropLast(6)) : path) + ".out"
  }

  /// True for a journal of the simulator.
  public var isSimulated: Bool { path.hasSuffix(".sim.sweep") }

  public func status() throws(SweepError) -> SweepStatus {
    do throws(JournalError) {
      let heading = try journal.heading()
      var progress = SweepProgress()
      progress.counts = try journal.counts()
      progress.nodeHoursUsed = try journal.usedNodeSeconds() / 3600
      progress.nodeHoursUnderWay = try journal.nodeSecondsUnderWay() / 3600
      let owner = SweepJournal.owner(of: path)
      progress.isRunning = owner != nil
      return SweepStatus(
        name: heading.name, journal: path, service: heading.service, progress: progress,
        causes: try journal.causes(), owner: owner, unsure: try journal.unsure(),
        isSimulated: isSimulated)
    } catch {
      throw SweepError(error)
    }
  }

  /// The points, members of the space in its order first.
  ///
  /// - Parameters:
  ///   - states: only these; nil for all states.
  ///   - all: those that the space no longer has too.
  public func rows(
    states: Set<PointState>? = nil, all: Bool = false
  ) throws(SweepError) -> [SweepRow] {
    do throws(JournalError) {
      let rows = try journal.rows(all: all, folder: outputFolder)
      guard let states else { return rows }
      return rows.filter { states.contains($0.state) }
    } catch {
      throw SweepError(error)
    }
  }

  /// One point; nil for a number that is none.
  public func row(_ point: Int) throws(SweepError) -> SweepRow? {
    do throws(JournalError) {
      return try journal.rows(of: [point], all: true, folder: outputFolder).first
    } catch {
      throw SweepError(error)
    }
  }

  /// The point of some parameters, numbers compared by value; nil where the sweep has none.
  public func row(_ parameters: Parameters) throws(SweepError) -> SweepRow? {
    do throws(JournalError) {
      guard let number = try journal.number(of: parameters) else { return nil }
      return try journal.rows(of: [number], all: true, folder: outputFolder).first
    } catch {
      throw SweepError(error)
    }
  }

  /// Where the log of a point's last submitted attempt is; nil where it has none.
  func logPlace(of point: Int) throws(SweepError) -> LogPlace? {
    do throws(JournalError) {
      return try journal.logPlace(of: point)
    } catch {
      throw SweepError(error)
    }
  }
}
