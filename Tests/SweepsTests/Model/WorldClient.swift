@testable import Sweeps

/// What a mutant does differently: it tampers with the machine from outside.
protocol Tamper {
  /// May change an event before the machine sees it, and the machine itself.
  mutating func before(_ event: inout SweepEvent, _ machine: inout SweepMachine, _ world: World)
  /// May change the machine, and what it wants done.
  mutating func after(
    _ actions: inout [SweepAction], _ machine: inout SweepMachine, _ world: World)
  /// When a client begins.
  mutating func atStart(_ world: World)
}

extension Tamper {
  mutating func before(_ event: inout SweepEvent, _ machine: inout SweepMachine, _ world: World) {}
  mutating func after(
    _ actions: inout [SweepAction], _ machine: inout SweepMachine, _ world: World
  ) {}
  mutating func atStart(_ world: World) {}
}

/// The honest protocol.
struct NoTamper: Tamper {}

/// A client: the machine, a journal in memory, and the shell's effects in the world. It can be
/// killed and started again at any moment.
final class WorldClient {
  let world: World
  let settings: SweepSettings
  var journal: SweepRecord
  var tamper: any Tamper = NoTamper()
  /// The tag of a point's attempts: another one for another program.
  var tag: (Int) -> String = { _ in "a0" }
  private(set) var outcome: SweepOutcome?
  private(set) var kills = 0
  private(set) var commits = 0
  /// A real journal that is written too, and that each life starts from.
  var mirror: SweepJournal?
  /// Told of everything, for whoever looks for a fault.
  var trace: ((String) -> Void)?
  /// Kill at this commit, before or after it is durable; then never again.
  var killAtCommit: (number: Int, isDurable: Bool)?
  private var machine: SweepMachine?
  /// Replies to an earlier life of the process are lost.
  private var life = 0
  private var seen: Set<RecordName> = []
  private var wakeOrder = 0
  private var seed: UInt64

  init(world: World, points: Int, settings: SweepSettings, seed: UInt64) {
    self.world = world
    self.settings = settings
    self.seed = seed
    journal = SweepRecord(points: Array(repeating: PointRecord(), count: points))
  }

  func start() {
    life += 1
    seen = []
    seed &+= 1
    outcome = nil
    tamper.atStart(world)
    if let mirror, let record = try? mirror.load() { journal = record }
    machine = SweepMachine(record: journal, settings: settings, seed: seed)
    send(.start)
  }

  /// kill -9; a while later the next life.
  private func die() {
    kills += 1
    life += 1
    machine = nil
    let pause = world.chance(0.5) ? world.between(1, 20) : world.between(1, 400)
    world.clock.after(pause) { self.start() }
  }

  /// True while the process lives.
  var isAlive: Bool { machine != nil }

  /// Gives the machine an event, and does what it wants.
  func send(_ event: SweepEvent) {
    guard var machine else { return }
    self.machine = nil
    var event = event
    trace?("\(Int(world.clock.now)) <- \(event)")
    tamper.before(&event, &machine, world)
    var actions = machine.handle(event, now: .seconds(world.clock.now))
    tamper.after(&actions, &machine, world)
    self.machine = machine
    if let wake = machine.nextWake {
      wakeOrder += 1
      let order = wakeOrder
      let delay = Double(wake.components.seconds) + Double(wake.components.attoseconds) * 1e-18
      later(max(1e-3, delay - world.clock.now)) { if self.wakeOrder == order { self.send(.wake) } }
    }
    let now = life
    for action in actions {
      guard life == now else { return }
      switch action {
      case .commit(let rows): commit(rows)
      case .perform(let effect):
        trace?("\(Int(world.clock.now)) -> \(effect)")
        perform(effect)
      }
    }
  }

  private func later(_ delay: Double, _ body: @escaping () -> Void) {
    let now = life
    world.clock.after(delay) { if self.life == now { body() } }
  }

  private func commit(_ rows: JournalCommit) {
    commits += 1
    if let kill = killAtCommit, kill.number == commits {
      killAtCommit = nil
      if kill.isDurable { apply(rows) }
      return die()
    }
    if world.chance(world.faults.clientKilled), kills < 60 {
      if world.chance(0.5) { apply(rows) }
      return die()
    }
    later(0.01) {
      self.apply(rows)
      self.later(0) { self.send(.committed) }
    }
  }

  private func apply(_ rows: JournalCommit) {
    journal.apply(rows)
    do {
      try mirror?.apply(rows)
    } catch {
      world.violate("\(error)")
    }
    world.judge(rows, tag: tag)
  }

  private func name(_ submission: Int) -> String { journal.submissions[submission - 1].name }

