import HTTP

/// Requests that wait for a slot: urgent ones first, the other two classes in turns.
struct RequestQueue {
  struct Entry: Equatable {
    let request: UInt64
    let requestClass: HTTPRequestClass
    let fresh: Bool
  }

  private var urgent = Lane()
  private var ordinary = Lane()
  private var submission = Lane()
  /// Withdrawn, and still in a lane.
  private var withdrawn: Set<UInt64> = []
  private var lastWasSubmission = false

  var isEmpty: Bool { count == 0 }
  var count: Int { urgent.live + ordinary.live + submission.live }
  var submissions: Int { submission.live }
  var others: Int { urgent.live + ordinary.live }

  mutating func append(_ request: UInt64, _ requestClass: HTTPRequestClass, fresh: Bool) {
    self[requestClass].append(Entry(request: request, requestClass: requestClass, fresh: fresh))
  }

  /// Takes a waiting request out; it is skipped when its turn comes.
  mutating func withdraw(_ request: UInt64, _ requestClass: HTTPRequestClass) {
    withdrawn.insert(request)
    self[requestClass].live -= 1
    skipWithdrawn(requestClass)
  }

  /// The request whose turn it is; submissions are passed over where they may not start.
  func next(submissionsAllowed: Bool) -> Entry? {
    if let urgent = urgent.first { return urgent }
    guard submissionsAllowed, let submission = submission.first else { return ordinary.first }
    return lastWasSubmission ? ordinary.first ?? submission : submission
  }

  /// Removes what `next` answered and passes the turn on.
  mutating func take(_ entry: Entry) {
    if entry.requestClass != .urgent { lastWasSubmission = entry.requestClass == .submission }
    self[entry.requestClass].live -= 1
    self[entry.requestClass].dropFirst()
    skipWithdrawn(entry.requestClass)
  }

  private mutating func skipWithdrawn(_ requestClass: HTTPRequestClass) {
    while !withdrawn.isEmpty, let first = self[requestClass].first,
      withdrawn.remove(first.request) != nil
    {
      self[requestClass].dropFirst()
    }
  }

  private subscript(_ requestClass: HTTPRequestClass) -> Lane {
    get {
      switch requestClass {
      case .urgent: urgent
      case .ordinary: ordinary
      case .submission: submission
      }
    }
    _modify {
      switch requestClass {
      case .urgent: yield &urgent
      case .ordinary: yield &ordinary
      case .submission: yield &submission
      }
    }
  }

  /// First in, first out.
  private struct Lane {
    private var entries: [Entry] = []
    private var head = 0
    /// Entries that have not been withdrawn.
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
