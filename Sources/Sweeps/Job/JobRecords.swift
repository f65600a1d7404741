/// Lines of `key=value` that a job leaves; whole only with its last line `complete=yes`, so that a
/// file that was copied half is told from a whole one.
struct RecordLines {
  private let pairs: [(key: Substring, value: Substring)]

  init?(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    guard lines.last == "complete=yes" else { return nil }
    pairs = lines.compactMap { line in
      guard let equals = line.firstIndex(of: "=") else { return nil }
      return (line[..<equals], line[line.index(after: equals)...])
    }
  }

  subscript(key: String) -> Substring? { pairs.first { $0.key == key }?.value }

  func all(_ key: String) -> [Substring] { pairs.filter { $0.key == key }.map(\.value) }
}

/// What a claim says: an execution is about to take the lock of an attempt.
public struct ClaimRecord: Sendable, Hashable {
  /// When it was written, in seconds since 1970 on the machine's clock.
  public var time: Int64
  public var job: Int64
  /// The elapse limit of the job in seconds.
  public var limit: Int

  public init(time: Int64, job: Int64, limit: Int) {
    self.time = time
    self.job = job
    self.limit = limit
  }

  /// Reads a record; nil for one that is not whole.
  public init?(_ text: String) {
    guard let lines = RecordLines(text), let time = lines["time"].flatMap({ Int64($0) }),
      let job = lines["job"].flatMap({ Int64($0) }), let limit = lines["limit"].flatMap({ Int($0) })
    else { return nil }
    self.init(time: time, job: job, limit: limit)
  }
}

/// One line of an exit record's manifest.
public struct OutputFile: Sendable, Hashable {
  /// Path within the work folder.
  public var name: String
  public var size: Int64
  /// Lower-case hexadecimal SHA-256.
  public var sha256: String

  public init(name: String, size: Int64, sha256: String) {
    self.name = name
    self.size = size
    self.sha256 = sha256
  }

  /// Reads `SIZE SHA256 NAME`; nil for a name that leaves its folder.
  init?(_ line: Substring) {
    let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let size = Int64(parts[0]), size >= 0, parts[1].utf8.count == 64,
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
      OutputName.isInside(parts[2])
    else { return nil }
    self.init(name: String(parts[2]), size: size, sha256: String(parts[1]))
  }
}

/// Names of files within a work folder.
public enum OutputName {
  /// True for a relative path that does not leave its folder.
  public static func isInside(_ name: some StringProtocol) -> Bool {
    !name.isEmpty && !name.hasPrefix("/") && !name.utf8.contains(0)
      && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
        $0 != ".." && $0 != "." && !$0.isEmpty
      }
  }
}

/// What an exit record says: the program of an attempt has ended, and how.
public struct ExitRecord: Sendable, Hashable {
  /// The part of the job that failed instead of the program.
  public enum Failure: String, Sendable, Hashable {
    /// An input was missing: the program did not start.
    case inputs
    /// What the program needs to start could not be written: it did not start.
    case start
    /// The outputs could not be put aside.
    case outputs
  }

  public var code: Int
  /// The signal that ended it from outside; nil where it ended by itself.
  public var signal: Int?
  /// Start and end in seconds since 1970 on the machine's clock.
  public var start: Int64
  public var end: Int64
  public var files: [OutputFile]
  /// Required outputs that were not there.
  public var missing: [String]
  public var failure: Failure?
  /// What the failure is about, such as the output that could not be taken.
  public var detail: String

  public init(
    code: Int, signal: Int? = nil, start: Int64, end: Int64, files: [OutputFile] = [],
    missing: [String] = [], failure: Failure? = nil, detail: String = ""
  ) {
    self.code = code
    self.signal = signal
    self.start = start
    self.end = end
    self.files = files
    self.missing = missing
    self.failure = failure
    self.detail = detail
  }

  /// A time within years of four digits, so that differences are numbers.
  private static func bounded(_ time: Int64) -> Int64 { min(max(0, time), 253_402_300_799) }

  /// Reads a record; nil for one that is not whole. In a whole one a manifest line that is none
  /// never becomes one: those outputs cannot be had.
  public init?(_ text: String) {
    guard let lines = RecordLines(text), let code = lines["code"].flatMap({ Int($0) }),
      let start = lines["start"].flatMap({ Int64($0) }).map(Self.bounded),
      let end = lines["end"].flatMap({ Int64($0) }).map(Self.bounded)
    else { return nil }
    let files = lines.all("file").map { OutputFile($0) }
    let whole = files.compactMap(\.self)
    let failure = lines["error"].flatMap { Failure(rawValue: String($0)) }
    self.init(
      code: code, signal: lines["signal"].flatMap { Int($0) }, start: start, end: end,
      files: whole, missing: lines.all("missing").map(String.init),
      failure: failure ?? (whole.count == files.count ? nil : .outputs),
      detail: lines["detail"].map(String.init) ?? "")
  }
}
