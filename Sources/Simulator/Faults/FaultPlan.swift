import JSON

/// Which operations and jobs go wrong, and how (design §8): `{"seed": 7, "faults": [{"on": "submit",
/// "do": "drop_reply", "p": 0.2, "max": 100}, …]}`.
///
/// All seconds are the machine's own, which `speed` shortens. What a fault does not use says nothing.
public struct FaultPlan: Sendable, Hashable {
  /// Why a plan is none; says what may stand there instead.
  public struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
  }

  /// What a fault happens to.
  enum Target: String, Sendable, Hashable, CaseIterable {
    case submit, list, get, cancel, sync
    case syncStatus = "sync_status"
    case bucket, job, any
  }

  /// What happens.
  enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Done, then the connection is closed without an answer.
    case dropReply = "drop_reply"
    /// The connection is closed without an answer, and the job accepted `seconds` later (60).
    case acceptLate = "accept_late"
    /// Two jobs of one submission; the answer names the first.
    case acceptTwice = "accept_twice"
    /// Not done, answered `status` (500) with its documented body, or where it has none with that of
    /// 400 or 500. With `accept` a submission is done all the same; where that is not said, a 400 on
    /// submit does either.
    case status
    /// Done `seconds` late (5).
    case delay
    /// Not done; the connection is reset.
    case reset
    /// Done; half of the answer, then the connection is closed.
    case truncate
    /// A list without jobs.
    case empty
    /// A list without some of its jobs, and nothing else wrong with it.
    case short
    /// One job is left out of lists for `seconds` (30).
    case hide
    /// Half of the files and half of one more, then a result that is not 0.
    case tear
    /// A sync that copies nothing, then a result that is not 0.
    case fail
    /// Requests: done, answered `seconds` late (5). Syncs: so much longer. Jobs: they start so much
    /// later.
    case slow
    /// A node fails `seconds` (1) after the start: the job is started again, or ends with code 20.
    case restart
    /// Something kills the job's processes `seconds` (1) after the start.
    case kill
    /// The job is held `seconds` (1) after the start, until it is cancelled.
    case hold
    /// The service's clock is `seconds` (3600) ahead for this request, its `Date` included.
    case skew
  }

  /// One line of a plan.
  struct Fault: Sendable, Hashable {
    var on: Target
    var kind: Kind
    /// Share of the occurrences.
    var share = 1.0
    /// How often at most.
    var most: Int?
    /// Only at this occurrence, from 1.
    var nth: Int?
    /// Only from and until these seconds after the simulator's start.
    var after: Duration?
    var until: Duration?
    var duration: Duration
    var status = 500
    var accept: Bool?
  }

  var seed: UInt64 = 0
  /// How many faults of submissions and jobs happen to one subject at most; nil for no bound.
  var perSubject: Int?
  var faults: [Fault] = []

  /// All goes well.
  init() {}

  /// Reads a plan.
  public init(parsing bytes: [UInt8]) throws(Invalid) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: bytes)
    } catch {
      throw Invalid(description: "\(error)")
    }
    let plan = try Members(value, "the plan", allowed: ["seed", "faults", "per_subject"])
    perSubject = try plan.whole("per_subject", 0...1_000_000_000)
    if let seed = try plan.number("seed", 0...9_007_199_254_740_992) { self.seed = UInt64(seed) }
    guard let given = value["faults"] else { return }
    guard let list = given.array else {
      throw Invalid(description: "\"faults\" must be a list")
    }
    for (index, item) in list.enumerated() {
      faults.append(try Self.fault(item, "fault \(index + 1)"))
    }
  }

  /// Reads a plan from a file.
  public init(file: String) throws(Invalid) {
    let bytes: [UInt8]
    do {
      bytes = try LocalFiles.read(file, limit: 1 << 20)
    } catch {
      throw Invalid(description: "\(error)")
    }
    do {
      try self.init(parsing: bytes)
    } catch {
      throw Invalid(description: "\(file): \(error)")
    }
  }

  private static func fault(_ value: JSONValue, _ place: String) throws(Invalid) -> Fault {
    let members = try Members(
      value, place,
      allowed: ["on", "do", "p", "max", "nth", "after", "until", "seconds", "status", "accept"])
    let on = try members.word("on", Target.allCases)
    let valid = on.kinds
    let kind = try members.word("do", valid)
    var fault = Fault(on: on, kind: kind, duration: kind.standardDuration)
    fault.share = try members.number("p", 0...1) ?? 1
    fault.most = try members.whole("max", 0...1_000_000_000)
    fault.nth = try members.whole("nth", 1...1_000_000_000)
    fault.after = try members.number("after", 0...1e9).map { .seconds($0) }
    fault.until = try members.number("until", 0...1e9).map { .seconds($0) }
    if let seconds = try members.number("seconds", kind == .skew ? -1e9...1e9 : 0...1e9) {
      fault.duration = .seconds(seconds)
    }
    guard kind == .status else { return fault }
    if let status = try members.whole("status", 400...599) { fault.status = status }
    if on == .submit, let given = value["accept"] {
      guard let accept = given.bool else {
        throw members.invalid("\"accept\" must be true or false")
      }
      fault.accept = accept
    }
    return fault
  }
}

