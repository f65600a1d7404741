import Sweeps

/// Shows the progress of a run while it goes on: one live line on a terminal, else a plain line at
/// most once a minute (`lua-api.md`, Progress).
struct ProgressDisplay: Sendable {
  let name: String
  let isSimulated: Bool
  let output: ProgressOutput
  /// Writes a line.
  let write: @Sendable (String) -> Void

  /// Runs `body` and shows what `progress` says meanwhile.
  func during<Value: Sendable>(
    _ progress: @escaping @Sendable () -> SweepProgress,
    _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    let display = Task.detached { await follow(progress) }
    defer {
      display.cancel()
      if output.isTerminal { output.show(nil) }
    }
    let value = try await body()
    display.cancel()
    await display.value
    return value
  }

  private func follow(_ progress: @Sendable () -> SweepProgress) async {
    var last = ""
    // What is over within seconds needs no line on its way.
    var next = ContinuousClock.now + .seconds(5)
    while !Task.isCancelled {
      let now = progress()
      let text = SweepText.progress(now, name: name, isSimulated: isSimulated)
      if now.total > 0, text != last {
        if output.isTerminal {
          output.show(TextTable.cut(text, to: max(20, output.width() - 1)))
          last = text
        } else if ContinuousClock.now >= next {
          write(text)
          (last, next) = (text, .now + .seconds(60))
        }
      }
      try? await Task.sleep(for: .milliseconds(200))
    }
  }
}
