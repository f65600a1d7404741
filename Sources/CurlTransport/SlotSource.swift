/// Where a governor's slots come from: this process alone, or lock files that all share.
protocol SlotSource: AnyObject {
  /// Whether slots are counted over several processes.
  var isShared: Bool { get }
  /// Takes a free slot; unless `inTurn`, only one that no other process waits for.
  ///
  /// - Returns: its number, and whether another process may have had a connection in it.
  func take(inTurn: Bool) -> (slot: Int, rests: Bool)?
  func giveBack(_ slot: Int)
  /// Whether a process without a slot waits for one and could use this one, and none that is free.
  func isWanted(_ slot: Int) -> Bool
  func joinLine()
  func leaveLine()
  /// All slots have been given back and none will be taken any more.
  func end()
}

/// Slots of one process that shares its limit with nobody.
final class InProcessSlots: SlotSource {
  private var free: [Bool]

  /// All slots but those that are `taken` already.
  init(limit: Int, taken: (Int) -> Bool = { _ in false }) {
    free = (0..<limit).map { !taken($0) }
  }

  var isShared: Bool { false }

  func take(inTurn: Bool) -> (slot: Int, rests: Bool)? {
    guard let slot = free.firstIndex(of: true) else { return nil }
    free[slot] = false
    return (slot, false)
  }

  func giveBack(_ slot: Int) { free[slot] = true }
  func isWanted(_ slot: Int) -> Bool { false }
  func joinLine() {}
  func leaveLine() {}
  func end() {}
}