  private func name(_ id: AttemptID) -> AttemptName { AttemptName(id, tag: tag(id.point)) }

  private func presentSeals(_ attempts: [AttemptID]) -> Set<AttemptID> {
    Set(attempts.filter { world.bucket.seals.contains(name($0)) })
  }

  // MARK: Effects

  private func perform(_ effect: Effect) {
    let now = life
    /// An answer reaches only the life that asked.
    func reply(_ event: SweepEvent) { if life == now { send(event) } }
    /// A request to the bucket.
    func bucket(_ body: @escaping (Bool) -> Void) {
      let fails = world.chance(world.faults.bucketFails)
      world.clock.after(world.between(0.05, 1)) { body(!fails) }
    }
    switch effect {
    case .makeRoot:
      let isMade = !world.chance(world.faults.syncFails)
      bucket { _ in
        if isMade {
          self.world.home.hasRoot = true
          self.world.home.hasOut = true
          self.world.home.hasLocks = true
          self.world.home.hasCanary = true
        }
        reply(.rootMade(isMade))
      }
    case .upload(let submission):
      let row = machine?.record.submissions[submission - 1]
      let attempts = row?.attempts ?? []
      let tags = Dictionary(uniqueKeysWithValues: attempts.map { ($0, tag($0.point)) })
      world.scripts[row?.name ?? ""] = (attempts.map(name), world.limit)
      bucket { _ in
        self.world.bucket.scripts.insert(row?.name ?? "")
        reply(
          .uploaded(
            submission: submission,
            .ready(Upload(nodes: 1, elapse: self.world.limit, tags: tags))))
      }
    case .post(let submission):
      world.post(machine?.record.submissions[submission - 1].name ?? "") {
        reply(.posted(submission: submission, $0))
      }
    case .list(let number): world.list { reply(.listed(number: number, $0)) }
    case .postSync(let tree): world.sync(tree) { reply(.syncPosted(tree, $0)) }
    case .pollSync(let tree, let request):
      world.look(at: request) { reply(.syncSeen(tree, request: request, $0)) }
    case .putSeals(let attempts):
      bucket { isOK in
        if isOK { self.world.bucket.seals.formUnion(attempts.map(self.name)) }
        reply(.sealsPut(attempts, isOK))
      }
    case .findSeals(let attempts):
      bucket { isOK in
        reply(.sealsSeen(attempts, isOK ? self.presentSeals(attempts) : nil))
      }
    case .removeCanary:
      bucket { isOK in
        if isOK { self.world.bucket.hasCanary = false }
        reply(.canaryRemoved(isOK))
      }
    case .collect(let claimsOf, let seals):
      bucket { isOK in
        guard self.life == now else { return }
        reply(.collected(isOK ? self.listing(claimsOf, seals) : nil))
      }
    case .delete(let job): world.delete(job) { reply(.deleted(job: job, $0)) }
    case .fetch(let id, let exit):
      bucket { isOK in
        guard isOK else { return reply(.fetched(id, .failed("no connection"))) }
        let data = self.world.bucket.files[self.name(id)]
        let isWhole = data != nil && data == exit.files.first?.name
        reply(
          .fetched(id, isWhole ? .verified(result: data, error: nil) : .mismatch("not there")))
      }
    case .findCause(let id):
      let end = (machine?.record[attempt: id].submission).flatMap { submission in
        world.jobs.values.first { $0.name == self.name(submission) && $0.state == .ended }?.end
      }
      bucket { isOK in reply(.causeFound(id, isOK ? end : nil)) }
    case .report: world.anomalies += 1
    case .finish(let outcome):
      self.outcome = outcome
      life += 1
      machine = nil
    }
  }

  /// What the bucket holds of attempts that are open; late exit records once a life.
  private func listing(_ claimsOf: [AttemptID], _ seals: [AttemptID]) -> OutListing {
    let bucket = world.bucket
    let record = machine?.record ?? journal
    func isOpen(_ name: RecordName) -> Bool {
      record.has(name.attempt) && !record[attempt: name.attempt.id].phase.isSettled
    }
    var listing = OutListing(hasCanary: bucket.hasCanary, seals: presentSeals(seals))
    for (name, claim) in bucket.claims where isOpen(name) {
      listing.claims[name] = claimsOf.contains(name.attempt.id) ? claim : .some(nil)
    }
    listing.refusals = bucket.refusals.filter(isOpen)
    for (name, exit) in bucket.exits where record.has(name.attempt) {
      if isOpen(name) || seen.insert(name).inserted { listing.exits[name] = exit }
    }
    return listing
  }
}
