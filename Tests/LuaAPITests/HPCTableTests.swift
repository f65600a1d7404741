import HPCClient
import HTTP
import LuaRuntime
import TestSupport
import Testing

@testable import LuaAPI

@Suite struct HPCTableTests {
  private static let job = """
    {"job_id": "7", "job_name": "a.sh", "status": "RUN", "elapse_time": "0000:01:00",
     "Fugaku:elapse_limit": "0000:10:00", "node_require": "12:2x3x2", "accept": "2021-04-12T11:25:50",
     "start_date": "-", "user": "u", "Fugaku:lst": "QUE", "Fugaku:ec": "0", "other": null}
    """

  /// Runs a chunk with a table whose service answers as scripted; what it returns.
  private func run(
    _ code: String, answers: [InMemoryTransport.Answer] = [.json(200, "[\(job)]")]
  ) async throws -> [LuaValue] {
    // The Lua loop blocks its thread.
    try await DetachedThread.run { try Self.runHere(code, answers) }
  }

  private static func runHere(_ code: String, _ answers: [InMemoryTransport.Answer]) throws
    -> [LuaValue]
  {
    let state = try LuaState()
    let transport = InMemoryTransport(answers)
    let host = HPCHost(version: "test", log: { _, _ in }) {
      (explicit) throws(HPCError) in
      let environment = SettingsEnvironment.process(variables: [
        "HOME": "/nonexistent", "NIFCLOUD_ACCESS_KEY_ID": "AK",
        "NIFCLOUD_SECRET_ACCESS_KEY": "TOP-SECRET", "HPC_ENDPOINT": "http://127.0.0.1:1",
        "HPC_RETRY_DEADLINE": "0",
      ])
      let settings = try Settings.resolve(Settings.Given(explicit: explicit), in: environment)
      return HPCConnection(
        settings: settings,
        client: { () throws(HPCError) in
          HPCClient(try HPCClient.Configuration(settings), transport: transport)
        },
        store: { () throws(HPCError) in throw HPCError(.invalidSetting, "no bucket is set") })
    }
    let table = try HPCTable.install(in: state, host: host)
    defer { _ = table }
    switch try state.run(try state.load(Array(code.utf8), name: "=test")) {
    case .returned(let values): return values
    case .failed(let error): throw error
    case .interrupted: return []
    }
  }

  @Test func everyEntryIsThere() async throws {
    for entry in APISpec.entries where entry.path.hasPrefix("hpc.") {
      let type = try await run("return type(\(entry.path))")[0].text
      switch entry.kind {
      case .function: #expect(type == "function", "\(entry.path)")
      default: #expect(type != "nil", "\(entry.path)")
      }
    }
  }

  @Test func everyMethodAndFieldOfAJobIsThere() async throws {
    let methods = APISpec.entries.filter { $0.kind == .method && $0.path.hasPrefix("Job:") }
    for entry in methods {
      #expect(try await run("return type(hpc.jobs.list()[1].\(entry.name))")[0].text == "function")
    }
    let names = APISpec.entries.filter { $0.path.hasPrefix("Job.") }.map(\.name)
    #expect(names == JobObject.shortNames)
  }

