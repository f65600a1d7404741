import Synchronization

/// Counts what many transfers have moved, and tells.
final class TransferTally: Sendable {
  private let progress: Mutex<TransferProgress>
  private let tell: (@Sendable (TransferProgress) -> Void)?

  init(
    files: Int, bytes: Int64, tell: (@Sendable (TransferProgress) -> Void)?
  ) {
    let start = TransferProgress(
      files: 0, filesTotal: files, bytes: 0, bytesTotal: bytes, path: "")
    progress = Mutex(start)
    self.tell = tell
    tell?(start)
  }

  /// Counts one file's parts: the difference to what it told before.
  func file(_ path: String, size: Int64) -> File {
    File(tally: self, path: path, size: size)
  }

  fileprivate func add(files: Int, bytes: Int64, path: String) {
    guard let tell else { return }
    progress.withLock { progress in
      progress.files += files
      progress.bytes = progress.bytes.addingSaturated(bytes)
      progress.path = path
      tell(progress)
    }
  }

  final class File: Sendable {
    private let tally: TransferTally
    private let path: String
    private let size: Int64
    private let told = Mutex<Int64>(0)

    fileprivate init(tally: TransferTally, path: String, size: Int64) {
      self.tally = tally
      self.path = path
      self.size = size
    }

    func moved(_ bytes: Int64) {
      let more = step(to: min(bytes, size))
      if more != 0 { tally.add(files: 0, bytes: more, path: path) }
    }

    /// The file is settled, whatever became of it.
    func settled() {
      tally.add(files: 1, bytes: step(to: size), path: path)
    }

    private func step(to bytes: Int64) -> Int64 {
      told.withLock { told in
        defer { told = bytes }
        return bytes - told
      }
    }
  }
}

extension Int64 {
  /// The sum, or the largest number where that would be beyond it: sizes that a list or a sparse file
  /// claims need not fit together.
  func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, isBeyond) = addingReportingOverflow(other)
    return isBeyond ? .max : sum
  }
}
