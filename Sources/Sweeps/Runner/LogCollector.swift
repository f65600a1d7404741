import HPCClient
import ObjectStore

/// Brings the jobs' own output from the machine: a sync apart, which proves nothing but a cause.
actor LogCollector {
  private let shell: SweepShell
  private let root: String
  private var current: Task<Bool, Never>?
  private var next: Task<Bool, Never>?

  init(shell: SweepShell, root: String) {
    self.shell = shell
    self.root = root
  }

  /// True once a sync that was asked for after this call is complete; many callers share one.
  func refresh() async -> Bool {
    if let next { return await next.value }
    let before = current
    let task = Task {
      _ = await before?.value
      return await self.syncNow()
    }
    next = task
    return await task.value
  }

  private func syncNow() async -> Bool {
    current = next
    next = nil
    for attempt in 1...3 {
      if await shell.sync(path: "\(root)/log", direction: .toOnline) { return true }
      if attempt < 3 { try? await shell.time.sleep(for: shell.timing.retryPause) }
    }
    return false
  }

  /// What PJM says of a submission's job; nil where there is nothing.
  func statistics(of submission: String) async -> JobEnd? {
    guard await refresh() else { return nil }
    let key = shell.key("\(root)/log/\(submission).stats")
    guard let bytes = try? await shell.store.read(key, limit: 1 << 20) else { return nil }
    return JobEnd(statistics: String(decoding: bytes, as: UTF8.self))
  }

  /// What an attempt's program wrote, as far as it has come over, or, of one that did not start, what
  /// the job around it wrote; empty where there is nothing.
  func log(
    _ stream: SweepLogs.Stream, of attempt: AttemptName, submission: String
  ) async throws(ObjectStoreError) -> [UInt8] {
    for name in ["\(submission)/\(attempt)", submission] {
      let key = shell.key("\(root)/log/\(name).\(stream.rawValue)")
      do throws(ObjectStoreError) {
        return try await shell.store.read(key, limit: 64 << 20)
      } catch {
        guard case .noSuchKey = error.kind else { throw error }
      }
    }
    return []
  }
}

extension JobEnd {
  /// Reads the file that `-s` asks for (`api.md`, Script); nil for another text.
  init?(statistics text: String) {
    self.init()
    var isOne = false
    for line in text.split(separator: "\n") {
      guard let colon = line.firstRange(of: " : ") ?? line.firstRange(of: ": ") else { continue }
      let value = line[colon.upperBound...]
      let name = line[..<colon.lowerBound].split(separator: " ").joined(separator: " ")
      switch name {
      case "EXIT CODE": exitCode = Int(value)
      case "SIGNAL NO": signal = Int(value)
      case "PJM CODE": pjmCode = Int(value)
      case "ELAPSE TIME (USE)":
        elapsed = value.split(separator: "(").last.flatMap { Int($0.prefix { $0 != ")" }) }
      default: continue
      }
      isOne = true
    }
    guard isOne else { return nil }
  }
}
