import HTTP

/// Requests that wait for a slot: urgent ones first, the other two classes in turns.
struct RequestQueue {
  struct Entry: Equatable {
    let request: UInt64
    let requestClass: HTTPRequestClass
    let fresh: Bool
  }

  private var lanes: [HTTPRequestClass: Lane] = [:]
  private var classOf: [UInt64: HTTPRequestClass] = [:]
  private var lastWasSubmission = false

  var isEmpty: Bool { classOf.isEmpty }
  var count: Int { classOf.count }
  var submissions: Int { lanes[.submission]?.live ?? 0 }
  var others: Int { count - submissions }

  mutating func append(_ request: UInt64, _ requestClass: HTTPRequestClass, fresh: Bool) {
    classOf[request] = requestClass
    lanes[requestClass, default: Lane()].append(
      Entry(request: request, requestClass: requestClass, fresh: fresh))
  }

  mutating func remove(_ request: UInt64) {
    guard let requestClass = classOf.removeValue(forKey: request) else { return }
    lanes[requestClass]?.live -= 1
    skipRemoved(requestClass)
  }

  /// The request whose turn it is; submissions are passed over where they may not start.
  func next(submissionsAllowed: Bool) -> Entry? {
    if let urgent = lanes[.urgent]?.first { return urgent }
    let ordinary = lanes[.ordinary]?.first
    guard submissionsAllowed, let submission = lanes[.submission]?.first else { return ordinary }
    return lastWasSubmission ? ordinary ?? submission : submission
  }

  /// Removes what `next` answered and passes the turn on.
  mutating func take(_ entry: Entry) {
    if entry.requestClass != .urgent { lastWasSubmission = entry.requestClass == .submission }
    remove(entry.request)
  }

  private mutating func skipRemoved(_ requestClass: HTTPRequestClass) {
    while let first = lanes[requestClass]?.first, classOf[first.request] == nil {
      lanes[requestClass]?.dropFirst()
    }
  }

  /// First in, first out; removed entries are skipped when their turn comes.
  private struct Lane {
    private var entries: [Entry] = []
    private var head = 0
    var live = 0

    var first: Entry? { head < entries.count ? entries[head] : nil }

    mutating func append(_ entry: Entry) {
      entries.append(entry)
      live += 1
    }

    mutating func dropFirst() {
      head += 1
      if head == entries.count {
        entries.removeAll(keepingCapacity: true)
        head = 0
      } else if head > 1024 && head > entries.count / 2 {
        entries.removeFirst(head)
        head = 0
      }
    }
  }
}
