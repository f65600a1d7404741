import Testing

@testable import Sweeps

@Suite struct DirectiveTests {
  @Test(
    arguments: [
      ("90", 90), ("2h", 7200), ("30m", 1800), ("1h30m", 5400), ("1d", 86400), ("02:00:00", 7200),
      ("10:00", 600), ("90s", 90), ("0", nil), ("", nil), ("h", nil), ("1m1h", nil), ("1x", nil),
      ("1h30", nil), ("-5", nil), ("1:2:3:4", nil), ("unlimited", nil), ("99999d", nil),
    ] as [(String, Int?)])
  func elapseLimits(text: String, seconds: Int?) {
    #expect(Elapse.seconds(text) == seconds)
  }

  @Test func elapseIsWrittenAsPJMWantsIt() {
    #expect(Elapse.text(7265) == "02:01:05")
    #expect(Elapse.text(360_000) == "100:00:00")
  }

  @Test func resourcesWinKeyByKey() throws {
    var directives = try PJMDirectives(
      script: """
        #!/bin/bash
        # a comment
        #PJM -L "node=2,elapse=00:30:00" -L rscgrp=small
        #PJM -g g1 --mpi "proc=4,max-proc-per-node=2"   # why
        #PJM -x A=1 --llio localtmp-size=10Gi
        echo $A
        """)
    try directives.merge(
      Resources(node: "4x3", elapse: 60, mpi: "proc=48", pjm: ["#PJM --mail-list a@b", "-p 3"]))
    #expect(
      directives.lines == [
        "-L \"node=4x3\"", "-L \"elapse=00:01:00\"", "-L \"rscgrp=small\"", "-g g1",
        "--mpi \"proc=48,max-proc-per-node=2\"", "-x A=1", "--llio localtmp-size=10Gi",
        "--mail-list a@b", "-p 3",
      ])
    #expect(directives.nodes == 12)
    #expect(directives.elapse == 60)
    #expect(directives.rscgrp == "small")
    #expect(directives.notices.isEmpty)
  }

  @Test func whatTheSweepSetsItselfIsReplacedWithANotice() throws {
    let directives = try PJMDirectives(
      script: "#PJM -N x -o out -e err\n#PJM -j -s --spath=s --restart -L elapse=60\n")
    #expect(directives.lines == ["-L \"elapse=60\""])
    #expect(
      directives.notices.map(\.description) == [
        "line 1: #PJM -N is replaced", "line 1: #PJM -o is replaced",
        "line 1: #PJM -e is replaced", "line 2: #PJM -j is replaced",
        "line 2: #PJM -s is replaced", "line 2: #PJM --spath is replaced",
        "line 2: #PJM --restart is replaced",
      ])
  }

  @Test(
    arguments: [
      "#PJM --bulk --sparam 0-3", "#PJM --step", "#PJM --sparam=1", "#PJM -L elapse=unlimited",
      "#PJM -L \"elapse=10:00-20:00\"", "#PJM --interact", "#PJM -L", "#PJM \"open", "#PJM word",
      "#PJM -L node=many", "#PJM -L node=4,elapse",
    ])
  func whatBreaksThePromiseIsRefused(line: String) {
    let error = #expect(throws: ResourceError.self) {
      var directives = try PJMDirectives(script: "#!/bin/sh\n\(line)\n")
      try directives.merge(Resources())
    }
    #expect(error?.description.hasPrefix("line 2: ") == true)
  }

  @Test(arguments: ["elapse=unlimited", "elapse=10:00-20:00", "node=many"])
  func limitsThatNobodyCanCountWithGiveWayToResources(limit: String) throws {
    var directives = try PJMDirectives(script: "#PJM -L \"\(limit)\"\n")
    try directives.merge(Resources(node: "2", elapse: 60))
    #expect(directives.nodes == 2 && directives.elapse == 60)
    var other = try PJMDirectives(script: "#PJM -L \"\(limit)\"\n")
    #expect(throws: ResourceError.self) { try other.merge(Resources(pjm: ["-L \(limit)"])) }
  }

  @Test(
    arguments: [
      Resources(node: "0"), Resources(node: "4; rm"), Resources(node: ""), Resources(elapse: 0),
      Resources(rscgrp: "a b"), Resources(group: "g\n#PJM --bulk"), Resources(mpi: "proc=4\" x"),
      Resources(pjm: ["-g a\n--bulk"]), Resources(pjm: ["--bulk"]), Resources(pjm: [""]),
    ])
  func badResourcesAreRefused(resources: Resources) {
    var directives = PJMDirectives()
    #expect(throws: ResourceError.self) { try directives.merge(resources) }
  }

  @Test func onlyTheHeadCounts() throws {
    let script = "#!/bin/sh\n\n #PJM -g a\n# PJM -g b\n#PJMX\n#PJM -g c\necho\n#PJM -g d\n"
    let directives = try PJMDirectives(script: script)
    #expect(directives.lines == ["-g c"])
    let notes = ScriptLint.notes(script: script, directives: directives)
    let misplaced = notes.filter { $0.line > 0 }
    #expect(misplaced.map(\.line) == [3, 4, 8])
    #expect(misplaced.allSatisfy { $0.severity == .warning })
    #expect(misplaced[2].description(in: "a.sh").hasPrefix("a.sh:8: #PJM after the first command"))
    #expect(
      ScriptHeader.text(of: script) == "#!/bin/sh\n\n #PJM -g a\n# PJM -g b\n#PJMX\n#PJM -g c")
    #expect(ScriptHeader.text(of: "echo\n#PJM -g d").isEmpty)
  }

  @Test(
    arguments: [
      ("", "empty"), (" \n", "empty"), ("echo\r\necho\r\n", "CR LF"), ("a\u{0}b", "NUL"),
      ("#PJM -L node=385,rscgrp=small\nx", "1 to 384"),
      ("#PJM -L rscgrp=small,elapse=73:00:00\nx", "at most 72 h"),
    ])
  func lintFindsErrors(script: String, message: String) throws {
    let notes = ScriptLint.notes(script: script, directives: try PJMDirectives(script: script))
    let errors = notes.filter { $0.severity == .error }
    #expect(errors.count == 1)
    #expect(errors.first?.message.contains(message) == true)
  }

  @Test func aSoundScriptHasNoRemarks() throws {
    let script = "#!/bin/sh\n#PJM -L \"node=384,rscgrp=small,elapse=72:00:00\"\necho\n"
    #expect(
      ScriptLint.notes(script: script, directives: try PJMDirectives(script: script)).isEmpty)
    let late = ScriptLint.notes(script: "\n#!/bin/sh\necho\n", directives: PJMDirectives())
    #expect(late.map(\.line) == [2, 0])
  }
}
