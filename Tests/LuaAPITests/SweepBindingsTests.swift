import FoundationEssentials
import HPCClient
import HTTP
import LuaRuntime
import ObjectStore
import Sweeps
import TestSupport
import Testing

@testable import LuaAPI

@Suite struct SweepBindingsTests {
  private static let script = "#!/bin/sh\n#PJM -L \"node=1,elapse=00:10:00\"\necho {{T}} $L\n"

  /// Runs a chunk as the file `f.lua` of a fresh folder that holds `a.sh`; its results as text.
  private static func run(
    _ code: String, mode: SweepMode = .run, body: String = script
  ) async throws -> String {
    let folder = try TemporaryFolder()
    try Data(body.utf8).write(to: URL(filePath: "\(folder.path)/a.sh"))
    let path = folder.path
    return try await DetachedThread.run {
      let state = try LuaState()
      var host = Self.host()
      host.sweepMode = mode
      let table = try HPCTable.install(in: state, host: host)
      defer { _ = table }
      let chunk = try state.load(Array(code.utf8), name: "@\(path)/f.lua")
      switch try state.run(chunk) {
      case .returned(let values):
        return try values.map { try state.text(of: $0) }.joined(separator: " ")
          .replacing(path, with: "DIR")
      case .failed(let error): return error.message.replacing(path, with: "DIR")
      case .interrupted: return "interrupted"
      }
    }
  }

  private static func host() -> HPCHost {
    HPCHost(version: "test", log: { _, _ in }) {
      (explicit) throws(HPCError) in
      let environment = SettingsEnvironment.process(variables: [
        "HOME": "/nonexistent", "NIFCLOUD_ACCESS_KEY_ID": "AK",
        "NIFCLOUD_SECRET_ACCESS_KEY": "TOP-SECRET", "HPC_ENDPOINT": "http://127.0.0.1:1",
      ])
      let settings = try Settings.resolve(Settings.Given(explicit: explicit), in: environment)
      return HPCConnection(
        settings: settings,
        client: { () throws(HPCError) in
          throw HPCError(code: "Test", message: "nothing here needs the service")
        },
        store: { () throws(HPCError) in
          throw HPCError(code: "Test", message: "nothing here needs the bucket")
        })
    }
  }

  @Test(arguments: [
    ("scrpt = 'a.sh'", "unknown option 'scrpt', did you mean 'script'?"),
    ("script = 'b.sh'", "option 'script': there is no file DIR/b.sh"),
    ("", "option 'script' is missing"),
    ("script = 'a.sh', remote = 'b'", "'script' and 'remote' exclude each other"),
    ("script = 'a.sh', space = 3", "hpc.grid{…} or one of hpc.space expected, got number"),
    ("script = 'a.sh', repeats = 2", "option 'repeats' needs a space"),
    ("script = 'a.sh', space = hpc.grid{T = 1}, repeats = 0", "a whole number, 1 or more"),
    ("script = 'a.sh', space = hpc.grid{T = 1}, where = function() end", "keeps none of 1 points"),
    (
      "script = 'a.sh', space = hpc.space.list{{T = 1}, {T = 1.0}}",
      "points 1 and 2 are the same: {T=1.0}. To run a point several times, use repeats"
    ),
    (
      "script = 'a.sh', space = hpc.grid{T = hpc.range(1, 1001), L = hpc.range(1, 1000)}",
      "1001000 points are more than 1000000; if that is meant, confirm it with max_points = 1001000"
    ),
    ("script = 'a.sh', resources = {nodes = 1}", "unknown key 'nodes', did you mean 'node'?"),
    ("script = 'a.sh', resources = {elapse = 'soon'}", "not \"soon\""),
    ("script = 'a.sh', resources = {elapse = 1.5}", "not 1.5)"),
    ("script = 'a.sh', resources = {node = 0}", "resources.node cannot be \"0\""),
    ("script = 'a.sh', resources = {group = 'a b'}", "resources.group cannot be \"a b\""),
    ("script = 'a.sh', outputs = {'a', optinal = {}}", "unknown key 'optinal', did you mean"),
    ("script = 'a.sh', outputs = {'/a'}", "no name or pattern within the work folder"),
    ("script = 'a.sh', outputs = {'../a'}", "no name or pattern within the work folder"),
    ("script = 'a.sh', outputs = {optional = {'a//b'}}", "no name or pattern within"),
    ("script = 'a.sh', inputs = {3}", "a path or row:output(name) expected, got number"),
    ("script = 'a.sh', retries = {exits = 1}", "unknown key 'exits', did you mean 'exit'?"),
    ("script = 'a.sh', retries = -1", "0 or more expected"),
    ("script = 'a.sh', pack = {points = 0}", "points must be 1 or more"),
    ("script = 'a.sh', budget = {hours = 1}", "unknown key 'hours'"),
    ("script = 'a.sh', keep = 'some'", "unknown value 'some'"),
    ("script = 'a.sh', on_edit = 'rerum'", "did you mean 'rerun'?"),
    ("script = 'a.sh', markers = {'@'}", "must be two strings"),
    ("script = 'a.sh', sim = {seconds = 1}", "run, the text of a script, is missing"),
    ("script = 'a.sh', sim = {run = 'x', seconds = -1}", "seconds must be 0 or more, not -1"),
    ("script = 'a.sh', sim = {run = 'x', seconds = 'a'}", "seconds must be 0 or more, not a"),
    ("script = 'a.sh', resources = {mpi = 0}", "mpi is 1 process or more, not 0"),
    ("script = 'a.sh', max_queued = 'x'", "option 'max_queued': number expected, got string"),
  ])
  func refusesOptionsThatCannotBeMeant(_ options: String, _ expected: String) async throws {
    let text = try await Self.run("return hpc.sweep{name = 'a', \(options)}")
    #expect(text.contains("bad argument #1 to 'sweep'"), "\(text)")
    #expect(text.contains(expected), "\(text)")
  }

