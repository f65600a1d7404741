import Console
import Testing

/// The UTF-8 of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct CommandLineOptionsTests {
  @Test func readsStockOptionsInOrder() throws {
    let options = try CommandLineOptions(parsing: [
      "-e", "x=1", "-lm", "-l", "j=cjson", "-W", "-ey=2", "a.lua", "-e", "--sim",
    ])
    #expect(
      options.steps == [
        .execute(bytes("x=1")), .require(global: bytes("m"), module: bytes("m")),
        .require(global: bytes("j"), module: bytes("cjson")), .warningsOn, .execute(bytes("y=2")),
      ])
    #expect(options.program == .file(bytes("a.lua")))
    #expect(options.scriptArguments == [bytes("-e"), bytes("--sim")])
    #expect(options.scriptIndex == 8)
    #expect(!options.usesSimulator)
  }

  @Test func whatLuaGetsIsOfAnyEncoding() throws {
    let odd: [UInt8] = [0xff, 0x78, 0xe4]
    let options = try CommandLineOptions(parsing: [bytes("-e") + odd, bytes("-l"), odd, odd, odd])
    #expect(options.steps == [.execute(odd), .require(global: odd, module: odd)])
    #expect(options.program == .file(odd))
    #expect(options.scriptArguments == [odd])
  }

  @Test func readsOwnOptions() throws {
    let options = try CommandLineOptions(parsing: [
      "--trace", "--quiet", "--no-color", "--profile", "p", "--endpoint=http://h", "-", "x",
    ])
    #expect(options.traces && options.isQuiet && !options.usesColor && !options.usesSimulator)
    #expect(options.profile == "p")
    #expect(options.endpoint == "http://h")
    #expect(options.program == .standardInput)
    #expect(options.scriptArguments == [bytes("x")])
  }

  @Test func tellsSubcommandsFromFiles() throws {
    #expect(
      try CommandLineOptions(parsing: ["sim", "--port", "1"]).program
        == .subcommand("sim", ["--port", "1"]))
    #expect(try CommandLineOptions(parsing: ["./sim"]).program == .file(bytes("./sim")))
    #expect(try CommandLineOptions(parsing: ["--", "sim"]).program == .file(bytes("sim")))
    #expect(try CommandLineOptions(parsing: [String]()).program == .none)
    #expect(try CommandLineOptions(parsing: ["-"]).program == .standardInput)
    #expect(try CommandLineOptions(parsing: ["--", "-"]).program == .file(bytes("-")))
    let jobs = ["jobs", "--state", "x"]
    let words = try CommandLineOptions(parsing: jobs + ["--sim"])
    #expect(words.program == .subcommand("jobs", ["--state", "x"]))
    let error = #expect(throws: CommandLineOptions.UsageError.self) {
      try ShellCommand("jobs", parsing: ["--state", "runing"])
    }
    #expect(error?.description.contains("got 'runing' (did you mean running?)") == true)
  }

  @Test(arguments: [
    (["-x"], "unrecognized option '-x'"), (["--nope"], "unrecognized option '--nope'"),
    (["-e"], "'-e' needs argument"), (["--profile"], "'--profile' needs argument"),
    (
      ["--sim", "--endpoint", "http://h"],
      "--sim brings an endpoint of its own: leave --endpoint out"
    ),
    (
      ["--endpoint=http://h", "--sim"],
      "--sim brings an endpoint of its own: leave --endpoint out"
    ),
    (["-l", "-i"], "'-l' needs argument"), (["-ix"], "unrecognized option '-ix'"),
  ])
  func refuses(words: [String], message: String) {
    #expect(throws: CommandLineOptions.UsageError(description: message)) {
      try CommandLineOptions(parsing: words)
    }
  }
}
