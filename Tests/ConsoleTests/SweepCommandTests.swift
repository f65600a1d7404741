import LuaAPI
import Testing

@testable import Console

@Suite struct SweepCommandTests {
  @Test func readsCommandsWithNamesAndOptions() throws {
    let command = try SweepCommand(parsing: [
      "retry", "ising", "--cause", "exit 127", "--elapse=2h", "--json",
    ])
    #expect(command.name == "retry")
    #expect(command.words == ["ising"])
    #expect(command.values == ["cause": "exit 127", "elapse": "2h"])
    #expect(command.format == .json)
    #expect(try SweepCommand(parsing: ["results", "a", "--all", "--csv"]).flags == ["all"])
    #expect(try SweepCommand(parsing: ["logs", "a", "7"]).words == ["a", "7"])
    #expect(try SweepCommand(parsing: ["list"]).words.isEmpty)
  }

  @Test(arguments: [
    ([], "which command of sweep?"), (["pause", "a"], "unknown command 'sweep pause'"),
    (["plan"], "'sweep plan' needs a Lua file"), (["status"], "'sweep status' needs a name"),
    (["status", "a", "b"], "unexpected 'b'"), (["cancel", "a", "--al"], "unrecognized option"),
    (["retry", "a", "--cause"], "'--cause' needs argument"), (["list", "--all"], "unrecognized"),
  ])
  func refusesWhatItDoesNotKnow(_ words: [String], _ expected: String) {
    let error = #expect(throws: CommandLineOptions.UsageError.self) {
      try SweepCommand(parsing: words)
    }
    #expect(error?.description.contains(expected) == true)
    #expect(error?.description.contains("usage: hpc sweep plan") == true)
  }

  @Test func planAndStepRunTheFile() throws {
    let step = try CommandLineOptions(parsing: ["--quiet", "sweep", "step", "a.lua", "x", "-y"])
    #expect(step.program == .file(bytes("a.lua")))
    #expect(step.sweepMode == .step)
    #expect(step.scriptArguments == [bytes("x"), bytes("-y")])
    #expect(step.scriptIndex == 4)
    #expect(try CommandLineOptions(parsing: ["sweep", "plan", "a.lua"]).sweepMode == .plan)
    let status = try CommandLineOptions(parsing: ["sweep", "status", "a"])
    #expect(status.program == .subcommand("sweep", ["status", "a"]))
    #expect(status.sweepMode == .run)
    #expect(try CommandLineOptions(parsing: ["./sweep", "plan", "a.lua"]).sweepMode == .run)
    #expect(
      try CommandLineOptions(parsing: ["--", "sweep", "plan", "a"]).program == .file(bytes("sweep"))
    )
  }
}
