import Foundation
import LuaRuntime
import TestSupport
import Testing

/// Programs that use nothing of ours behave as under stock `lua5.4`, tracebacks included.
@Suite struct StockTests {
  static let programs = ["closing", "coroutines", "errors", "modules"]

  @Test(arguments: programs)
  func aProgramGivesTheSameAsUnderStockLua(name: String) async throws {
    let path = try #require(
      Bundle.module.path(forResource: name, ofType: "lua", inDirectory: "Corpus"))
    let program = "io.write((dofile('\(path)')))"
    let stock = await (try ChildProcess("lua5.4", ["-e", program])).ended()
    #expect(stock.status == 0)
    #expect(stock.output.count > 500)
    let own = try await withLua { state in
      try state.execute("arg = {[0] = 'lua5.4'}")
      let main = try state.load(
        Array("return (dofile('\(path)'))".utf8), name: "=(command line)")
      guard case .returned(let values) = try state.run(main) else { return "" }
      return values.first?.text ?? ""
    }
    #expect(own == stock.output)
  }

  @Test(arguments: [
    "error('plain')", "error({})",
    "error(setmetatable({}, {__tostring = function() return 'x' end}))",
    "local t = nil; t.x = 1", "error('no position', 0)", "error()", "error(42)",
    "local function f() error('deep') end f()", "coroutine.wrap(function() error('in co') end)()",
    "string.rep()", "error('zero\\0inside')",
  ])
  func uncaughtErrorsReadAsUnderStockLua(program: String) async throws {
    // Stock lua writes to stderr; the shell brings it over.
    let stock = await (try ChildProcess("sh", ["-c", "lua5.4 - 2>&1 <<'END'\n\(program)\nEND"]))
      .ended()
    let error = try await withLua { state in
      guard
        case .failed(let error) = try state.run(
          state.load(Array((program + "\n").utf8), name: "=stdin"))
      else { return "" }
      return "lua5.4: " + error.message + "\n" + error.traceback + "\n"
    }
    if program.contains("__tostring") {
      // Stock shows no traceback of an error that has a text of its own.
      #expect(error.hasPrefix(stock.output))
    } else {
      #expect(error == stock.output)
    }
  }
}
