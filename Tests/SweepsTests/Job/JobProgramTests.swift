import Foundation
import Testing

@testable import Sweeps

/// How the generated script starts programs: inputs, interpreters, set-up, folders, outputs.
@Suite(.serialized) struct JobProgramTests {
  @Test(arguments: JobHome.shells)
  func inputsComeWithTheirExecutableBits(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    try home.write("in/d1/files/data/a b.txt", "one")
    try home.write("in/d1/files/tool", "#!/bin/sh\necho tool >out\n")
    try home.write("in/d1/executable", "tool\n")
    try home.write("../other/mesh.dat", "mesh")
    var attempt = try home.attempt("1.1", "cat 'data/a b.txt' sub/m.dat && ./tool")
    attempt.inputs = [
      .tree(digest: "d1"), .link(path: "hpc/other/mesh.dat", name: "sub/m.dat"),
    ]
    attempt.outputs = [.init("out"), .init("data")]
    #expect(try home.run(home.script([attempt])) == 0)
    #expect(home.text("log/tst0000001/1.1.out") == "onemesh")
    #expect(try home.exit().files.map(\.name) == ["out", "data/a b.txt"])
    #expect(home.text("out/files/1.1/data/a b.txt") == "one")
  }

  @Test(arguments: [JobScript.Input.tree(digest: "gone"), .link(path: "gone", name: "x")])
  func aMissingInputIsRecordedAndNothingRuns(input: JobScript.Input) throws {
    for shell in JobHome.shells {
      let home = try JobHome(shell: shell)
      var attempt = try home.attempt("1.1", "echo ran >>../../../../ran")
      attempt.inputs = [input]
      try home.run(home.script([attempt]))
      #expect(!home.hasRun)
      let record = try home.exit()
      #expect(record.failure == .inputs)
      #expect(record.code != 0)
      #expect(!record.detail.isEmpty)
    }
  }

  @Test(
    arguments: [
      ("echo $0 $BASH_VERSION", "", "/script 5"),
      ("#!/bin/sh\necho plain", "", "plain"),
      ("#!/usr/bin/env python3\nimport os; print(os.environ['T'])", "", "1.5"),
      ("echo \"$X $T\"; f", "X=from-setup; f() { echo function; }", "from-setup 1.5\nfunction"),
      ("#!/bin/sh\necho \"$X\"", "export X=exported", "exported"),
      ("exit 7", "false", ""),
    ])
  func programsRunByTheirOwnInterpreter(text: String, setup: String, output: String) throws {
    for shell in JobHome.shells {
      let home = try JobHome(shell: shell)
      var attempt = try home.attempt("1.1", text)
      attempt.environment = [("T", "1.5")]
      attempt.setup = setup
      #expect(try home.run(home.script([attempt])) == (text == "exit 7" ? 7 : 0))
      let found = home.text("log/tst0000001/1.1.out") ?? ""
      #expect(output.isEmpty ? found.isEmpty : found.contains(output), "\(shell): \(found)")
    }
  }

  /// /etc/profile uses `i` itself, and unsets it.
  @Test(
    arguments: ["", "#!/bin/sh\n", "#!/usr/bin/env bash\n"], ["", "export X=$i"])
  func variablesOutliveTheProfile(interpreter: String, setup: String) throws {
    for shell in JobHome.shells {
      let home = try JobHome(shell: shell)
      var attempt = try home.attempt("1.1", "\(interpreter)echo $i $PATH_OF_I ${X-}")
      attempt.environment = [("i", "7"), ("PATH_OF_I", "a b")]
      attempt.setup = setup
      #expect(try home.run(home.script([attempt])) == 0)
      let found = home.text("log/tst0000001/1.1.out") ?? ""
      #expect(found.hasPrefix(setup.isEmpty ? "7 a b" : "7 a b 7"), "\(shell): \(found)")
    }
  }

  @Test(arguments: [true, false])
  func aRemoteScriptRunsWhereItIs(isExecutable: Bool) throws {
    for shell in JobHome.shells {
      let home = try JobHome(shell: shell)
      let file = home.home.appending(path: "my jobs/run me.sh")
      try home.write("../../my jobs/run me.sh", "#!/bin/sh\necho \"$0\" >where; pwd\n")
      if isExecutable {
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
      }
      var attempt = try home.attempt("1.1", "")
      attempt.program = .remote("my jobs/run me.sh")
      attempt.outputs = [.init("where")]
      #expect(try home.run(home.script([attempt])) == 0)
      #expect(home.text("out/files/1.1/where")?.hasSuffix("my jobs/run me.sh\n") == true)
    }
  }

