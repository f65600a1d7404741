import FoundationEssentials
import HTTP
import Synchronization

/// The faults of a running simulator.
final class FaultInjector: Sendable {
  private let clock: SimulatorClock
  private let start: SimulatedTime
  private let stopping: StopSignal
  private let draws: Mutex<FaultDraw>

  init(_ plan: FaultPlan?, clock: SimulatorClock, stopping: StopSignal) {
    self.clock = clock
    start = clock.now()
    self.stopping = stopping
    draws = Mutex(FaultDraw(plan ?? FaultPlan()))
  }

  /// One more occurrence.
  func draw(_ target: FaultPlan.Target, subject: String? = nil) -> FaultDraw.Drawn? {
    let elapsed = clock.now() - start
    return draws.withLock { $0.draw(target, elapsed: elapsed, subject: subject) }
  }

  /// What a script says of whom it is about: a line `#SIM subject=NAME` anywhere in it.
  static func subject(of script: [UInt8]) -> String? {
    let mark = Array("#SIM subject=".utf8)
    for line in script.split(separator: UInt8(ascii: "\n")) where line.starts(with: mark) {
      return String(decoding: line.dropFirst(mark.count), as: UTF8.self)
    }
    return nil
  }

  var counts: [String: Int] { draws.withLock { $0.counts } }

  /// The service's clock for a request.
  func date(_ drawn: FaultDraw.Drawn?) -> Date {
    Date(
      timeIntervalSinceNow: drawn?.kind == .skew
        ? (drawn?.fault.duration ?? .zero) / .seconds(1) : 0)
  }

  /// Answers a request with what a fault makes of it.
  ///
  /// - Parameters:
  ///   - drawn: what happens; nil: nothing.
  ///   - refusal: the answer of a status.
  ///   - perform: does what was asked for.
  /// - Returns: the answer and how it leaves.
  func answer(
    _ drawn: FaultDraw.Drawn?, refusal: (Int) -> ServerReply, perform: () -> ServerReply
  ) -> ServerReply {
    guard let drawn else { return perform() }
    switch drawn.kind {
    case .status:
      if drawn.accepts { _ = perform() }
      return refusal(drawn.fault.status)
    case .reset:
      var reply = ServerReply(status: 500)
      reply.delivery = .reset
      return reply
    case .delay:
      _ = stopping.pause(drawn.fault.duration / clock.speed)
      return perform()
    case .skew:
      var reply = perform()
      reply.headers["Date"] =
        CivilDate(epochSeconds: Int(date(drawn).timeIntervalSince1970)).httpDate
      return reply
    default: break
    }
    var reply = perform()
    switch drawn.kind {
    case .dropReply, .acceptLate: reply.delivery = .dropped
    case .truncate: reply.delivery = .truncated
    case .slow where drawn.fault.on != .sync:
      _ = stopping.pause(drawn.fault.duration / clock.speed)
    default: break
    }
    return reply
  }

  /// What a job's fault means to the scheduler.
  func mishap(of request: JobRequest) -> Mishap? {
    guard let drawn = draw(.job, subject: Self.subject(of: request.script)) else { return nil }
    let duration = drawn.fault.duration
    return switch drawn.kind {
    case .restart: .restart(after: duration)
    case .kill: .kill(after: duration)
    case .hold: .hold(after: duration)
    case .slow: .slow(by: duration)
    default: nil
    }
  }
}

extension FaultDraw.Drawn {
  /// What a request's fault means to the sync that it begins.
  func trouble(speed: Double) -> FileSync.Trouble? {
    switch kind {
    case .tear: .tear
    case .fail: .fail
    case .slow: .slow(fault.duration / speed)
    default: nil
    }
  }
}
