import HPCClient
import LuaRuntime
import Sweeps
import TestSupport
import Testing

@testable import LuaAPI

@Suite struct SweepRowsTests {
  private static func rows() -> [SweepRow] {
    var first = SweepRow(
      point: 1, name: "a",
      parameters: Parameters([("T", .double(1.5)), ("seconds", .integer(7))]), state: .done)
    first.attempts = 2
    first.jobID = 6_291_500
    first.seconds = 12
    first.nodeHours = 0.1
    first.folder = "/nowhere/a"
    first.remoteFolder = "hpc/s-1/out/files/1.2"
    first.files = [OutputFile(name: "d/r.txt", size: 3, sha256: "")]
    first.result =
      #"{"T": 5, "m": 0.30000000000000004, "output": 3, "list": [1, 2], "cause": "heat"}"#
    var second = SweepRow(
      point: 2, name: "b", parameters: Parameters([("T", .integer(2)), ("seconds", .integer(8))]),
      state: .failed)
    second.cause = "exit 1"
    second.exitCode = 1
    var third = SweepRow(
      point: 3, name: "c",
      parameters: Parameters([("T", .string("a,b")), ("seconds", .integer(9))]),
      state: .done)
    third.result = "[1, 2]"
    return [first, second, third]
  }

  /// Runs a chunk that gets the rows, and the functions of sweeps.lua.
  private func run(_ code: String, isSimulated: Bool = false) async throws -> String {
    try await DetachedThread.run {
      let state = try LuaState()
      let host = HPCHost(version: "test", log: { _, _ in }) {
        (_) throws(HPCError) in throw HPCError(code: "Test", message: "no connection")
      }
      let table = try HPCTable.install(in: state, host: host)
      let bindings = try SweepBindings(
        table: table, connection: LazyConnection([:], host: host), state: state)
      let sweep = SweepObject(
        name: "s", journal: "/nowhere/s.sweep", folder: "/nowhere", isSimulated: isSimulated)
      let rows = try bindings.rows(Self.rows(), sweep, in: state)
      let module = LuaValue.reference(try bindings.module(in: state))
      let chunk = try state.load(
        Array("local rows, module = ... \(code)".utf8), name: "=test")
      switch try state.run(chunk, arguments: [rows, module]) {
      case .returned(let values):
        return try values.map { try state.text(of: $0) }.joined(separator: "|")
      case .failed(let error): return error.message
      case .interrupted: return "interrupted"
      }
    }
  }

  @Test(arguments: [
    // On a clash the parameter stays, then the sweep's own field; the result gives way.
    (
      "local r = rows[1] return r.T, r['result.T'], r.seconds, r.m, r['result.output'], r.list[2]",
      "1.5|5|7|0.3|3|2"
    ),
    (
      "local r = rows[1] return r.point, r.state, r.attempts, r.job_id, r.dir, r.cause",
      "1|done|2|6291500|/nowhere/a|nil"
    ),
    ("return rows[3].value[2], rows[2].cause, rows[2].exit_code, rows[2].value", "2|exit 1|1|nil"),
    ("return rows[1].cause, rows[1]['result.cause']", "nil|heat"),
    ("return rows[1].parameters.T, rows[1].parameters.m, #rows[1].files", "1.5|nil|1"),
    (
      "return rows[1].files:path('d/r.txt'), rows[1].files:path('x'), rows[1].files['x']",
      "/nowhere/a/d/r.txt|nil|nil"
    ),
    (
      "local o = rows[1]:output('d/r.txt') return o, o.path, o.name",
      "output hpc/s-1/out/files/1.2/d/r.txt|hpc/s-1/out/files/1.2/d/r.txt|d/r.txt"
    ),
    (
      "return pcall(rows[1].output, rows[1], 'x')",
      "false|this row has no output 'x': it has d/r.txt"
    ),
    (
      "return pcall(rows[2].output, rows[2], 'x')",
      "false|this row has no output 'x': a row has outputs once it is done"
    ),
    ("return rows[2]", "point 2 failed (exit 1)  T=2  seconds=8"),
    ("return hpc.space.list{rows[1], rows[2]}[2].T", "2"),
  ])
  func rowsAnswerTheirFields(_ code: String, _ expected: String) async throws {
    #expect(try await run(code) == expected)
  }

  @Test func aTableShowsWhatMatters() async throws {
    let text = try await run("return rows", isSimulated: true)
    let lines = text.split(separator: "\n")
    #expect(
      lines[0].split(separator: " ").map(String.init) == [
        "T", "seconds", "list", "m", "result.T", "result.cause", "result.output", "value", "state",
        "cause",
      ])
    #expect(lines.last == "SIMULATED")
  }

  @Test func csvKeepsEveryDigitAndQuotes() async throws {
    let text = try await run("return module.csv_text(rows)")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines[0]
        == "T,seconds,list,m,result.T,result.cause,result.output,value,point,state,attempts,job_id,exit_code,cause,nodes,node_hours,dir,result_error"
    )
    #expect(
      lines[1]
        == "1.5,7,\"[1,2]\",0.30000000000000004,5,heat,3,,1,done,2,6291500,,,,0.1,/nowhere/a,")
    #expect(lines[3].hasPrefix("\"a,b\",9,,,,,,\"[1,2]\",3,done"))
    #expect(lines.count == 5 && lines[4].isEmpty)
  }
}
