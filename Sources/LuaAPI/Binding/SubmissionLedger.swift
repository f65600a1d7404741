import HPCClient
import Synchronization

/// Counts submissions, or transfers, under way, so that a program that is being ended waits for their
/// answers and no job number is lost (design §4).
public final class SubmissionLedger: Sendable {
  fileprivate struct State {
    var open: [Int: (name: String, cancel: @Sendable () -> Void)] = [:]
    var last = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var isForsaken = false
    var receipts: [Int: Receipt] = [:]
  }

  /// A submission of Lua's until a task has its number, or why there is none.
  fileprivate enum Receipt {
    case underWay(String)
    /// Its task was stopped, or the program ends.
    case left(String)
    /// What is to be said of it if no task looks.
    case answered(String)
  }

  private let state = Mutex(State())

  public init() {}

  /// Starts work and counts it from now until it has ended.
  ///
  /// - Parameters:
  ///   - name: what it is called where it has to be told of.
  ///   - work: what to do; cancelled by the answer and by ``cancel()``.
  /// - Returns: what cancels it.
  func start(_ name: String, _ work: @escaping @Sendable () async -> Void) -> @Sendable () -> Void {
    state.withLock { state in
      state.last += 1
      let id = state.last
      // It cannot end before it stands in the books.
      let task = Task.detached { [self] in
        await work()
        ended(id)
      }
      let cancel = { @Sendable in task.cancel() }
      state.open[id] = (name, cancel)
      return cancel
    }
  }

  private func ended(_ id: Int) {
    let waiting = state.withLock { state in
      state.open[id] = nil
      guard state.open.isEmpty else { return [CheckedContinuation<Void, Never>]() }
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Whether the program's main chunk has failed, so that nobody may be left who looks at what comes.
  public var isForsaken: Bool {
    get { state.withLock { $0.isForsaken } }
    set { state.withLock { $0.isForsaken = newValue } }
  }

  /// Whether nothing is under way.
  public var isEmpty: Bool { state.withLock { $0.open.isEmpty } }

  /// What is under way, in the order of its beginning.
  public var names: [String] {
    state.withLock { state in state.open.sorted { $0.key < $1.key }.map(\.value.name) }
  }

  /// What is said of the submissions under way when nobody waits for their answers any more; what
  /// comes of them later is told no more.
  public func abandon() -> [String] {
    state.withLock { $0.receipts = [:] }
    return names.map { SubmissionFate.unknown.text(of: $0) }
  }

  /// Cancels all that is under way, which then ends in its own way.
  public func cancel() {
    for (_, cancel) in state.withLock({ Array($0.open.values) }) { cancel() }
  }

  /// Begins a submission whose outcome a task is to take, however it may end.
  ///
  /// - Parameter name: of its file.
  /// - Returns: names it in what follows.
  func begin(_ name: String) -> Int {
    state.withLock { state in
      state.last += 1
      state.receipts[state.last] = .underWay(name)
      return state.last
    }
  }

  /// Notes what became of a submission.
  ///
  /// - Returns: what is to be told, since no task takes it any more.
  func answered(_ id: Int, _ fate: SubmissionFate) -> String? {
    state.withLock { state in
      switch state.receipts[id] {
      case .underWay(let name):
        state.receipts[id] = .answered(fate.text(of: name))
        return nil
      case .left(let name):
        state.receipts[id] = nil
        return fate.text(of: name)
      case .answered, nil: return nil
      }
    }
  }

  /// A task has taken the outcome of a submission.
  func taken(_ id: Int) { state.withLock { $0.receipts[id] = nil } }

  /// No task takes the outcome of a submission any more.
  ///
  /// - Returns: what is to be told; nil as long as there is no outcome.
  func leave(_ id: Int) -> String? {
    state.withLock { $0.leave(id) }
  }

  /// The same of all of them, at the end of a program.
  public func leaveAll() -> [String] {
    state.withLock { state in state.receipts.keys.sorted().compactMap { state.leave($0) } }
  }

  /// Returns when nothing is under way.
  public func drained() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if !state.open.isEmpty { state.waiting.append(continuation) }
        return state.open.isEmpty
      }
      if isEmpty { continuation.resume() }
    }
  }
}

extension SubmissionLedger.State {
  fileprivate mutating func leave(_ id: Int) -> String? {
    switch receipts[id] {
    case .underWay(let name):
      receipts[id] = .left(name)
      return nil
    case .answered(let text):
      receipts[id] = nil
      return text
    case .left, nil: return nil
    }
  }
}
