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
    var locks: Set<AttemptID> = []
    var seals: Set<AttemptID> = []
    var claims: [RecordName: ClaimRecord] = [:]
    var refusals: Set<RecordName> = []
    var exits: [RecordName: ExitRecord] = [:]
    var files: [AttemptID: String] = [:]
  }

  struct Bucket {
    var hasCanary = false
    var scripts: Set<String> = []
    var seals: Set<AttemptID> = []
    var claims: [RecordName: ClaimRecord] = [:]
    var refusals: Set<RecordName> = []
    var exits: [RecordName: ExitRecord] = [:]
    var files: [AttemptID: String] = [:]
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
  var scripts: [String: (attempts: [AttemptID], limit: Int)] = [:]
  let start = 1_700_000_000.0
  let limit = 300

  // The judge's books.
  var violations: [String] = []
  var starts: [AttemptID: Int] = [:]
  var running: Set<AttemptID> = []
  var succeeded: Set<AttemptID> = []
  var posts: [String: Int] = [:]
  var closed: [AttemptID: Closing] = [:]
  var withdrawn: Set<AttemptID> = []
  /// Attempts that the journal has opened, by point.
  var opened: [Int: Int] = [:]
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
  func code(of id: AttemptID) -> Int {
    var own = SeededGenerator(seed: UInt64(id.point * 1000 + id.number) &* 7919)
    return Double.random(in: 0..<1, using: &own) < faults.exitFails ? 3 : 0
  }

  // MARK: What programs and jobs tell the judge

  func programStarts(_ id: AttemptID) {
    starts[id, default: 0] += 1
    if starts[id] != 1 { violate("attempt \(id) started \(starts[id] ?? 0) times") }
    if let closing = closed[id] { violate("attempt \(id) started after it was closed: \(closing)") }
    if withdrawn.contains(id) { violate("attempt \(id) started after it was withdrawn") }
    if let last = opened[id.point], last > id.number {
      violate("attempt \(id) started after \(last) was opened")
    }
    if running.contains(where: { $0.point == id.point }) {
      violate("two attempts of point \(id.point) run at once")
    }
    running.insert(id)
  }

  func programEnds(_ id: AttemptID, code: Int?) {
    running.remove(id)
    if code == 0 { succeeded.insert(id) }
  }

  /// Looks at what the client makes durable.
  func judge(_ commit: JournalCommit) {
    for (id, attempt) in commit.attempts {
      opened[id.point] = max(opened[id.point] ?? 0, id.number)
      if attempt.phase == .withdrawn {
        if starts[id] != nil { violate("attempt \(id) was withdrawn, but it ran") }
        withdrawn.insert(id)
      } else {
        withdrawn.remove(id)
      }
      guard case .closed(let closing) = attempt.phase else { continue }
      closed[id] = closing
      if closing == .notStarted, starts[id] != nil {
        violate("attempt \(id) was closed as not started, but it ran")
      }
      if closing == .runLost, home.exits.keys.contains(where: { $0.attempt == id }) {
        violate("attempt \(id) was closed as lost, but its exit record was there")
      }
      if running.contains(id) { violate("attempt \(id) was closed as \(closing) while it runs") }
    }
    for (number, point) in commit.points where point.verdict == .done {
      if point.result != "data of \(number)" { violate("point \(number) is done with bad data") }
      if !succeeded.contains(where: { $0.point == number }) {
        violate("point \(number) is done without a success")
      }
    }
  }
}
