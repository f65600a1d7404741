public import FoundationEssentials
public import HPCClient
import Synchronization

/// Clocks that stand still until a test moves them, or until somebody sleeps.
public final class VirtualTime: TimeSource {
  /// What a sleep does.
  public enum Mode: Sendable {
    /// Moves the clock by itself and returns: for code in which one task sleeps at a time.
    case automatic
    /// Waits for ``advance(by:)``.
    case manual
  }

  private struct Sleeper {
    var until: Duration
    var continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var uptime = Duration.zero
    var sleeps: [Duration] = []
    var sleepers: [Int: Sleeper] = [:]
    var cancelled: Set<Int> = []
    var nextID = 0
    var observers: [CheckedContinuation<Void, Never>] = []
  }

  private let mode: Mode
  private let epoch: Double
  private let state = Mutex(State())

  public init(_ mode: Mode = .automatic, epoch: Double = 1_800_000_000) {
    self.mode = mode
    self.epoch = epoch
  }

  public func uptime() -> Duration { state.withLock { $0.uptime } }

  public func date() -> Date {
    Date(timeIntervalSince1970: epoch + uptime() / .seconds(1))
  }

  /// Every sleep that was asked for.
  public var sleeps: [Duration] { state.withLock { $0.sleeps } }

  /// How many tasks sleep now.
  public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  public func sleep(for duration: Duration) async throws(CancellationError) {
    guard !Task.isCancelled else { throw CancellationError() }
    if mode == .automatic {
      state.withLock {
        $0.sleeps.append(duration)
        $0.uptime += max(duration, .zero)
      }
      await Task.yield()
      return
    }
    let id = state.withLock {
      $0.sleeps.append(duration)
      $0.nextID += 1
      return $0.nextID
    }
    let isWhole = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isCancelled = state.withLock {
          if $0.cancelled.remove(id) != nil { return true }
          let until = $0.uptime + duration
          $0.sleepers[id] = Sleeper(until: until, continuation: continuation)
          $0.observers.forEach { $0.resume() }
          $0.observers = []
          return false
        }
        if isCancelled { continuation.resume(returning: false) }
      }
    } onCancel: {
      let sleeper = state.withLock {
        let sleeper = $0.sleepers.removeValue(forKey: id)
        if sleeper == nil { $0.cancelled.insert(id) }
        return sleeper
      }
      sleeper?.continuation.resume(returning: false)
    }
    guard isWhole else { throw CancellationError() }
  }

  /// Moves the clock and wakes who slept until then, the earliest first.
  public func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.uptime += duration
      let due = state.sleepers.filter { $0.value.until <= state.uptime }
      due.keys.forEach { state.sleepers[$0] = nil }
      return due.values.sorted { $0.until < $1.until }
    }
    due.forEach { $0.continuation.resume(returning: true) }
  }

  /// Returns once at least so many tasks sleep.
  public func sleepers(_ count: Int) async {
    while sleeperCount < count {
      await withCheckedContinuation { continuation in
        state.withLock {
          if $0.sleepers.count >= count {
            continuation.resume()
          } else {
            $0.observers.append(continuation)
          }
        }
      }
    }
  }
}
