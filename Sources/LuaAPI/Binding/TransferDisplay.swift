import HPCClient
import HomeFiles
import ObjectStore
import Synchronization

/// Shows a push or pull while it goes on, in one line of a terminal.
final class TransferDisplay: Sendable {
  private struct State {
    var step: HomeFiles.Step?
    /// When bytes began to move, and when the step began.
    var start: ContinuousClock.Instant?
    var stepStart = ContinuousClock.now
  }

  private let label: String
  private let output: ProgressOutput
  private let state = Mutex(State())

  /// - Parameters:
  ///   - label: what is transferred.
  ///   - output: a terminal.
  init(_ label: String, _ output: ProgressOutput) {
    self.label = label
    self.output = output
  }

  /// Takes a step note of; from any thread.
  func update(_ step: HomeFiles.Step) {
    state.withLock { state in
      if case .moving = step, state.start == nil { state.start = .now }
      if case .syncing = step { state.stepStart = .now }
      state.step = step
    }
  }

  /// Runs `body` and shows how far it is.
  func during<Value: Sendable>(
    _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    let display = Task.detached { await self.follow() }
    let result: Result<Value, any Error>
    do {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    display.cancel()
    await display.value
    output.show(nil)
    return try result.get()
  }

  private func follow() async {
    // What is over at once needs no line.
    try? await Task.sleep(for: .milliseconds(300))
    var last = ""
    while !Task.isCancelled {
      let width = max(20, output.width() - 1)
      let text = state.withLock { state in
        Self.text(
          label, state.step, moving: state.start.map { .now - $0 } ?? .zero,
          inStep: .now - state.stepStart, width: width)
      }
      if text != last {
        output.show(TextTable.cut(text, to: width))
        last = text
      }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// `push data [#####.....] 52%  12/60 files  1.2 of 2.3 MiB  11.2 MiB/s  4 s left`; where that is
  /// too wide, the bar goes, then the number of files.
  static func text(
    _ label: String, _ step: HomeFiles.Step?, moving: Duration, inStep: Duration, width: Int
  ) -> String {
    switch step {
    case nil, .notice: return "\(label)  looking …"
    case .syncing(let path, let direction):
      let way = direction == .fromOnline ? "from the bucket" : "to the bucket"
      return "\(label)  the machine copies \(path) \(way) … \(inStep.components.seconds) s"
    case .moving(let progress):
      let total = max(progress.bytesTotal, 1)
      let share =
        progress.bytesTotal > 0
        ? Double(progress.bytes) / Double(total)
        : Double(progress.files) / Double(max(progress.filesTotal, 1))
      let cells = Int(share * 20)
      let bar =
        String(repeating: "#", count: min(20, cells))
        + String(repeating: ".", count: max(0, 20 - cells))
      let seconds = moving / .seconds(1)
      let speed = seconds > 0.5 ? Double(progress.bytes) / seconds : 0
      let files = "  \(progress.files)/\(progress.filesTotal) files"
      var rest =
        "  \(TransferText.bytes(progress.bytes)) of \(TransferText.bytes(progress.bytesTotal))"
      if speed > 0 {
        // What was claimed of sizes need not be possible.
        let left = min(Double(progress.bytesTotal - progress.bytes) / speed, 1e9)
        rest += "  \(TransferText.bytes(Int64(min(speed, 1e15))))/s"
        rest += "  \(Int(left.rounded(.up))) s left"
      }
      let percent = "\(Int(share * 100))%"
      let whole = "\(label) [\(bar)] \(percent)\(files)\(rest)"
      if TextTable.width(whole) <= width { return whole }
      let short = "\(label) \(percent)\(files)\(rest)"
      return TextTable.width(short) <= width ? short : "\(label) \(percent)\(rest)"
    }
  }
}