  @Test(arguments: JobHome.shells)
  func foldersAreAbsoluteAndEarlierOnesGoWithSuccess(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let previous = AttemptName(AttemptID(point: 1, number: 1))
    var first = try home.attempt("1.1", "echo state >restart; exit 1")
    first.outputs = [.init("restart")]
    try home.run(home.script([first]), job: 1)
    #expect(home.text("work/1.1/restart") == "state\n", "a failure keeps its folder")
    #expect(home.names("out/files").isEmpty, "a failure publishes nothing")
    var second = try home.attempt(
      "1.2", "cd /; cat '\(JobScript.folder(of: previous))/restart' >\"$dir/copy\"",
      outputs: [.init("copy")])
    second.environment = [("dir", JobScript.folder(of: second.id))]
    second.earlier = [previous]
    try home.run(home.script([second], name: "tst0000002"), job: 2)
    #expect(home.text("out/files/1.2/copy") == "state\n")
    #expect(home.names("work").isEmpty)
  }

  @Test(arguments: [JobScript.Keep.all, .none, .failed])
  func workFoldersStayAsAsked(keep: JobScript.Keep) throws {
    let home = try JobHome(shell: ["dash"])
    var script = home.script([try home.attempt("1.1", "true"), try home.attempt("2.1", "false")])
    script.keep = keep
    try home.run(script)
    let expected: [JobScript.Keep: [String]] = [
      .all: ["1.1", "2.1"], .none: [], .failed: ["2.1"],
    ]
    #expect(home.names("work") == expected[keep])
  }

  @Test(arguments: JobHome.shells)
  func aFolderInHomeToRunIn(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    try home.write("../../project/code.sh", "echo from project >r\n")
    var attempt = try home.attempt("1.1", "sh code.sh", outputs: [.init("r")])
    attempt.workFolder = "project"
    #expect(try home.run(home.script([attempt])) == 0)
    #expect(home.text("out/files/1.1/r") == "from project\n")
    #expect(home.text("../../project/code.sh") != nil)
  }

  @Test(arguments: JobHome.shells)
  func missingOutputsAreNamed(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let attempt = try home.attempt(
      "1.1", "echo x >there; ln -s there link; echo - >-rf",
      outputs: [
        .init("there"), .init("not-there"), .init("log-*.txt"), .init("link"), .init("-*"),
        .init("opt", isRequired: false),
      ])
    try home.run(home.script([attempt]))
    let record = try home.exit()
    #expect(record.code == 0)
    #expect(record.missing == ["not-there", "log-*.txt"])
    #expect(home.text("work/1.1/there") == "x\n")
    #expect(record.files.map(\.name) == ["there", "link", "-rf"])
    #expect(home.text("out/files/1.1/link") == "x\n")
  }

  @Test(arguments: JobHome.shells)
  func anOutputThatCannotBeTakenLeavesARecord(shell: [String]) throws {
    for (text, name) in [
      ("echo x >a; printf x >'b\nc'", "b c"), ("echo x >a; mkdir d; echo x >d/e", "d/e"),
    ] {
      let home = try JobHome(shell: shell)
      // A disk that takes no second file.
      for tool in ["ln", "cp"] {
        try home.tool(tool, "case $* in */d/e*) exit 1 ;; esac\nexec /bin/\(tool) \"$@\"")
      }
      let attempt = try home.attempt("1.1", text, outputs: [.init("a"), .init("*c"), .init("d*")])
      try home.run(home.script([attempt]), path: home.tools)
      let record = try home.exit()
      #expect(record.code == 0)
      #expect(record.failure == .outputs)
      #expect(record.detail == name)
      #expect(record.files.isEmpty)
      #expect(home.names("out/files").isEmpty)
      // What the program computed is still there to be fetched by hand.
      #expect(home.text("work/1.1/a") == "x\n")
    }
  }

  /// A disk that is full for a moment, or a node whose /tmp takes no here-document.
  @Test(arguments: JobHome.shells, ["script", "variables", "setup"])
  func aProgramThatCannotBeWrittenWholeDoesNotRun(shell: [String], what: String) throws {
    let home = try JobHome(shell: shell)
    try home.tool(
      "cat",
      """
      case $(readlink /proc/$$/fd/1) in */\(what)) head -c 40; exit 1 ;; esac
      exec /bin/cat "$@"
      """)
    var attempt = try home.attempt("1.1", "echo ran >>\"$HOME/ran\"\n: a long line\nexit 5\n")
    attempt.setup = "true"
    attempt.environment = [("x", "1")]
    try home.run(home.script([attempt]), path: home.tools)
    let record = try home.exit()
    #expect(record.failure == .start)
    #expect(record.code != 0)
    #expect(!home.hasRun)
    #expect(home.text("../../job-77.err")?.contains("1.1 cannot start: ") == true)
  }

