/// What became of the files of a push or pull.
public struct TransferReport: Sendable, Hashable {
  /// One file each, in the order of their paths' bytes.
  public var rows: [TransferRow]

  public init(rows: [TransferRow]) {
    self.rows = rows
  }

  /// Files moved, and their bytes.
  public var transferred: (files: Int, bytes: Int64) {
    rows.reduce(into: (0, 0)) { sum, row in
      if case .transferred = row.outcome { sum = (sum.0 + 1, sum.1.addingSaturated(row.size)) }
    }
  }

  /// Files that were already the same.
  public var unchanged: Int { rows.count { $0.outcome == .unchanged } }

  /// Files that were left out on purpose.
  public var skipped: Int {
    rows.count { row in
      if case .skipped = row.outcome { true } else { false }
    }
  }

  /// The errors, in the order of the rows.
  public var failures: [ObjectStoreError] {
    rows.compactMap { row in
      if case .failed(let error) = row.outcome { error } else { nil }
    }
  }
}

/// What became of one file.
public struct TransferRow: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    case transferred
    /// Size and content were the same already.
    case unchanged
    /// Left out on purpose, with the reason.
    case skipped(String)
    /// Nothing was changed on the other side.
    case failed(ObjectStoreError)
  }

  /// Relative to the folder; for a single file its name.
  public var path: String
  public var key: String
  /// In bytes; 0 where it is not known.
  public var size: Int64
  public var outcome: Outcome

  public init(path: String, key: String, size: Int64, outcome: Outcome) {
    self.path = path
    self.key = key
    self.size = size
    self.outcome = outcome
  }
}

/// How far a push or pull is.
public struct TransferProgress: Sendable, Hashable {
  /// Files that are settled, unchanged ones included.
  public var files: Int
  public var filesTotal: Int
  /// Their bytes, and those of the parts that are there of others.
  public var bytes: Int64
  public var bytesTotal: Int64
  /// The file that moved last.
  public var path: String

  public init(files: Int, filesTotal: Int, bytes: Int64, bytesTotal: Int64, path: String) {
    self.files = files
    self.filesTotal = filesTotal
    self.bytes = bytes
    self.bytesTotal = bytesTotal
    self.path = path
  }
}

/// How files are pushed and pulled.
public struct TransferOptions: Sendable {
  /// Only files whose path fits one of these patterns (``Glob``); all where there are none.
  public var only: [Glob]
  /// Whether pulled files must survive a crash of the machine.
  public var durable: Bool
  /// Told of every step, one call at a time; must not block.
  public var progress: (@Sendable (TransferProgress) -> Void)?

  public init(
    only: [Glob] = [], durable: Bool = false,
    progress: (@Sendable (TransferProgress) -> Void)? = nil
  ) {
    self.only = only
    self.durable = durable
    self.progress = progress
  }

  package func wants(_ path: String) -> Bool {
    only.isEmpty || only.contains { $0.matches(path) }
  }

  /// What a file becomes that was named by itself and is not wanted.
  static let unwanted = TransferRow.Outcome.skipped("fits none of the patterns")
}
