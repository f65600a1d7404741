import LineEditor
import Testing

@testable import Console

struct CompleterTests {
  private static let world = FakeWorld(
    globals: .table([
      "print": .function(), "pairs": .function(), "_secret": .scalar, "not a name": .scalar,
      "string": .table(["rep": .function(), "reverse": .function()]),
      "list": .function("hpc.jobs.list"),
      "job": .table(["job_id": .scalar, "Fugaku:lst": .scalar], className: "Job"),
      "rows": .table([:], items: [.table(["alpha": .scalar, "beta": .function()])]),
      "hpc": .table(
        [
          "jobs": .table([
            "list": .function("hpc.jobs.list"), "get": .function("hpc.jobs.get"),
            "submit": .function("hpc.jobs.submit"), "cancel": .function("hpc.jobs.cancel"),
          ]),
          "files": .table(["sync": .function("hpc.files.sync")]),
          "space": .table([
            "random": .function("hpc.space.random"), "sobol": .function("hpc.space.sobol"),
            "lhs": .function("hpc.space.lhs"),
          ]),
          "version": .scalar,
        ], className: "hpc"),
    ]),
    seenJobs: [SeenJob(id: "6291500", name: "mesh"), SeenJob(id: "6291599", name: "relax")],
    folders: [
      "": [
        CompletionFile(name: "run.sh", isFolder: false),
        CompletionFile(name: "results", isFolder: true),
        CompletionFile(name: ".git", isFolder: true),
        CompletionFile(name: "a\"b", isFolder: false),
      ],
      "results/": [CompletionFile(name: "日本.dat", isFolder: false)],
    ])

  /// Candidates for the place marked by `|`.
  private func complete(_ text: String) -> (start: Int, texts: [String], suffixes: [String]) {
    let parts = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
    let before = Array(parts[0].utf8)
    let after = parts.count > 1 ? Array(parts[1].utf8) : []
    let completion = Completer(world: Self.world, commands: [".help", ".tasks", ".time", ".quit"])
      .complete(before + after, at: before.count)
    return (
      completion.start, completion.candidates.map(\.text), completion.candidates.map(\.suffix)
    )
  }

  @Test(arguments: [
    ("p|", ["pairs", "print"]), ("x = pri|", ["print"]), ("_s|", ["_secret"]), ("zz|", []),
    ("hpc.|", ["config", "files", "jobs", "space", "version"]), ("hpc.jobs.l|", ["list"]),
    ("hpc . jobs . l|", ["list"]),
    ("hpc.jo|", ["jobs"]), ("hpc:jo|", []), ("hpc.jobs:l|", ["list"]),
    ("string.re|", ["rep", "reverse"]), ("nothing.x|", []), ("rows[1].|", ["alpha", "beta"]),
    ("rows[1]:|", ["beta"]), ("rows[2].|", []), ("hpc[\"jobs\"].g|", ["get"]),
    ("whi|", ["while"]), ("local abc = 1\nab|", ["abc"]), ("local ab|", []),
    ("for index, value in pairs(x) do print(ind|", ["index"]),
    ("f(function(argument) return arg|", ["argument"]),
    ("-- hpc.|", []), ("[[ hpc.|", []), (".t|", [".tasks", ".time"]),
    (".|", [".help", ".quit", ".tasks", ".time"]),
  ])
  func `names and fields`(text: String, expected: [String]) {
    #expect(complete(text).texts == expected, "\(text)")
  }

  @Test(arguments: [
    ("job.job|", ["job_id"]), ("job.ela|", ["elapsed"]), ("job:|", ["cancel", "refresh", "wait"]),
    ("hpc.jobs.get(1).ela|", ["elapsed"]), ("hpc.jobs.get(1):ref|", ["refresh"]),
    ("hpc.jobs.list()[1].exit|", ["exit_code"]),
    ("hpc.jobs.list{state = 'RUN'}[1].exit|", ["exit_code"]),
    ("hpc.jobs.submit 'a.sh'.exit|", ["exit_code"]), ("hpc.jobs.submit('a.sh').nodes.|", []),
  ])
  func `members of objects, and of what calls would answer`(text: String, expected: [String]) {
    #expect(complete(text).texts == expected, "\(text)")
  }

  @Test(arguments: [
    ("hpc.jobs.list{|", ["name", "retry_deadline", "state", "timeout", "where"]),
    ("hpc.jobs.list{st|", ["state"]),
    ("hpc.jobs.list({ st|", ["state"]), ("list{st|", ["state"]),
    ("hpc.jobs.list{state = 'RUN', |", ["name", "retry_deadline", "timeout", "where"]),
    ("hpc.jobs.list{\n  state = {'RUN', 'QUE'},\n  n|", ["name"]),
    ("hpc.files.sync{path = 'x', d|", ["delete", "direction"]), ("unknown{st|", ["string"]),
  ])
  func `option keys of known functions`(text: String, expected: [String]) {
    #expect(complete(text).texts.starts(with: expected), "\(text)")
    if !expected.contains("string") { #expect(complete(text).suffixes.allSatisfy { $0 == " = " }) }
  }

  @Test(arguments: [
    ("hpc.run{resources = {|", ["elapse", "group", "mpi", "node", "pjm", "rscgrp"]),
    ("hpc.sweep{name = 'x', resources={n|", ["node"]), ("hpc.run{pack={|", []),
    ("hpc.sweep{pack={po|", ["points"]), ("hpc.run{budget = {|", ["node_hours"]),
    ("hpc.space.random(3, {x = {|", ["choices", "log", "max", "min"]),
    ("hpc.space.sobol(3, {x = {min = 1, ma|", ["max"]), ("hpc.space.lhs(3, {|", []),
  ])
  func `keys of tables within options`(text: String, expected: [String]) {
    let texts = complete(text).texts
    #expect(
      expected.isEmpty ? !texts.contains("min") && !texts.contains("node") : texts == expected)
  }

