/// Decides which occurrences go wrong: by hash(seed, on, n), whatever the order of different
/// operations.
struct FaultDraw: Sendable {
  /// A fault that happens now.
  struct Drawn: Sendable, Hashable {
    let fault: FaultPlan.Fault
    /// For what is left open, in 0..<1; the same in every run.
    let chance: Double

    var kind: FaultPlan.Kind { fault.kind }

    /// Whether a refused submission is accepted all the same.
    var accepts: Bool {
      fault.accept ?? (fault.on == .submit && fault.status == 400 && chance < 0.5)
    }
  }

  let plan: FaultPlan
  /// How often each fault happened.
  private(set) var fired: [Int]
  private var occurrences: [FaultPlan.Target: Int] = [:]
  /// How much has happened to whom.
  private var suffered: [String: Int] = [:]

  init(_ plan: FaultPlan) {
    self.plan = plan
    fired = plan.faults.map { _ in 0 }
  }

  /// One more occurrence: of faults that could happen the first in the plan does. The shares of those
  /// that are not for one occurrence alone add up.
  ///
  /// - Parameters:
  ///   - target: what occurs; requests count as `any` too.
  ///   - elapsed: on the machine's clock since the start.
  ///   - subject: who suffers it, where that is known.
  /// - Returns: nil where all goes well.
  mutating func draw(
    _ target: FaultPlan.Target, elapsed: Duration, subject: String? = nil
  ) -> Drawn? {
    guard !plan.faults.isEmpty else { return nil }
    let own = next(target)
    let any = target == .job ? nil : next(.any)
    if let subject, let most = plan.perSubject, suffered[subject, default: 0] >= most { return nil }
    var shares: [FaultPlan.Target: Double] = [:]
    for (index, fault) in plan.faults.enumerated() {
      guard let (count, chance) = fault.on == target ? own : fault.on == .any ? any : nil else {
        continue
      }
      guard fired[index] < fault.most ?? .max, fault.after ?? .zero <= elapsed,
        fault.until.map({ elapsed < $0 }) ?? true
      else { continue }
      if let nth = fault.nth {
        guard count == nth, chance < fault.share else { continue }
      } else {
        let before = shares[fault.on, default: 0]
        shares[fault.on] = before + fault.share
        guard chance >= before, chance < before + fault.share else { continue }
      }
      fired[index] += 1
      if let subject { suffered[subject, default: 0] += 1 }
      return Drawn(fault: fault, chance: Self.chance(plan.seed &+ 1, fault.on, count))
    }
    return nil
  }

  /// How often each kind happened, by its name.
  var counts: [String: Int] {
    var counts: [String: Int] = [:]
    for (fault, count) in zip(plan.faults, fired) where count > 0 {
      counts[fault.kind.rawValue, default: 0] += count
    }
    return counts
  }

  private mutating func next(_ target: FaultPlan.Target) -> (Int, Double)? {
    let count = occurrences[target, default: 0] + 1
    occurrences[target] = count
    return (count, Self.chance(plan.seed, target, count))
  }

  /// FNV-1a over name and number, mixed with the seed.
  private static func chance(_ seed: UInt64, _ target: FaultPlan.Target, _ count: Int) -> Double {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(target.rawValue) \(count) \(seed)".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((hash ^ (hash >> 31)) >> 11) / Double(1 << 53)
  }
}