extension FaultPlan.Target {
  /// What may happen to it.
  var kinds: [FaultPlan.Kind] {
    let requests: [FaultPlan.Kind] = [
      .dropReply, .status, .delay, .reset, .truncate, .slow, .skew,
    ]
    return switch self {
    case .submit: requests + [.acceptLate, .acceptTwice]
    case .list: requests + [.empty, .short, .hide]
    case .sync: requests + [.tear, .fail]
    case .job: [.restart, .kill, .hold, .slow]
    case .get, .cancel, .syncStatus, .bucket, .any: requests
    }
  }
}

extension FaultPlan.Kind {
  fileprivate var standardDuration: Duration {
    switch self {
    case .acceptLate: .seconds(60)
    case .hide: .seconds(30)
    case .skew: .seconds(3_600)
    case .restart, .kill, .hold: .seconds(1)
    default: .seconds(5)
    }
  }
}

/// Reads the members of an object; each error names its place and what is allowed.
private struct Members {
  private let value: JSONValue
  private let place: String

  init(_ value: JSONValue, _ place: String, allowed: [String]) throws(FaultPlan.Invalid) {
    self.value = value
    self.place = place
    guard let members = value.object else { throw invalid("it must be an object") }
    for member in members where !allowed.contains(member.key) {
      throw invalid("unknown key \"\(member.key)\"; valid are \(allowed.joined(separator: ", "))")
    }
  }

  func invalid(_ what: String) -> FaultPlan.Invalid {
    FaultPlan.Invalid(description: "\(place): \(what)")
  }

  func word<Word: RawRepresentable>(
    _ name: String, _ valid: [Word]
  ) throws(FaultPlan.Invalid) -> Word where Word.RawValue == String {
    let names = valid.map(\.rawValue).joined(separator: ", ")
    guard let text = value[name]?.string else {
      throw invalid("\"\(name)\" is missing; valid are \(names)")
    }
    guard let word = valid.first(where: { $0.rawValue == text }) else {
      throw invalid("\"\(name)\": \"\(text)\" is not valid here; valid are \(names)")
    }
    return word
  }

  func number(
    _ name: String, _ range: ClosedRange<Double>
  ) throws(FaultPlan.Invalid) -> Double? {
    guard let member = value[name] else { return nil }
    guard let number = member.double, range.contains(number) else {
      throw invalid(
        "\"\(name)\" must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func whole(_ name: String, _ range: ClosedRange<Int64>) throws(FaultPlan.Invalid) -> Int? {
    guard let member = value[name] else { return nil }
    guard let number = member.int, range.contains(number) else {
      throw invalid(
        "\"\(name)\" must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return Int(number)
  }
}