  @Test(arguments: [
    ("hpc[\"jo|", ["jobs"], 5), ("hpc['v|", ["version"], 5), ("job[\"Fugaku:|", ["Fugaku:lst"], 5),
    ("hpc.jobs[\"|", ["cancel", "get", "list", "submit"], 10), ("nothing['m|", [], 9),
    ("hpc.jobs.get(1)['exit|", ["exit_code"], 17), ("x = {['me|", ["mesh"], 7),
  ])
  func `keys in brackets`(text: String, expected: [String], start: Int) {
    let found = complete(text)
    #expect(found.texts == expected)
    #expect(found.start == start)
  }

  @Test func `settings complete`() {
    #expect(complete("hpc.config.endp|").texts == ["endpoint"])
    #expect(complete("hpc.config.s|").texts.contains("sources"))
  }

  @Test func `names that need escapes are left out`() {
    var world = Self.world
    world.seenJobs = ["a'b", "a\"b", "a\\b", "a\nb", "ab"].map { SeenJob(id: "1", name: $0) }
    let form = Array("hpc.jobs.list{name = 'a".utf8)
    let found = Completer(world: world, commands: []).complete(form, at: form.count)
    #expect(found.candidates.map(\.text) == ["ab"])
  }

  @Test(arguments: [
    ("hpc.files.sync{direction = \"to_|", ["to_online"], 28),
    ("hpc.files.sync{direction = \"|", ["from_online", "to_online"], 28),
    ("hpc.files.sync{direction = |", ["\"from_online\"", "\"to_online\""], 27),
    ("hpc.files.sync{delete = |", ["false", "true"], 24),
    ("hpc.jobs.list{state = 'runn|", ["running"], 23),
    ("hpc.jobs.list{state = {'runn|", ["running"], 24),
  ])
  func `enumerated values`(text: String, expected: [String], start: Int) {
    #expect(complete(text).texts == expected)
    #expect(complete(text).start == start)
  }

  @Test func `a string is closed by its own quote, unless it is closed already`() {
    #expect(complete("hpc.jobs.list{state = 'runn|").suffixes == ["'"])
    #expect(complete("hpc.jobs.list{state = \"runn|\"}").suffixes == [""])
  }

  @Test(arguments: [
    ("hpc.jobs.get(62915|", ["6291500", "6291599"]), ("hpc.jobs.get(629159|", ["6291599"]),
    ("x = 62915|", []), ("hpc.jobs.list{name = '|", ["mesh", "relax"]),
    ("hpc.jobs.list{name = 'm|", ["mesh"]), ("hpc.jobs.cancel{62915|", ["6291500", "6291599"]),
    ("x = '6291|", ["6291500", "6291599"]), ("x = 'r|", ["relax", "results/", "run.sh"]),
  ])
  func `jobs that were seen`(text: String, expected: [String]) {
    #expect(complete(text).texts == expected, "\(text)")
  }

  @Test(arguments: [
    ("hpc.jobs.submit('ru|", ["run.sh"], 17), ("dofile 'ru|", ["run.sh"], 8),
    ("io.open('|", ["mesh", "relax", "results/", "run.sh"], 9),
    ("io.open('results/|", ["日本.dat"], 17), ("io.open('.g|", [".git/"], 9),
    ("!cat ru|", ["run.sh"], 5), ("!|", ["results/", "run.sh"], 1),
  ])
  func `files in strings and shell commands`(text: String, expected: [String], start: Int) {
    let found = complete(text)
    #expect(
      found.texts.filter { !["mesh", "relax"].contains($0) }
        == expected.filter { !["mesh", "relax"].contains($0) })
    #expect(found.start == start)
  }

  @Test(arguments: [
    "", "|", "hpc.", "hpc..x|", "(((((|", "}}}|", "]|", "a[[|", "f{{{x=|", "'\\|", "x=\"\\\n|",
    "--[==[|",
    "0x|", "1..|", ":|", "=|", "goto |", "::a|", "\u{0}|", "f(,,,,|", "local function f(|",
    "a.b.c.d.e.f|",
  ])
  func `odd forms do no harm`(text: String) {
    let completion = complete(text)
    #expect(completion.start <= text.utf8.count)
  }

  @Test func `every cut of a form can be completed`() {
    let form = Array(
      "local j = hpc.jobs.list{state={'RUN'}, where=function(j) return j.name:match\"^m\" end} -- x\n"
        .utf8)
    for point in 0...form.count {
      let completion = Completer(world: Self.world, commands: []).complete(form, at: point)
      #expect(completion.start <= point)
    }
  }
}
