import LuaRuntime

/// Compiles what was typed, as an expression or as a statement.
struct FormCompiler {
  /// What became of a form.
  enum Compiled {
    case ready(LuaReference)
    /// More lines are needed; the error says what is missing.
    case incomplete(LuaError)
    case failed(LuaError)
  }

  let state: LuaState
  /// As stock Lua's prompt names its chunks.
  private let name = "=stdin"

  /// A form is incomplete when its `return` form or its plain form fails at the very end, probed
  /// with a newline, so that `x = 'abc` is an error and `{1,` is not.
  func compile(_ form: [UInt8]) -> Compiled {
    // `=x`, which lua.c takes too.
    if form.first == 0x3d { return compile(Array(form.dropFirst())) }
    do {
      return .ready(try state.load(Array("return ".utf8) + form + [0x0a], name: name))
    } catch {
      let expression = error as? LuaError
      do {
        return .ready(try state.load(form + [0x0a], name: name))
      } catch {
        let statement = error as? LuaError ?? state.describeError(error)
        let isCut = [expression, statement].contains { $0?.message.hasSuffix("<eof>") == true }
        return isCut ? .incomplete(statement) : .failed(statement)
      }
    }
  }
}
