import HTTP
import SigV4

/// The one poller of a process and endpoint: asks for the list while anybody waits, whatever the
/// number of waiters, and feeds ``WatchCore``.
actor JobWatcher {
  /// How many details are asked for at a time, so that thousands of jobs that end together do not
  /// take every connection.
  private static let detailsAtOnce = 4
  /// How long who gives no time waits for one list.
  private static let timeForOneLook = Duration.seconds(20)
  /// How many answers in a row that no waiting can mend end every wait: 401 and the like.
  private static let patienceWithRefusals = 3

  /// A client of its own, which shares transport and clock with those that wait.
  private let client: HPCClient
  private var core: WatchCore
  private var waiters: [WatchCore.WaiterID: Waiter] = [:]
  private var numbers: [ObjectIdentifier: WatchCore.WaiterID] = [:]
  private var nextID = 0
  private var poller: Task<Void, Never>?
  /// The pause between two lists; cancelled when somebody cannot wait so long.
  private var pause: (until: Duration, task: Task<Void, Never>)?
  private var lastDigest: [UInt8]?
  private var lastCount = 0
  private var refusals = 0
  private var isOutageTold = false
  /// Details in a row that said nothing, of jobs that no list shows.
  private var unclear: [JobID: Int] = [:]
  private var isUnclearTold = false
  private var details: [JobID] = []
  private var runningDetails = 0

  private struct Waiter {
    var order: WaitOrder
    var startedAt: Duration
    var timer: Task<Void, Never>?
  }

  init(_ client: HPCClient) {
    self.client = client
    core = WatchCore(clockRate: client.configuration.clockRate)
  }

  private var time: any TimeSource { client.configuration.time }

  // MARK: Waiting

  /// Waits until an order has ended or its task is cancelled.
  nonisolated func wait(_ order: WaitOrder) async -> WaitOrder.Outcome {
    begin(order)
    return await withTaskCancellationHandler {
      await order.outcome()
    } onCancel: {
      cancel(order)
    }
  }

  /// Starts an order, which then tells its end by itself.
  nonisolated func begin(_ order: WaitOrder) {
    Task { await self.start(order) }
  }

  nonisolated func cancel(_ order: WaitOrder) {
    order.end(.failure(Self.cancelled))
    Task { await self.forget(order) }
  }

  private static let cancelled = HPCError(.cancelled, "waiting was cancelled")

  private func start(_ order: WaitOrder) {
    guard order.isOpen else { return }
    nextID += 1
    let id = nextID
    var waiter = Waiter(order: order, startedAt: time.uptime())
    // Without any time the next list is looked at, and asked for at once.
    if order.looksOnce { core.hurry() }
    if let timeout = order.looksOnce ? Self.timeForOneLook : order.options.timeout {
      let time = time
      waiter.timer = Task { [weak self] in
        guard (try? await time.sleep(for: timeout)) != nil else { return }
        await self?.finish(id, isTimeout: true)
      }
    }
    waiters[id] = waiter
    numbers[ObjectIdentifier(order)] = id
    act(
      core.add(
        id, jobs: order.jobs, seen: { order.options.seen[$0] },
        interval: order.options.interval, wantsChanges: order.options.onChange != nil,
        at: time.uptime(), date: client.now))
    reschedule()
  }

  private func forget(_ order: WaitOrder) {
    guard let id = numbers[ObjectIdentifier(order)] else { return }
    end(id, .failure(Self.cancelled))
  }

  private func finish(_ id: WatchCore.WaiterID, isTimeout: Bool) {
    guard waiters[id] != nil else { return }
    end(
      id, .success(WaitOrder.Ending(observations: core.remove(id), isTimeout: isTimeout)))
  }

  private func end(_ id: WatchCore.WaiterID, _ outcome: WaitOrder.Outcome) {
    guard let waiter = waiters.removeValue(forKey: id) else { return }
    numbers[ObjectIdentifier(waiter.order)] = nil
    _ = core.remove(id)
    waiter.timer?.cancel()
    waiter.order.end(outcome)
    if core.isIdle { pause?.task.cancel() }
  }

  private func act(_ actions: [WatchCore.Action]) {
    for action in actions {
      switch action {
      case .tell(let id, let observation):
        waiters[id]?.order.options.onChange?(observation)
      case .finish(let id): finish(id, isTimeout: false)
      case .askDetail(let id): details.append(id)
      }
    }
    askDetails()
  }

  // MARK: Polling

  /// Starts the poller, or shortens its pause for somebody who came.
  private func reschedule() {
    guard !core.isIdle else { return }
    if poller == nil {
      poller = Task { await self.poll() }
    } else if let pause, core.schedule.due < pause.until {
      pause.task.cancel()
    }
  }

  private func poll() async {
    while !core.isIdle {
      let due = core.schedule.due
      let rest = due - time.uptime()
      if rest > .zero {
        let time = time
        let task = Task { _ = try? await time.sleep(for: rest) }
        pause = (due, task)
        await task.value
        pause = nil
        // Woken early, by a newcomer or because nobody waits any more.
        if time.uptime() < core.schedule.due || core.isIdle { continue }
      }
      let requestedAt = time.uptime()
      await list()
      for (id, waiter) in waiters
      where waiter.order.looksOnce && waiter.startedAt <= requestedAt {
        finish(id, isTimeout: true)
      }
    }
    poller = nil
    lastDigest = nil
    isOutageTold = false
    unclear = [:]
    isUnclearTold = false
    refusals = 0
  }

  private func list() async {
    let requestedAt = time.uptime()
    core.requested(at: requestedAt)
    let answer: RawAnswer
    do {
      answer = try await client.rawList(retrying)
    } catch {
      failed(error)
      return
    }
    let digest = SHA256.digest(of: answer.bytes)
    if digest == lastDigest, !core.needsWholeList {
      succeeded()
      let isGood = client.judge(count: lastCount)
      act(core.unchanged(isGood: isGood, requestedAt: requestedAt, date: answer.observedAt))
      return
    }
    // What nobody can read is no list, as is one of things that are no jobs. A number that is none is
    // not one that anybody waits for.
    guard let jobs = HPCClient.jobs(answer), jobs.allSatisfy(\.isNumbered) else {
      lastDigest = nil
      failed(
        HPCError(
          .badAnswer, "GET /jobs was answered with something that is no list of jobs",
          hint: "Is \(client.configuration.endpoint.origin) the right endpoint?"))
      return
    }
    succeeded()
    lastDigest = digest
    lastCount = jobs.count
    client.memory.note(jobs)
    let list = JobList(
      jobs: jobs, requestedAt: answer.requestedAt, observedAt: answer.observedAt)
    act(core.listed(list, isGood: client.judge(count: jobs.count), requestedAt: requestedAt))
  }

  /// Trying ends before the next list is due.
  private var retrying: CallOptions { CallOptions(retryDeadline: core.schedule.interval * 0.9) }

  private func succeeded() {
    refusals = 0
    if isOutageTold { client.configuration.observer(.warning("the list of jobs is back")) }
    isOutageTold = false
  }

  /// A failed list changes nothing for the jobs; waits end only where waiting cannot help: no call
  /// has ever found the service at that address, or it refuses again and again.
  private func failed(_ error: HPCError) {
    core.failed(retryAfter: error.retryAfter)
    let isGarbage = error.code == HPCError.LocalCode.badAnswer.rawValue
    let isRefusal = error.status != nil && !error.isRetryable && !isGarbage
    let hasServed = client.memory.hasServed
    if isRefusal || (isGarbage && !hasServed) { refusals += 1 }
    // Nobody is left who would want to hear of it, as at the end of a program.
    if waiters.isEmpty { return }
    let isHopeless =
      hasServed
      ? isRefusal && refusals >= Self.patienceWithRefusals
      : isRefusal || (isGarbage ? refusals >= Self.patienceWithRefusals : error.status == nil)
    guard isHopeless || error.transportError?.kind == .closed else { return tellOutage(error) }
    for id in waiters.keys.sorted() { end(id, .failure(error)) }
  }

  private func tellOutage(_ error: HPCError) {
    guard !isOutageTold else { return }
    isOutageTold = true
    client.configuration.observer(.warning("no list of jobs, still waiting: \(error.message)"))
  }

  // MARK: Details

  private func askDetails() {
    while runningDetails < Self.detailsAtOnce, !details.isEmpty {
      let id = details.removeFirst()
      runningDetails += 1
      Task {
        let (detail, date) = await ask(id)
        runningDetails -= 1
        act(core.detailed(id, detail, date: date))
        reschedule()
      }
    }
  }

  private func ask(_ id: JobID) async -> (WatchCore.Detail, Double) {
    do {
      let record = try await client.job(id, retrying)
      unclear[id] = nil
      return (.job(record), client.now)
    } catch {
      if error.saysJobIsMissing {
        unclear[id] = nil
        return (.notFound, client.now)
      }
      tellUnclear(id, error)
      return (.inconclusive, client.now)
    }
  }

  /// A job that no list shows is waited for as long as its detail cannot be read: told once.
  private func tellUnclear(_ id: JobID, _ error: HPCError) {
    unclear[id, default: 0] += 1
    guard unclear[id] == Self.patienceWithRefusals, !isUnclearTold else { return }
    isUnclearTold = true
    client.configuration.observer(
      .warning(
        "job \(id) is in no list, and whether it has ended cannot be told, still waiting: "
          + error.message))
  }
}
