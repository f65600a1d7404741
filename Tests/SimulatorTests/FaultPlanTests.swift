import Testing

@testable import Simulator

@Suite struct FaultPlanTests {
  private func plan(_ text: String) throws -> FaultPlan {
    try FaultPlan(parsing: Array(text.utf8))
  }

  @Test func `reads what a plan says`() throws {
    let plan = try plan(
      """
      {"seed": 7, "faults": [
        {"on": "submit", "do": "drop_reply", "p": 0.2, "max": 100, "after": 0, "until": 60},
        {"on": "submit", "do": "status", "status": 400, "nth": 3, "accept": true},
        {"on": "sync", "do": "tear"}, {"on": "job", "do": "restart", "seconds": 2.5},
        {"on": "any", "do": "skew", "seconds": -60}
      ]}
      """)
    #expect(plan.seed == 7)
    #expect(plan.faults.count == 5)
    #expect(plan.faults[0].share == 0.2)
    #expect(plan.faults[0].most == 100)
    #expect(plan.faults[0].until == .seconds(60))
    #expect(plan.faults[1].status == 400)
    #expect(plan.faults[1].nth == 3)
    #expect(plan.faults[1].accept == true)
    #expect(plan.faults[3].duration == .milliseconds(2_500))
    #expect(plan.faults[4].duration == .seconds(-60))
  }

