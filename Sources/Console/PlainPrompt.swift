import Glibc
import LuaRuntime

/// The prompt of stock Lua: a line at a time, values printed, calls that await.
final class PlainPrompt {
  private let state: LuaState
  private let report: (LuaError) -> Void
  private var pending: [UInt8] = []
  private var hasEnded = false

  /// - Parameters:
  ///   - state: what evaluates the lines.
  ///   - report: shows an error.
  init(state: LuaState, report: @escaping (LuaError) -> Void) {
    self.state = state
    self.report = report
  }

  /// Reads forms until the input ends.
  ///
  /// - Returns: the exit status.
  func run() throws -> Int32 {
    var form = ""
    show("> ")
    while let line = readLine() {
      form += form.isEmpty ? line : "\n" + line
      switch compile(form) {
      case .incomplete:
        show(">> ")
        continue
      case .failed(let error): report(error)
      case .ready(let chunk): try evaluate(chunk)
      }
      form = ""
      show("> ")
    }
    if isatty(STDIN_FILENO) != 0 { show("\n") }
    return ScriptRunner.ExitStatus.success
  }

  private enum Compiled {
    case ready(LuaReference)
    case incomplete
    case failed(LuaError)
  }

  /// As lua.c: first as an expression, then as a statement.
  private func compile(_ form: String) -> Compiled {
    let name = "=stdin"
    if let chunk = try? state.load(Array("return \(form)".utf8), name: name) {
      return .ready(chunk)
    }
    do {
      return .ready(try state.load(Array(form.utf8), name: name))
    } catch let error as LuaError {
      return error.message.hasSuffix("<eof>") ? .incomplete : .failed(error)
    } catch {
      return .failed(state.describeError(error))
    }
  }

  private func evaluate(_ chunk: LuaReference) throws {
    switch try state.runForeground(chunk) {
    case .returned(let values):
      guard !values.isEmpty, let print = try state.get(state.globals, "print").asReference else {
        return
      }
      do {
        try state.call(print, values)
      } catch let error as LuaError {
        report(error)
      }
    case .failed(let error): report(error)
    case .interrupted: ScriptRunner.writeError("interrupted!\n")
    }
  }

  /// The next line without its newline; tasks go on while it is awaited. nil at the end.
  private func readLine() -> String? {
    let watch = state.watch(STDIN_FILENO) { [self] _ in fill() }
    defer { state.unwatch(watch) }
    state.wait { [self] in hasEnded || pending.contains(0x0a) }
    guard let end = pending.firstIndex(of: 0x0a) else {
      guard !pending.isEmpty else { return nil }
      defer { pending = [] }
      return String(decoding: pending, as: UTF8.self)
    }
    defer { pending.removeSubrange(...end) }
    return String(decoding: pending[..<end], as: UTF8.self)
  }

  private func fill() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes {
      unsafe read(STDIN_FILENO, $0.baseAddress, $0.count)
    }
    if count > 0 {
      pending += buffer[..<count]
    } else if count == 0 || errno != EINTR {
      hasEnded = true
    }
  }

  private func show(_ prompt: String) {
    guard isatty(STDIN_FILENO) != 0 || prompt == "\n" else { return }
    print(prompt, terminator: "")
    fflush(nil)
  }
}