  /// What is cut short by the end of the job's time is the end's doing, not the outputs'.
  @Test(arguments: JobHome.shells)
  func aSignalWhileOutputsArePutAsideIsTheCause(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    try home.tool(
      "sha256sum",
      """
      set -- "$HOME"/\(JobHome.root)/out/claim/*
      job=${1%.*}
      kill -TERM "${job##*.}"
      exit 1
      """)
    let attempt = try home.attempt("1.1", "echo x >a", outputs: [.init("a")])
    #expect(try home.run(home.script([attempt]), path: home.tools) == 128 + 15)
    let record = try home.exit()
    #expect(record.signal == 15)
    #expect(record.failure == nil)
  }

  @Test(arguments: JobHome.shells)
  func aPointThatLacksAnOutputKeepsItsFolders(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    try home.write("work/1.1/restart", "state")
    var attempt = try home.attempt("1.2", "true", outputs: [.init("a")])
    attempt.earlier = [try #require(AttemptName("1.1"))]
    try home.run(home.script([attempt]))
    #expect(try home.exit("1.2").missing == ["a"])
    #expect(home.names("work") == ["1.1", "1.2"])
  }

  /// Points that follow each other in a folder of their own do not change what was put aside.
  @Test(arguments: JobHome.shells)
  func outputsOfASharedFolderAreCopies(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let attempts = try ["1.1", "2.1"].map { name in
      var attempt = try home.attempt(name, "echo \(name) >>o", outputs: [.init("o")])
      attempt.workFolder = "shared"
      return attempt
    }
    try home.run(home.script(attempts))
    #expect(home.text("out/files/1.1/o") == "1.1\n")
    #expect(home.text("out/files/2.1/o") == "1.1\n2.1\n")
  }

  @Test(arguments: JobHome.shells)
  func aRemoteScriptThatIsNotThereIsAMissingInput(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    var attempt = try home.attempt("1.1", "")
    attempt.program = .remote("runs/none.sh")
    try home.run(home.script([attempt]))
    let record = try home.exit()
    #expect(record.failure == .inputs)
    #expect(record.detail == "runs/none.sh is not there")
  }

  @Test func aWholeRecordWithABadLineIsAVerdict() {
    let text = "attempt=1.1\ncode=0\nstart=1\nend=2\nfile=1 x a\nb\ncomplete=yes\n"
    #expect(ExitRecord(text)?.failure == .outputs)
    #expect(ExitRecord(text.replacing("complete=yes\n", with: "")) == nil)
  }

  @Test(arguments: JobHome.shells)
  func aScriptMayHoldAnything(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let text = """
      cat <<'hpc_end'
      $HOME `x` \\ 'q' "d"
      hpc_end
      printf '%s' '\(JobScript.rootToken)'
      """
    try home.run(home.script([try home.attempt("1.1", text)]))
    #expect(
      home.text("log/tst0000001/1.1.out") == "$HOME `x` \\ 'q' \"d\"\n\(home.root.path)")
  }

  @Test(arguments: JobHome.shells)
  func leftoversOfAProgramDoNotOutliveIt(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let attempt = try home.attempt(
      "1.1", "(while :; do echo more >>r; sleep 0.01; done) & echo $! >../../../../pid; echo x >r",
      outputs: [.init("r")])
    try home.run(home.script([attempt]))
    let file = try #require(try home.exit().files.first)
    #expect(Int(file.size) == home.text("out/files/1.1/r")?.utf8.count)
  }

  @Test func theHeadCarriesTheOptions() throws {
    let home = try JobHome(shell: ["dash"])
    var script = home.script([try home.attempt("1.1", "true")])
    var directives = try PJMDirectives(script: "#!/bin/sh\n#PJM -g grp\n#PJM -N mine\ntrue\n")
    try directives.merge(Resources(node: "4", elapse: 600))
    script.directives = directives
    let head = script.text.split(separator: "\n").prefix { $0.hasPrefix("#") }
    #expect(
      head.map(String.init) == [
        "#!/bin/sh", "#PJM -L \"node=4\"", "#PJM -L \"elapse=00:10:00\"", "#PJM -g grp",
        "#PJM -N tst0000001", "#PJM --norestart", "#PJM -s",
        "#PJM -o \"hpc/test-0a1b/log/tst0000001.out\"",
        "#PJM -e \"hpc/test-0a1b/log/tst0000001.err\"",
        "#PJM --spath \"hpc/test-0a1b/log/tst0000001.stats\"",
        "# Generated by hpc: runs each attempt below at most once. The rules are in docs/sweeps.md.",
      ])
  }
}
