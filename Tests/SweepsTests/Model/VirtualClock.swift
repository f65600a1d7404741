import Sweeps

/// Time that passes only when nothing is left to do at the present moment.
final class VirtualClock {
  private var heap: [(time: Double, order: Int, body: () -> Void)] = []
  private var order = 0
  private(set) var now = 0.0

  /// Does something `delay` seconds from now.
  func after(_ delay: Double, _ body: @escaping () -> Void) {
    order += 1
    heap.append((now + max(0, delay), order, body))
    var child = heap.count - 1
    while child > 0, isBefore(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Does the next thing; false where there is none before `limit`.
  func step(until limit: Double) -> Bool {
    guard let first = heap.first, first.time <= limit else { return false }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if isBefore(child, least) { least = child }
      }
      if least == parent { break }
      heap.swapAt(parent, least)
      parent = least
    }
    now = first.time
    first.body()
    return true
  }

  private func isBefore(_ a: Int, _ b: Int) -> Bool {
    (heap[a].time, heap[a].order) < (heap[b].time, heap[b].order)
  }
}