  @Test func everyExampleIsLua() async throws {
    let state = try LuaState()
    for entry in APISpec.entries where !entry.example.isEmpty {
      #expect(throws: Never.self, "\(entry.path)") {
        try state.load(Array(entry.example.utf8), name: "=\(entry.path)")
      }
    }
  }

  /// What `hpc.help` prints.
  private func help(_ argument: String) async throws -> String? {
    try await run(
      "local text; print = function(x) text = x end; hpc.help(\(argument)); return text")[
        0
      ].text
  }

  @Test func helpKnowsEveryFunction() async throws {
    for entry in APISpec.entries where entry.kind == .function {
      #expect(try await help(entry.path)?.hasPrefix(entry.signature) == true, "\(entry.path)")
    }
    #expect(try await help("'jobs.submt'")?.contains("hpc.jobs.submit") == true)
    #expect(try await help("hpc.jobs") == HelpText.folder("hpc.jobs"))
    #expect(try await help("hpc.space") == HelpText.folder("hpc.space"))
  }

  @Test func theTableCanBeRequired() async throws {
    #expect(try await run("return tostring(require 'hpc' == hpc)")[0].text == "true")
    let text = try await run("return select(2, pcall(hpc.sleep, 0/0))")[0].text
    #expect(text?.contains("'hpc.sleep'") == true)
  }

  @Test(arguments: ["[null]", "[null, {}]", "[{}, null]", "[1]", "[{}, 1]"])
  func aListOfThingsThatAreNoJobsIsAnError(body: String) async throws {
    let values = try await run(
      "return select(2, pcall(hpc.jobs.list)).code", answers: [.json(200, body)])
    #expect(values[0].text == "BadAnswer")
  }

  @Test(arguments: ["7", "'7'", "7.0", "hpc.jobs.list()[1]"])
  func anyKindOfIdCancels(id: String) async throws {
    let list = [InMemoryTransport.Answer.json(200, "[\(Self.job)]")]
    let answers = (id.hasPrefix("hpc") ? list : []) + [.json(204, "")]
    #expect(try await run("return hpc.jobs.cancel(\(id))", answers: answers).isEmpty)
  }

  @Test func jobsHaveShortNames() async throws {
    let values = try await run(
      """
      local j = hpc.jobs.list()[1]
      return j.id, j.state, j.elapsed, j.elapsed_time, j.limit, j.nodes, j.accepted, j.started,
        j.exit_code, j.last_state, j.user, j.other, j.nonsense
      """)
    let text = values.map { value in
      switch value {
      case .integer(let number): "\(number)"
      case .nil: "nil"
      default: value.text ?? "?"
      }
    }
    #expect(
      text == [
        "7", "running", "60", "0000:01:00", "600", "12", "1618194350", "nil", "nil", "queued", "u",
        "nil", "nil",
      ])
  }

  @Test func pairsListOneSpellingAndTheShortNames() async throws {
    let value = try await run(
      """
      local keys = {}
      for k, v in pairs(hpc.jobs.list()[1]) do keys[#keys + 1] = k end
      table.sort(keys)
      return table.concat(keys, " ")
      """)
    let keys = value[0].text?.split(separator: " ") ?? []
    #expect(keys.contains("elapsed_time") && keys.contains("Fugaku:elapsed_limit"))
    #expect(!keys.contains("elapse_time") && !keys.contains("Fugaku:elapse_limit"))
    #expect(keys.contains("state") && keys.contains("id") && !keys.contains("exit_code"))
  }

  @Test func globsCompareTenCharacters() async throws {
    let answers = [InMemoryTransport.Answer.json(200, #"[{"job_id":1,"job_name":"production"}]"#)]
    for (glob, count) in [
      ("production-run-1", 1), ("prod*", 1), ("p?oduction", 1), ("[a-p]*", 1), ("[!p]*", 0),
      ("production-*", 0), ("prod", 0), ("a.b", 0),
    ] {
      let values = try await run("return #hpc.jobs.list{name = '\(glob)'}", answers: answers)
      #expect(values[0].asInteger == count, "\(glob)")
    }
  }

  @Test func configurationMasksSecrets() async throws {
    let text =
      try await run(
        """
        local text = {}
        local function walk(t) for k, v in pairs(t) do
          if type(v) == "table" then walk(v) else text[#text + 1] = tostring(v) end end end
        walk(hpc.config) walk(hpc.connect{region = "jp-west-1"}.config)
        return table.concat(text, " ")
        """)[0].text ?? ""
    #expect(text.contains("jp-west-1") && !text.contains("TOP-SECRET"))
  }

  @Test func errorsAreTables() async throws {
    let values = try await run(
      """
      local ok, e = pcall(hpc.jobs.get, 7)
      return ok, e.status, e.operation, e.ambiguous, tostring(e) .. "", e .. "!", e.traceback
      """, answers: [.json(404, #"{"code":"GeneralError","message":"Operation not permitted."}"#)])
    #expect(values[1].asInteger == 404)
    #expect(values[2].text == "jobs.get")
    #expect(values[4].text?.contains("no job 7") == true)
    #expect(values[5].text?.hasSuffix("!") == true)
    #expect(values[6].text?.contains("stack traceback") == true)
  }

  @Test(arguments: [
    ("hpc.jobs.get()", "bad argument #1 to 'get' (id or Job expected, got no value)"),
    ("hpc.jobs.get(0)", "a job has a positive integer for its id, got 0"),
    ("hpc.jobs.submit{jobfle = 'x'}", "unknown option 'jobfle', did you mean 'jobfile'?"),
    ("hpc.jobs.submit{}", "option 'jobfile' is missing"),
    ("hpc.jobs.list{state = 'runing'}", "unknown value 'runing', did you mean 'running'?"),
    ("hpc.jobs.cancel{1, 'x'}", "element 2: a job has a positive integer for its id, got 'x'"),
    ("hpc.files.sync{path = 'a', delete = 1}", "option 'delete': boolean expected, got number"),
    ("hpc.connect{regoin = 'x'}", "did you mean 'region'?"),
    ("hpc.jobs.wait(1, {timeout = -1})", "seconds must be 0 or more and finite"),
    ("hpc.json.decode('[1,')", "invalid JSON at line 1, column 4"),
    ("hpc.jobs.submit('a\\xff')", "the jobfile is not UTF-8 text without NUL bytes"),
    ("hpc.jobs.submit{jobfile = 'a\\0b'}", "the jobfile is not UTF-8 text without NUL bytes"),
    ("hpc.files.sync{path = '\\xc3('}", "the path is not UTF-8 text without NUL bytes"),
    ("hpc.jobs.get(1, {timeout = 0/0})", "seconds must be 0 or more and finite"),
  ])
  func refuses(call: String, message: String) async throws {
    await #expect {
      try await run("return \(call)")
    } throws: { error in
      "\(error)".contains(message)
    }
  }

  @Test func showFitsColumns() async throws {
    let text = try await run(
      """
      local out
      print = function(s) out = s end
      hpc.show({{a = 1, b = "x"}, {a = 22, b = "yy"}}, {"b", "a"})
      return out
      """)[0].text
    #expect(text == "b    a\nx    1\nyy  22")
  }

  @Test(arguments: [
    ("{{a = {1, 'x', {y = 2.5}}}}", #"a\#n{1, "x", { y = 2.5 }}"#),
    ("{{a = {{{{{1}}}}}}}", "a\n{{{{{…}}}}}"), ("{{a = {}}}", "a\n{}"),
    ("{{a = {['b c'] = true, [-1] = 1}}}", #"a\#n{ [-1] = 1, ["b c"] = true }"#),
    ("{{a = (function() local t = {} t.t = t return t end)()}}", "a\n{ t = { cycle } }"),
    (
      "{{a = (function() local t = {} for i = 1, 25 do t[i] = i end return t end)()}}",
      "a\n{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, … 5 more}"
    ),
    ("{{a = setmetatable({}, {__tostring = function() return 'own' end})}}", "a\nown"),
    ("{x = {1}, y = 'text'}", "key  value\nx    {1}\ny    text"), ("{}", "(none)"),
  ])
  func showGoesIntoTables(rows: String, expected: String) async throws {
    let text = try await run(
      "local out print = function(s) out = s end hpc.show(\(rows)) return out")[0].text
    #expect(text == expected)
  }
}
