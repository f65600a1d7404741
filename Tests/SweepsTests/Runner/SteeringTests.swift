import Foundation
import Simulator
import Synchronization
import TestSupport
import Testing

@testable import Sweeps

/// Runs that are stopped, steered, resumed and edited.
@Suite struct SteeringTests {
  private static let script = "#!/bin/sh\necho {{x}} >out.txt\n"

  @Test func aFinishedSweepAsksForNothing() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(3, script: Self.script)
    definition.outputs = [SweepOutput("out.txt")]
    #expect(try await world.session(definition).run().error == nil)
    let before = try await world.requests()
    let report = try await world.session(definition).run()
    #expect(report.error == nil)
    #expect(report.newDone.isEmpty)
    #expect(try await world.requests() == before)
  }

  @Test func packedPointsShareAJob() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(7, script: Self.script)
    definition.outputs = [SweepOutput("out.txt")]
    definition.pack = .init(points: 3, atOnce: 2)
    let report = try await world.session(definition).run()
    #expect(report.newDone == [1, 2, 3, 4, 5, 6, 7], "\(report)")
    #expect(try await world.requests()["POST /jobs"] == 3)
    #expect(Set(try world.rows(definition).map(\.jobID)).count == 3)
  }

  @Test func cancelledPointsEndAndTheOthersGoOn() async throws {
    let world = try SweepWorld()
    let definition = try world.definition(
      4, script: "#!/bin/sh\n[ {{x}} -gt 2 ] || sleep 600\n")
    let session = world.session(definition)
    await session.start()
    try await world.until {
      (try? await session.rows(states: [.running]))?.map(\.point) == [1, 2]
    }
    #expect(try await session.cancel(PointSelection(points: [1, 2])) == 2)
    let report = try #require(try await session.wait())
    let rows = try world.rows(definition)
    #expect(rows.map(\.state) == [.cancelled, .cancelled, .done, .done])
    #expect(report.error?.counts == [.cancelled: 2, .done: 2])
    // And once more by a retry, which is cancelled while nothing runs.
    #expect(try await session.retry(PointSelection(points: [1])) == [1])
    #expect(try await session.cancel() == 1)
    #expect(try world.rows(definition).first?.state == .cancelled)
    #expect(try await world.requests()["POST /jobs"] == 4)
  }

  @Test func aRunThatDetachesGoesOnLater() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      3, script: "#!/bin/sh\nuntil [ -e \"$HOME/go\" ]; do sleep 0.05; done\necho {{x}} >out.txt\n")
    definition.outputs = [SweepOutput("out.txt")]
    let session = world.session(definition)
    await session.start()
    try await world.until { (try? await session.rows(states: [.running]))?.count == 3 }
    await session.detach()
    #expect(SweepJournal.owner(of: session.journalPath) == nil)
    #expect(try world.rows(definition).allSatisfy { $0.state == .submitted })
    try Data().write(to: URL(filePath: world.simulator.home + "/go"))
    let report = try await world.session(definition).run()
    #expect(report.newDone == [1, 2, 3], "\(report)")
    #expect(try await world.requests()["POST /jobs"] == 3)
  }

  /// As `s:run()` does right after one that was cancelled.
  @Test func aRunThatIsAskedForWhileAnotherDetachesIsOneOfItsOwn() async throws {
    let world = try SweepWorld()
    let definition = try world.definition(
      2,
      script: """
        #!/bin/sh
        # {{x}}
        until [ -e "$HOME/go" ]; do sleep 0.05; done
        """)
    let session = world.session(definition)
    await session.start()
    try await world.until { (try? await session.rows(states: [.running]))?.count == 2 }
    let detaching = Task { await session.detach() }
    try await world.until { await session.isDetaching }
    try Data().write(to: URL(filePath: world.simulator.home + "/go"))
    #expect(try await session.run().newDone == [1, 2])
    await detaching.value
  }

  @Test func stepsComeToTheEnd() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      5,
      script: """
        #!/bin/sh
        until [ -e "$HOME/go" ]; do sleep 0.05; done
        echo {{x}} >out.txt
        """)
    definition.outputs = [SweepOutput("out.txt")]
    definition.maxQueued = 2
    var done: [Int] = []
    var steps = 0
    while done.count < 5 {
      let report = try await world.session(definition).run(.step)
      #expect(report.error == nil)
      #expect(report.pending == 5 - done.count - report.newDone.count)
      done += report.newDone
      steps += 1
      // A step waits for no job: the first ends while all of them wait.
      try Data().write(to: URL(filePath: world.simulator.home + "/go"))
      try #require(steps < 200)
    }
    #expect(done.sorted() == [1, 2, 3, 4, 5])
    #expect(steps > 1)
    #expect(try await world.requests()["POST /jobs"] == 5)
  }

  @Test func outputsOfOneSweepAreInputsOfTheNext() async throws {
    let world = try SweepWorld()
    var mesh = try world.definition(1, script: "#!/bin/sh\necho {{x}}0 >mesh.dat\n", name: "mesh")
    mesh.outputs = [SweepOutput("mesh.dat")]
    #expect(try await world.session(mesh).run().error == nil)
    let input = try #require(try world.rows(mesh).first?.output("mesh.dat"))
    var relax = try world.definition(
      2, script: "#!/bin/sh\necho \"{{x}} $(cat mesh.dat)\" >out.txt\n", name: "relax")
    relax.inputs = .fixed([.linked(input)])
    relax.outputs = [SweepOutput("out.txt")]
    #expect(try await world.session(relax).run().error == nil)
    #expect(try world.read("relax.out/x=2/out.txt") == "2 10\n")
  }

  @Test func anEditedScriptWantsAnAnswer() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(2, script: Self.script)
    definition.outputs = [SweepOutput("out.txt")]
    #expect(try await world.session(definition).run().error == nil)
    definition.script = SweepScript(
      .text("#!/bin/sh\necho {{x}}{{x}} >out.txt\n"), source: "test.sh")
    let error = await #expect(throws: SweepError.self) {
      try await world.session(definition).run()
    }
    #expect(error?.code == .answerNeeded)
    #expect(error?.message == "test.sh changed since 2 of 2 points ran (line 2)")
    definition.onEdit = .keep
    #expect(try await world.session(definition).run().newDone == [])
    #expect(try world.read("test.out/x=2/out.txt") == "2\n")
    // That is remembered, and taken back by who says so.
    definition.onEdit = .ask
    #expect(try await world.session(definition).run().newDone == [])
    definition.onEdit = .rerun
    #expect(try await world.session(definition).run().newDone == [1, 2])
    #expect(try world.read("test.out/x=2/out.txt") == "22\n")
    definition.onEdit = .ask
    #expect(try await world.session(definition).run().newDone == [])
    #expect(try world.rows(definition).map(\.attempts) == [2, 2])
  }

  @Test func whoeverIsAskedDecidesAboutEdits() async throws {
    let world = try SweepWorld()
    try world.write("a.dat", "1")
    try world.write("b.dat", "1")
    var definition = try world.definition(2, script: Self.script)
    definition.inputs = .fixed([
      .local(path: world.folder.path + "/a.dat", name: "a.dat"),
      .local(path: world.folder.path + "/b.dat", name: "b.dat"),
    ])
    definition.version = "1"
    #expect(try await world.session(definition).run().newDone == [1, 2])
    let questions = Mutex<[String]>([])
    func asking(_ answer: SweepDefinition.EditRule?) -> EditQuestion {
      { question in
        questions.withLock { $0.append(question) }
        return answer
      }
    }
    try world.write("b.dat", "2")
    let error = await #expect(throws: SweepError.self) {
      try await world.session(definition).run(asking: asking(nil))
    }
    #expect(error?.code == .answerNeeded)
    #expect(error?.description.contains("on_edit = \"keep\"") == true)
    #expect(try await world.session(definition).run(asking: asking(.keep)).newDone == [])
    #expect(try await world.session(definition).run(asking: asking(.rerun)).newDone == [])
    definition.version = "2"
    definition.script = SweepScript(.text(Self.script + "true\n"), source: "test.sh")
    // What only steers asks nothing and changes nothing.
    #expect(try await world.session(definition).cancel() == 0)
    #expect(try await world.session(definition).run(asking: asking(.rerun)).newDone == [1, 2])
    definition.version = "3"
    #expect(try await world.session(definition).run(asking: asking(.keep)).newDone == [])
    #expect(
      questions.withLock { $0 } == [
        "the input b.dat changed since 2 of 2 points ran",
        "the input b.dat changed since 2 of 2 points ran",
        "test.sh and the version (\"1\" before, \"2\" now) changed since 2 of 2 points ran "
          + "(test.sh: line 3)",
        "the version (\"2\" before, \"3\" now) changed since 2 of 2 points ran",
      ])
  }

  @Test func aQuestionEndsWithTheRunThatAsked() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(1, script: Self.script)
    #expect(try await world.session(definition).run().error == nil)
    definition.script = SweepScript(.text(Self.script + "true\n"), source: "test.sh")
    let session = world.session(definition)
    let isAsked = Mutex(false)
    let run = Task {
      try await session.run(asking: { _ in
        isAsked.withLock { $0 = true }
        // Somebody who never answers.
        try? await Task.sleep(for: .seconds(600))
        return .rerun
      })
    }
    try await world.until { isAsked.withLock { $0 } }
    await session.detach()
    await #expect(throws: SweepError.self) { try await run.value }
    #expect(try world.rows(definition).map(\.attempts) == [1])
  }

  @Test func aResultFunctionThatRaisesLeavesWhatItGaveBefore() async throws {
    let world = try SweepWorld()
    struct Mishap: Error, CustomStringConvertible { var description: String { "a mishap" } }
    var definition = try world.definition(3, script: Self.script)
    definition.result = { point, _ in
      if point.number == 3 { throw Mishap() }
      return "\(point.number)"
    }
    #expect(try await world.session(definition).run().resultErrors == 1)
    definition.result = { point, _ in
      if point.number == 1 { throw CancellationError() }
      return "\(point.number)0"
    }
    await #expect(throws: SweepError.self) { try await world.session(definition).refreshResults() }
    #expect(try world.rows(definition).map(\.result) == ["1", "2", nil])
    definition.result = { point, _ in
      if point.number == 1 { throw Mishap() }
      return "\(point.number)0"
    }
    #expect(try await world.session(definition).refreshResults() == 3)
    let rows = try world.rows(definition)
    #expect(rows.map(\.result) == ["1", "20", "30"])
    #expect(rows.map(\.resultError) == ["a mishap", nil, nil])
    #expect(try await world.session(definition).run().resultErrors == 1)
  }

  @Test func newPointsJoinAndOthersAreHidden() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(2, script: Self.script)
    #expect(try await world.session(definition).run().newDone == [1, 2])
    definition.points = try world.definition(3, script: Self.script).points.filter { $0["x"] != 1 }
    #expect(try await world.session(definition).run().newDone == [3])
    let books = try SweepBooks(journal: definition.journalPath(isSimulated: false))
    #expect(try books.rows().map(\.name) == ["x=2", "x=3"])
    #expect(try books.rows(all: true).map(\.isMember) == [true, true, false])
  }

  @Test func pointsAreEvaluatedOneByOneAndRemembered() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(1, script: "#!/bin/sh\necho $((x * x)) >out.txt\n")
    definition.points = []
    definition.parameterNames = ["x"]
    definition.outputs = [SweepOutput("out.txt")]
    definition.result = { _, files in
      try String(contentsOf: URL(filePath: "\(files.folder)/out.txt"), encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let session = world.session(definition)
    let first = try await session.eval(Parameters([("x", 3)]))
    #expect(first.result == "9")
    let several = try await withThrowingTaskGroup(of: String?.self) { group in
      for x in [3, 4, 5] as [Int64] {
        group.addTask { try await session.eval(Parameters([("x", .integer(x))])).result }
      }
      return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
    }
    #expect(several == ["9", "16", "25"])
    #expect(try await world.requests()["POST /jobs"] == 3)
    let again = try await world.session(definition).eval(Parameters([("x", 4.0)]))
    #expect(again.result == "16")
    #expect(try await world.requests()["POST /jobs"] == 3)
    await #expect(throws: SweepError.self) { try await session.eval(Parameters([("y", 1)])) }
  }

  @Test func anotherAccountIsRefusedAndAnotherProcessIsNamed() async throws {
    let world = try SweepWorld()
    let definition = try world.definition(1, script: Self.script)
    let path = definition.journalPath(isSimulated: false)
    _ = try SweepJournal(
      path: path, name: "test", service: JournalService(endpoint: "https://x", account: "AK…7Q"),
      now: 0)
    let other = await #expect(throws: SweepError.self) { try await world.session(definition).run() }
    #expect(other?.message.contains("belongs to https://x as AK…7Q, not to") == true)
    JournalFiles.remove(path)
    let holder = try SweepJournal(
      path: path, name: "test", service: world.service.identity, now: 0)
    let busy = await #expect(throws: SweepError.self) { try await world.session(definition).run() }
    #expect(busy?.code == .busy)
    #expect(busy?.exitCode == 75)
    #expect(busy?.hint == "hpc sweep status test shows it")
    withExtendedLifetime(holder) {}
  }

  @Test(arguments: [
    ("#!/bin/sh\necho {{y}}\n", "test.sh:2: unknown name {{y}}"),
    ("#!/bin/sh\necho\n", "nothing uses the parameter x"),
    ("", "the script is empty"),
  ])
  func badScriptsAreRefusedBeforeAnyRequest(script: String, message: String) async throws {
    let world = try SweepWorld()
    let definition = try world.definition(script: script)
    let error = await #expect(throws: SweepError.self) { try await world.session(definition).run() }
    #expect(error?.message.contains(message) == true, "\(error as Any)")
    #expect(try await world.requests().isEmpty)
  }

  @Test(arguments: [10, 3_000_000])
  func outputsThatThisComputerRefusesStopTheRun(size: Int) async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      1, script: "#!/bin/sh\n# {{x}}\nmkdir d; head -c \(size) /dev/zero >d/o\n")
    definition.outputs = [SweepOutput("d/o")]
    // A folder of outputs on which nothing can be written.
    try FileManager.default.createSymbolicLink(
      atPath: world.folder.path + "/test.out", withDestinationPath: "/proc/self")
    let report = try await world.session(definition).run()
    let text = "\(try #require(report.error))"
    #expect(text.hasPrefix("stopped: outputs of x=1: "), "\(text)")
    #expect(!text.contains(".fetch-") && !text.contains("partial"), "\(text)")
    #expect(report.pending == 1)
  }

  @Test func aMissingInputIsNamed() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(script: Self.script)
    definition.inputs = .fixed([.local(path: world.folder.path + "/none.dat", name: "none.dat")])
    let report = try await world.session(definition).run()
    #expect(report.error?.message.contains("none.dat\" does not exist") == true, "\(report)")
    #expect(try await world.requests()["POST /jobs"] == nil)
  }
}