  @Test func planReadsTheScriptBesideTheFileThatCalls() async throws {
    let text = try await Self.run(
      """
      local seen = {}
      local s = hpc.sweep{
        name = "a", space = hpc.grid{T = {1, 1.5, 2}, L = {16, 32}}, script = "a.sh",
        where = function(p) return not (p.T == 2 and p.L == 32) end,
        order = function(a, b) return a.T > b.T end,
        resources = function(p, attempt)
          seen[#seen + 1] = p.T .. "/" .. p.L .. "/" .. attempt
          return {node = 2, elapse = 3600.0 * attempt, mpi = 96}
        end,
      }
      local plan = s:plan()
      return plan.points, plan.new, plan.jobs, plan.node_hours, plan.problem,
        table.concat(seen, " "), plan.script, s.journal, s
      """)
    #expect(
      text == """
        5 5 5 10.0 nil 2/16/1 1.5/16/1 1.5/32/1 1/16/1 1/32/1 #!/bin/sh
        #PJM -L "node=2"
        #PJM -L "elapse=01:00:00"
        #PJM --mpi "proc=96"
        echo 2 $L
         DIR/a.sweep sweep a: 5 points, nothing ran yet
        """)
  }

  @Test func aPlanPrintsAsText() async throws {
    let text = try await Self.run(
      "return hpc.sweep{name = 'a', space = hpc.grid{T = {1, 2}, L = 16}, script = 'a.sh'}:plan()")
    for part in ["plan of a", "points", "2: 2 new, 0 done", "0.333 at most", "| echo 1 $L"] {
      #expect(text.contains(part), "\(text)")
    }
  }

  @Test func textWithTheLineEndsOfWindowsIsNoFileName() async throws {
    let text = try await Self.run(
      """
      return hpc.sweep{name = 'a', space = hpc.grid{T = 1}, script = 'echo $T\\r\\necho\\r\\n'}:plan().script
      """)
    #expect(text.contains("echo $T\r\necho"), "\(text)")
  }

  @Test(arguments: [
    "budget = {node_hours = math.huge}", "max_queued = math.maxinteger", "pack = math.maxinteger",
    "pack = {points = 2, at_once = math.maxinteger}", "stop_after = math.maxinteger",
    "resources = {node = '4096x4096x4096x4096'}", "retries = math.maxinteger",
  ])
  func numbersBeyondAllLimitsAreNoTrap(_ option: String) async throws {
    let text = try await Self.run(
      "return hpc.sweep{name = 'a', space = hpc.grid{T = {1, 2}}, script = 'a.sh', \(option)}:plan()"
    )
    #expect(text.contains("plan of a") || text.contains("option '"), "\(text)")
  }

  @Test func aLimitIsSeenAtWhicheverPointItIs() async throws {
    let text = try await Self.run(
      """
      return hpc.sweep{name = "a", space = hpc.grid{T = {1, 2, 1000}}, script = "a.sh",
        resources = function(p) return {node = p.T, rscgrp = "small"} end}:plan()
      """)
    #expect(text.contains("{T=1000}: 1000 nodes: the resource group small has"), "\(text)")
  }

  @Test(arguments: [
    ("", "nothing uses the parameter x: no {{x}}, $x or ${x} in the script"),
    ("unused = 'x',", "nil"), ("unused = {'x'},", "nil"),
    ("resources = function(p) return {node = p.x} end,", "nil"),
    ("resources = function(p) for k in pairs(p) do end return {} end,", "nil"),
    ("where = function(p) return p.x > 0 end,", "nil"),
    ("outputs = {'r-{{x}}.txt'},", "nil"), ("setup = 'load {{x}}',", "nil"),
    ("setup = 'load $x',", "nil"), ("inputs = function(p) return p.x and {} end,", "nil"),
    ("budget = {node_hours = 0.1},", "nothing uses"),
  ])
  func everyParameterIsUsedOrSaidToBeUnused(_ option: String, _ expected: String) async throws {
    let text = try await Self.run(
      """
      return hpc.sweep{name = "a", space = hpc.grid{T = 1, L = 1, x = {1, 2}}, script = "a.sh",
        \(option)}:plan().problem
      """)
    #expect(text.hasPrefix(expected), "\(text)")
  }

  @Test(arguments: [
    ("unused = {'TT'},", "unused: the sweep has no parameter TT: did you mean T?"),
    ("remote = '/a/b.sh',", "remote = \"/a/b.sh\" is no file within home"),
    ("remote = '~/b.sh',", "remote = \"~/b.sh\" is no file within home"),
    ("workdir = '~/x',", "\"~/x\" is no folder within home"),
    ("outputs = {'./a', './b/*.txt'},", "nil"), ("outputs = {'a/./b'},", "no name within"),
    ("outputs = {'a\\nb'},", "is no name within the work folder"),
    ("inputs = {['../x'] = 'a.sh'},", "the input \"../x\" has no name within the work folder"),
    ("inputs = {'a.sh', ['b/a.sh'] = 'a.sh'},", "nil"),
  ])
  func whatNoPointCanHaveIsFoundByAPlan(_ option: String, _ expected: String) async throws {
    let script = option.hasPrefix("remote") ? "" : "script = 'a.sh',"
    let text = try await Self.run(
      """
      return hpc.sweep{name = "a", space = hpc.grid{T = {1, 2}, L = 1}, \(script)
        \(option)}:plan().problem
      """)
    #expect(text.contains(expected), "\(text)")
  }

  @Test func aSweepWithoutASpaceHasAPlanToo() async throws {
    let text = try await Self.run(
      """
      local plan = hpc.sweep{name = "a", script = "a.sh"}:plan()
      return plan.points, plan.problem, pcall(hpc.run, {name = "b", script = "a.sh"})
      """)
    #expect(text.hasPrefix("0 nil false a.sh:3: unknown name {{T}}"), "\(text)")
  }

  @Test func pointsThatShareAWorkdirAreTold() async throws {
    let plan = """
      local function notices(dir) return table.concat(hpc.sweep{name = "a", script = "a.sh",
        space = hpc.grid{T = {1, 2}, L = 1}, workdir = dir}:plan().notices, ";") end
      return notices("d"), "|", notices("d/{{T}}"), "|"
      """
    #expect(
      try await Self.run(plan)
        == "every point runs in the same workdir: say for instance d/{{point}} |  |")
  }

  @Test func functionsOfThePointMayGiveItToOthers() async throws {
    let text = try await Self.run(
      """
      local seen = {}
      local s = hpc.sweep{name = "a", space = hpc.grid{T = {1, 2}, x = "n"}, script = "a.sh",
        where = function(p) return hpc.space.list{p}[1].T == 2 end,
        resources = function(p)
          seen[#seen + 1] = hpc.render("{{T}}{{x}}", p) .. hpc.json.encode{p, {a = p}} .. tostring(p)
          return {}
        end}
      return pcall(s.plan, s), seen[1], #seen
      """, body: "#!/bin/sh\n")
    #expect(
      text == """
        true 2n[{"T":2,"x":"n"},{"a":{"T":2,"x":"n"}}]{"T":2,"x":"n"} 1
        """)
  }

  @Test func aBudgetThatDoesNotDoNamesTheLargestPoint() async throws {
    let text = try await Self.run(
      """
      hpc.sweep{name = "a", space = hpc.grid{T = {1, 2}, L = {16, 64}}, script = "a.sh",
        resources = function(p) return {node = p.L, elapse = "1h"} end,
        budget = {node_hours = 100}}:run()
      """)
    #expect(
      text.contains(
        "plan needs 160 node-hours, budget is 100; the largest point is {L=64, T=1}: 64 node-hours")
    )
  }

  @Test(arguments: [
    (
      "hpc.sweep('isng')",
      "there is no sweep \"isng\": no DIR/isng.sweep, and none is registered. hpc.sweep() lists"
    ),
    ("hpc.sweep{name = 'a/b', script = 'x\\n'}:plan()", "a sweep cannot be called \"a/b\""),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1, L = 1}, script = 'a.sh'}"
        + ":eval{T = 0 / 0, L = 1}", "the parameter \"T\" has a value that is not finite"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1, L = 1}, script = 'a.sh'}"
        + ":retry{cause = 'memry'}", "expected, got 'memry' (did you mean memory?)"
    ),
    ("hpc.sweep{name = 'a.sim', script = 'a.sh'}:plan()", "simulated runs of another sweep end"),
    (
      "hpc.sweep{name = 'a', script = 'echo {{TT}}\\n', space = hpc.grid{T = 1}}:plan()",
      "script:1: unknown name {{TT}}: did you mean T?"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1, L = 1}, script = 'a.sh'}:eval{T = 1}",
      "bad argument #1 to 'eval' (the points of a have L, T, not T)"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1, L = 1}, script = 'a.sh'}:eval{}",
      "bad argument #1 to 'eval' (the points of a have L, T: say their values)"
    ),
    (
      "hpc.sweep{name = 'a', script = 'a.sh'}:eval{}",
      "bad argument #1 to 'eval' (a point has parameters, such as {T = 2.1})"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1, L = 1}, script = 'a.sh', "
        + "resources = function() error('no idea') end}:plan()", "no idea"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1, L = 1}, script = 'a.sh', "
        + "inputs = function() error('no idea') end}:plan()", "no idea"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1, L = 1}, script = 'a.sh', "
        + "inputs = function() return 3 end}:plan()", "option 'inputs': table expected"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = {1, 2}, L = 1}, script = 'a.sh', "
        + "resources = function(p) return {[p.T == 2 and 'nodes' or 'node'] = 1} end}:plan()",
      "point {L=1, T=2}: option 'resources': unknown key 'nodes', did you mean 'node'?"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = {1, 2}, L = 1}, script = 'a.sh', "
        + "resources = function(p) return {node = 2 - p.T} end}:plan()",
      "point {L=1, T=2}: resources.node cannot be \"0\""
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = {1, 2}, L = 1}, script = 'a.sh', "
        + "resources = function(p) return {pjm = {p.T == 2 and '--bulk' or '-x A'}} end}:plan()",
      "point {L=1, T=2}: resources.pjm: #PJM --bulk cannot be"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = {1, 2}, L = 1}, script = 'a.sh', "
        + "resources = {pjm = {'--bulk'}}}:plan()", "resources.pjm: #PJM --bulk cannot be"
    ),
    (
      "hpc.sweep{name = 'a', space = hpc.grid{T = 1}, script = 'a.sh', "
        + "where = function(p) p.T = 2 end}", "a point cannot be changed: see 'T'"
    ),
    ("hpc.run{name = 'a', script = 'a.sh', space = 1}", "unknown option 'space'"),
    ("hpc.run{name = 'a', resources = function() end}", "option 'resources': table expected"),
    ("hpc.sweep{name = 'a', script = 'a.sh'}.run()", "bad argument #1 to 'run' (Sweep expected"),
  ])
  func saysWhatIsWrong(_ code: String, _ expected: String) async throws {
    let text = try await Self.run("return \(code)")
    #expect(text.contains(expected), "\(text)")
  }

  @Test func beforeTheFirstRunThereAreNoRows() async throws {
    let text = try await Self.run(
      """
      local s = hpc.sweep{name = "a", space = hpc.grid{T = 1, L = 2}, script = "a.sh"}
      return #s:results(), s:results(), s:status(), s:status().total, #hpc.sweep()
      """)
    #expect(text == "0 (none) a: nothing ran yet 0 0")
  }

  @Test func whilePlanningARunPrintsItsPlanAndAnswersAVerdict() async throws {
    let text = try await Self.run(
      """
      local printed = {}
      print = function(x) printed[#printed + 1] = tostring(x) end
      local s = hpc.sweep{name = "a", space = hpc.grid{T = 1, L = 2}, script = "a.sh"}
      local ok, err = s:run()
      return ok, err.code, err.exit_status, printed[1]:match("^[^\\n]*")
      """, mode: .plan)
    #expect(text == "nil Planned 0 plan of a")
  }

  @Test func aPlanThatCannotRunIsAnError() async throws {
    let text = try await Self.run(
      """
      print = function() end
      local ok, err = hpc.sweep{
        name = "a", space = hpc.grid{T = 1, L = 2, x = 3}, script = "a.sh"}:run()
      return ok, err.code, err.exit_status, err
      """, mode: .plan)
    #expect(text.hasPrefix("nil Definition 1 nothing uses the parameter x"), "\(text)")
  }

  @Test(arguments: [
    ("ising.csv", false, "/d/ising.csv"), ("ising.csv", true, "/d/ising.sim.csv"),
    ("/x.y/ising", true, "/x.y/ising.sim"), ("out/.csv", true, "/d/out/.csv.sim"),
  ])
  func simulatedFilesSaySo(_ path: String, _ isSimulated: Bool, _ expected: String) {
    #expect(SweepText.path(path, in: "/d", isSimulated: isSimulated) == expected)
  }
}