  @Test(arguments: [
    ("{", "byte 1"), ("[]", "must be an object"), (#"{"faults": {}}"#, "must be a list"),
    (#"{"faults": [], "sed": 1}"#, "valid are seed, faults"), (#"{"faults": [1]}"#, "fault 1"),
    (#"{"faults": [], "seed": -1}"#, "seed"),
    (#"{"faults": [{"do": "kill"}]}"#, "valid are submit, list, get, cancel, sync, sync_status"),
    (#"{"faults": [{"on": "jobs", "do": "kill"}]}"#, "\"jobs\" is not valid here"),
    (#"{"faults": [{"on": "job"}]}"#, "valid are restart, kill, hold, slow"),
    (#"{"faults": [{"on": "job", "do": "reset"}]}"#, "valid are restart, kill, hold, slow"),
    (#"{"faults": [{"on": "get", "do": "hide"}]}"#, "drop_reply"),
    (#"{"faults": [{"on": "get", "do": "reset", "prob": 1}]}"#, "valid are on, do, p, max, nth"),
    (#"{"faults": [{"on": "get", "do": "reset", "p": 1.5}]}"#, "\"p\" must be a number"),
    (#"{"faults": [{"on": "get", "do": "reset", "p": "1"}]}"#, "\"p\" must be a number"),
    (#"{"faults": [{"on": "get", "do": "reset", "nth": 0}]}"#, "\"nth\" must be a whole number"),
    (#"{"faults": [{"on": "get", "do": "reset", "max": 1.5}]}"#, "\"max\" must be a whole"),
    (#"{"faults": [{"on": "get", "do": "status", "status": 399}]}"#, "from 400 to 599"),
    (#"{"faults": [{"on": "get", "do": "status", "status": 600}]}"#, "from 400 to 599"),
    (#"{"faults": [{"on": "submit", "do": "status", "accept": 1}]}"#, "true or false"),
    (#"{"faults": [{"on": "get", "do": "delay", "seconds": -1}]}"#, "\"seconds\""),
  ])
  func `names what may stand there`(text: String, part: String) {
    let error = #expect(throws: FaultPlan.Invalid.self) { try plan(text) }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  @Test func `takes the design's example, and ignores what a fault does not use`() throws {
    let plan = try plan(
      #"""
      {"seed": 7, "faults": [
        {"on": "submit", "do": "drop_reply", "p": 0.2, "max": 100, "nth": 3, "after": 0,
         "until": 60, "seconds": 30, "status": 500},
        {"on": "get", "do": "status", "status": 418, "accept": true},
        {"on": "job", "do": "hold", "status": 1, "accept": 2}
      ]}
      """#)
    #expect(plan.faults[0].kind == .dropReply)
    #expect(plan.faults[0].share == 0.2)
    #expect(plan.faults[0].nth == 3)
    #expect(plan.faults[1].status == 418)
    #expect(plan.faults[1].accept == nil)
  }

  @Test(arguments: ["{}", #"{"seed": 7}"#, #"{"faults": []}"#])
  func `may have no faults`(text: String) throws {
    #expect(try plan(text).faults.isEmpty)
  }

  @Test func `draws an occurrence only by its share`() throws {
    let hits = try (0..<1_000).count { seed in
      try draws(
        #"{"seed": \#(seed), "faults": [{"on": "get", "do": "reset", "nth": 2, "p": 0.3}]}"#,
        [.get, .get, .get]) == [nil, .reset, nil]
    }
    #expect((250...350).contains(hits))
  }

  @Test func `nobody suffers more than the plan allows`() throws {
    let plan = try FaultPlan(
      parsing: Array(
        """
        {"per_subject": 2, "faults": [{"on": "submit", "do": "reset"}, {"on": "job", "do": "kill"}]}
        """.utf8))
    var draw = FaultDraw(plan)
    func count(_ target: FaultPlan.Target, _ subject: String?) -> Int {
      (0..<5).count { _ in draw.draw(target, elapsed: .zero, subject: subject) != nil }
    }
    #expect(count(.submit, "a") == 2)
    #expect(count(.job, "a") == 0)
    #expect(count(.job, "b") == 2)
    #expect(count(.submit, nil) == 5)
    #expect(FaultInjector.subject(of: Array("x\n#SIM subject=p 7\n".utf8)) == "p 7")
    #expect(FaultInjector.subject(of: Array("echo #SIM subject=7\n".utf8)) == nil)
  }

  private func draws(
    _ text: String, _ targets: [FaultPlan.Target], elapsed: Duration = .zero
  ) throws -> [FaultPlan.Kind?] {
    var draw = FaultDraw(try plan(text))
    return targets.map { draw.draw($0, elapsed: elapsed)?.kind }
  }

  @Test func `draws by seed, operation and number alone`() throws {
    let text = #"{"seed": 3, "faults": [{"on": "submit", "do": "reset", "p": 0.5}]}"#
    let alone = try draws(text, Array(repeating: .submit, count: 50))
    let mixed = try draws(text, (0..<50).flatMap { _ in [.list, .submit, .get] })
    #expect(mixed.enumerated().filter { $0.offset % 3 == 1 }.map(\.element) == alone)
    #expect(alone.contains(nil) && alone.contains(.reset))
    let other = try draws(
      text.replacing("3", with: "4", maxReplacements: 1), Array(repeating: .submit, count: 50))
    #expect(other != alone)
  }

  @Test func `shares come out as asked and add up`() throws {
    let text = """
      {"faults": [{"on": "list", "do": "reset", "p": 0.3}, {"on": "list", "do": "empty", "p": 0.2}]}
      """
    let drawn = try draws(text, Array(repeating: .list, count: 10_000))
    #expect((2_800...3_200).contains(drawn.count { $0 == .reset }))
    #expect((1_800...2_200).contains(drawn.count { $0 == .empty }))
  }

  @Test func `keeps to number, most and time`() throws {
    #expect(
      try draws(
        #"{"faults": [{"on": "get", "do": "reset", "nth": 2}]}"#, [.get, .get, .get])
        == [nil, .reset, nil])
    #expect(
      try draws(
        #"{"faults": [{"on": "get", "do": "reset", "max": 2}]}"#, [.get, .get, .get])
        == [.reset, .reset, nil])
    let timed = #"{"faults": [{"on": "any", "do": "reset", "after": 10, "until": 20}]}"#
    #expect(try draws(timed, [.get], elapsed: .seconds(9)) == [nil])
    #expect(try draws(timed, [.get, .list, .job], elapsed: .seconds(10)) == [.reset, .reset, nil])
    #expect(try draws(timed, [.get], elapsed: .seconds(20)) == [nil])
  }

  @Test func `counts what happened`() throws {
    var draw = FaultDraw(
      try plan(
        #"{"faults": [{"on": "get", "do": "reset", "max": 2}, {"on": "list", "do": "hide"}]}"#))
    for target in [.get, .get, .get, .list] as [FaultPlan.Target] {
      _ = draw.draw(target, elapsed: .zero)
    }
    #expect(draw.counts == ["reset": 2, "hide": 1])
  }
}
