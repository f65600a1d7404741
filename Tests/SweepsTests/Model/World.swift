import Sweeps

/// Service, scheduler, home and bucket on a virtual clock, with faults by a seed; and the judge,
/// who sees what no client can.
final class World {
  struct Home {
    /// False once it was wiped: nothing makes these folders again.
    var hasRoot = false
    var hasOut = false
    var hasLocks = false
    var hasCanary = false
    var scripts: Set<String> = []
    var locks: Set<AttemptName> = []
    var seals: Set<AttemptName> = []
    var claims: [RecordName: ClaimRecord] = [:]
    var refusals: Set<RecordName> = []
    var exits: [RecordName: ExitRecord] = [:]
    var files: [AttemptName: String] = [:]
  }

  struct Bucket {
    var hasCanary = false
    var scripts: Set<String> = []
    var seals: Set<AttemptName> = []
    var claims: [RecordName: ClaimRecord] = [:]
    var refusals: Set<RecordName> = []
    var exits: [RecordName: ExitRecord] = [:]
    var files: [AttemptName: String] = [:]
  }

  /// Changes of the job's order of steps, for mutants.
  struct JobRules {
    var claimsBeforeLock = true
    var trapNeedsLock = true
  }

  let clock = VirtualClock()
  var generator: SeededGenerator
  let faults: Faults
  var jobRules = JobRules()
  var home = Home()
  var bucket = Bucket()
  var jobs: [Int64: WorldJob] = [:]
  var syncs: [Int64: SyncState] = [:]
  var nextJob: Int64 = 1000
  var nextRequest: Int64 = 1
  var nextPID = 100
  var hiddenUntil: [Int64: Double] = [:]
  /// The attempts of each script, and its limit.
  var scripts: [String: (attempts: [AttemptName], limit: Int)] = [:]
  let start = 1_700_000_000.0
  let limit = 300

  // The judge's books.
  var violations: [String] = []
  var starts: [AttemptName: Int] = [:]
  var running: Set<AttemptName> = []
  var succeeded: Set<AttemptName> = []
  var posts: [String: Int] = [:]
  var closed: [AttemptName: Closing] = [:]
  var withdrawn: Set<AttemptName> = []
  /// Attempts that a journal has opened, by point and tag.
  var opened: [AttemptName: Int] = [:]
  var anomalies = 0
  /// False where two copies of a journal may each post what is staged in both.
  var countsPosts = true

  init(seed: UInt64, faults: Faults) {
    generator = SeededGenerator(seed: seed)
    self.faults = faults
    if let time = faults.homeWipedAt { clock.after(time) { self.home = Home() } }
    if let time = faults.bucketWipedAt { clock.after(time) { self.bucket = Bucket() } }
  }

  /// Seconds since 1970 on everyone's clock.
  var epoch: Double { start + clock.now }

  func chance(_ p: Double) -> Bool { p > 0 && Double.random(in: 0..<1, using: &generator) < p }

  func between(_ low: Double, _ high: Double) -> Double {
    Double.random(in: low..<high, using: &generator)
  }

  func violate(_ text: String) {
    violations.append("\(Int(clock.now)) s: \(text)")
  }

  /// What the program of an attempt does: its code, by the seed alone.
  func code(of name: AttemptName) -> Int {
    var own = SeededGenerator(seed: UInt64(name.id.point * 1000 + name.id.number) &* 7919)
    return Double.random(in: 0..<1, using: &own) < faults.exitFails ? 3 : 0
  }

  /// What it leaves: the point's, and of one program only.
  func data(of name: AttemptName) -> String { "data of \(Self.point(of: name))" }

  /// The first attempt stands for the point.
  private static func point(of name: AttemptName) -> AttemptName {
    AttemptName(AttemptID(point: name.id.point, number: 1), tag: name.tag)
  }

  // MARK: What programs and jobs tell the judge

  func programStarts(_ name: AttemptName) {
    let point = Self.point(of: name)
    starts[name, default: 0] += 1
    if starts[name] != 1 { violate("attempt \(name) started \(starts[name] ?? 0) times") }
    if let closing = closed[name] {
      violate("attempt \(name) started after it was closed: \(closing)")
    }
    if withdrawn.contains(name) { violate("attempt \(name) started after it was withdrawn") }
    if let last = opened[point], last > name.id.number {
      violate("attempt \(name) started after \(last) was opened")
    }
    if running.contains(where: { Self.point(of: $0) == point }) {
      violate("two attempts of point \(point) run at once")
    }
    running.insert(name)
  }

  func programEnds(_ name: AttemptName, code: Int?) {
    running.remove(name)
    if code == 0 { succeeded.insert(name) }
  }

  /// Looks at what a client makes durable.
  ///
  /// - Parameters:
  ///   - commit: its rows.
  ///   - tag: of the names that its journal gives to a point's attempts.
  func judge(_ commit: JournalCommit, tag: (Int) -> String) {
    for (id, attempt) in commit.attempts {
      let name = AttemptName(id, tag: tag(id.point))
      opened[Self.point(of: name)] = max(opened[Self.point(of: name)] ?? 0, id.number)
      if attempt.phase == .withdrawn {
        if starts[name] != nil { violate("attempt \(name) was withdrawn, but it ran") }
        withdrawn.insert(name)
      } else {
        withdrawn.remove(name)
      }
      guard case .closed(let closing) = attempt.phase else { continue }
      closed[name] = closing
      if closing == .notStarted, starts[name] != nil {
        violate("attempt \(name) was closed as not started, but it ran")
      }
      if closing == .runLost, home.exits.keys.contains(where: { $0.attempt == name }) {
        violate("attempt \(name) was closed as lost, but its exit record was there")
      }
      if running.contains(name) {
        violate("attempt \(name) was closed as \(closing) while it runs")
      }
    }
    for (number, point) in commit.points where point.verdict == .done {
      let name = AttemptName(AttemptID(point: number, number: 1), tag: tag(number))
      if point.result != data(of: name) {
        violate("point \(name) is done with bad data: \(point.result ?? "none")")
      }
      if !succeeded.contains(where: { Self.point(of: $0) == name }) {
        violate("point \(name) is done without a success")
      }
    }
  }
}
