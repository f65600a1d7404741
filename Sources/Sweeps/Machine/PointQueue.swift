/// Points whose next attempt wants a submission: those to be tried again first, then the others in
/// order.
struct PointQueue: Sendable {
  private var again: [Int] = []
  private var fresh: [Int] = []
  private var next = 0

  var isEmpty: Bool { again.isEmpty && next == fresh.count }

  mutating func append(_ point: Int) { fresh.append(point) }

  mutating func appendAgain(_ point: Int) { again.append(point) }

  mutating func pop() -> Int? {
    if !again.isEmpty { return again.removeFirst() }
    guard next < fresh.count else { return nil }
    next += 1
    return fresh[next - 1]
  }
}
