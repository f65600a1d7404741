import Foundation
import Testing

@testable import Sweeps

/// The generated script, run for real by the shells that machines have.
@Suite(.serialized) struct JobScriptTests {
  @Test(arguments: JobHome.shells)
  func runsAProgramAndLeavesItsRecords(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    var attempt = try home.attempt(
      "1.1", "echo \"T is $T\"; echo bad >&2; echo 42 >energy.json; : >'a b.txt'",
      outputs: [
        .init("energy.json"), .init("*.txt"), .init("none-*", isRequired: false),
      ])
    attempt.environment = [("T", "it's \"$1\" `2`\nnext")]
    #expect(try home.run(home.script([attempt])) == 0)
    let record = try home.exit()
    #expect(record.code == 0)
    #expect(record.signal == nil)
    #expect(record.missing.isEmpty)
    #expect(record.files.map(\.name) == ["energy.json", "a b.txt"])
    #expect(record.files.map(\.size) == [3, 0])
    #expect(
      record.files[0].sha256
        == "084c799cd551dd1d8d5c5f9a5d593b2e931f5e36122ee5c793c1d08a19839cc0")
    #expect(record.end >= record.start)
    #expect(home.text("out/files/1.1/energy.json") == "42\n")
    #expect(home.text("log/tst0000001/1.1.out") == "T is it's \"$1\" `2`\nnext\n")
    #expect(home.text("log/tst0000001/1.1.err")?.contains("bad\n") == true)
    #expect(home.names("lock") == ["1.1"])
    #expect(home.names("work").isEmpty, "a success leaves no folder")
    let claims = home.names("out/claim")
    let name = try #require(RecordName(claims.first ?? ""))
    #expect(claims.count == 1)
    #expect(name.attempt == AttemptName(AttemptID(point: 1, number: 1)))
    #expect(name.execution.job == 77)
    let claim = try #require(ClaimRecord(home.text("out/claim/\(name)") ?? ""))
    #expect(claim.limit == 60)
    #expect(claim.job == 77)
    #expect(home.names("out/exit") == claims)
  }

  @Test(arguments: JobHome.shells)
  func aSecondExecutionRunsNothing(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let script = home.script([try home.attempt("1.1", "echo ran >>../../../../ran; exit 3")])
    #expect(try home.run(script, job: 1) == 3)
    #expect(try home.run(script, job: 2) == 0)
    #expect(try String(contentsOf: home.home.appending(path: "ran"), encoding: .utf8) == "ran\n")
    #expect(try home.exit().code == 3)
    #expect(home.names("out/claim").count == 2)
    let refused = home.names("out/refused").compactMap { RecordName($0) }
    #expect(refused.map(\.execution.job) == [2])
  }

  @Test(arguments: JobHome.shells)
  func ofManyAtOnceOneRuns(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let script = home.script([try home.attempt("1.1", "echo ran >>../../../../ran")])
    let jobs = try (1...8).map { try home.start(script, job: $0) }
    for job in jobs { job.waitUntilExit() }
    #expect(try String(contentsOf: home.home.appending(path: "ran"), encoding: .utf8) == "ran\n")
    #expect(home.names("out/claim").count == 8)
    #expect(home.names("out/refused").count == 7)
    #expect(home.names("out/exit").count == 1)
  }

  @Test(arguments: JobHome.shells)
  func aSealKeepsALateJobOut(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let lock = home.root.appending(path: "lock/1.1")
    try FileManager.default.createDirectory(at: lock, withIntermediateDirectories: true)
    try Data().write(to: lock.appending(path: "sealed"))
    try home.run(home.script([try home.attempt("1.1", "echo ran >>../../../../ran")]))
    #expect(home.names("out/refused").count == 1)
    #expect(home.names("out/exit").isEmpty)
    #expect(!home.hasRun)
  }

  @Test(arguments: ["in", "lock", "out/claim", "out", "log", ""])
  func inAWipedHomeNothingRuns(folder: String) throws {
    for shell in JobHome.shells {
      let home = try JobHome(shell: shell)
      let script = home.script([try home.attempt("1.1", "echo ran >>../../../../ran")])
      try FileManager.default.removeItem(at: home.root.appending(path: folder))
      let status = try home.run(script)
      // Without `in` this job still has what it needs; without the others it must not run.
      #expect(home.hasRun == (folder == "in"))
      #expect(status == (folder == "in" || folder == "lock" ? 0 : 97))
      #expect(home.names("lock").count == (folder == "in" ? 1 : 0))
    }
  }

  @Test(arguments: JobHome.shells)
  func aHomeWipedBetweenClaimAndLockRunsNothing(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let script = home.script([try home.attempt("1.1", "echo ran >>../../../../ran")])
    // `mkdir` of the lock takes the claim away first, as a wipe in that moment would.
    let folder = home.home.appending(path: "bin")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let mkdir = folder.appending(path: "mkdir")
    let text = """
      #!/bin/sh
      case $1 in */lock/1.1) rm -f "$HOME/\(JobHome.root)"/out/claim/* ;; esac
      exec /bin/mkdir "$@"
      """
    try text.write(to: mkdir, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mkdir.path)
    #expect(try home.run(script, path: "\(folder.path):") == 97)
    #expect(home.names("lock") == ["1.1"])
    #expect(!home.hasRun)
    #expect(home.names("out/exit").isEmpty)
  }

  @Test(arguments: JobHome.shells)
  func aSignalEndsTheWholeProgramAndIsRecorded(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    let first = try home.attempt(
      "1.1", "sh -c 'trap \"\" HUP; echo $$ >../../../../pid; exec sleep 1000' & wait")
    let second = try home.attempt("2.1", "echo ran >>../../../../ran")
    let process = try home.start(home.script([first, second]))
    let pidFile = home.home.appending(path: "pid")
    try home.until { ((try? Data(contentsOf: pidFile)) ?? Data()).contains(0x0a) }
    let pid = try #require(
      Int32(String(contentsOf: pidFile, encoding: .utf8).trimmingCharacters(in: .newlines)))
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(try home.exit().signal == 15)
    try home.until { kill(pid, 0) != 0 }
    #expect(home.names("lock") == ["1.1"], "no further attempt starts")
    #expect(!home.hasRun)
  }

  @Test func aProgramThatIgnoresTheSignalIsKilled() throws {
    let home = try JobHome(shell: ["dash"])
    let attempt = try home.attempt(
      "1.1", "trap '' TERM; : >../../../../up; while :; do sleep 1; done")
    let process = try home.start(home.script([attempt]))
    let up = home.home.appending(path: "up").path
    try home.until { FileManager.default.fileExists(atPath: up) }
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    let record = try home.exit()
    #expect(record.signal == 15)
    #expect(record.code == 137)
  }

  @Test(arguments: JobHome.shells, [1, 3])
  func packedAttemptsEachHaveTheirOwnRecords(shell: [String], atOnce: Int) throws {
    let home = try JobHome(shell: shell)
    var script = home.script(
      try (1...7).map { i in
        try home.attempt(
          "\(i).1", "echo \(i) >>../../../../ran; echo \(i) >r; [ \(i) != 4 ] || exit 9",
          outputs: [.init("r")])
      })
    script.atOnce = atOnce
    try FileManager.default.createDirectory(
      at: home.root.appending(path: "lock/6.1"), withIntermediateDirectories: true)
    #expect(try home.run(script) == 9)
    #expect(home.names("out/exit").count == 6)
    #expect(try home.exit("4.1").code == 9)
    #expect(home.names("out/refused").compactMap { RecordName($0)?.attempt.id.point } == [6])
    for i in [1, 2, 3, 5, 7] {
      #expect(try home.exit("\(i).1").code == 0)
      #expect(home.text("out/files/\(i).1/r") == "\(i)\n")
    }
    let ran = try String(contentsOf: home.home.appending(path: "ran"), encoding: .utf8)
    #expect(ran.split(separator: "\n").sorted() == ["1", "2", "3", "4", "5", "7"])
    #expect(home.names("work") == ["4.1"], "a failure keeps its folder")
  }

  @Test(arguments: JobHome.shells)
  func aSignalReachesAllThatRunAtOnce(shell: [String]) throws {
    let home = try JobHome(shell: shell)
    var script = home.script(
      try (1...4).map { try home.attempt("\($0).1", ": >../../../../up\($0); sleep 1000") })
    script.atOnce = 2
    let process = try home.start(script)
    try home.until {
      (1...2).allSatisfy {
        FileManager.default.fileExists(atPath: home.home.appending(path: "up\($0)").path)
      }
    }
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(try home.exit("1.1").signal == 15)
    #expect(try home.exit("2.1").signal == 15)
    #expect(home.names("lock") == ["1.1", "2.1"])
  }
}
