@testable import HPCClient
import JSON
import Testing

@Suite struct ListGlanceTests {
  private func glance(_ text: String) -> [String] {
    var jobs: [String] = []
    ListGlance.forEachJob(in: Array(text.utf8)) { jobs.append("\($0.id) \($0.name) \($0.status)") }
    return jobs
  }

  @Test func seesWhatModelsSee() throws {
    let text = listJSON([
      (5, "a,\\\"b}", "RUN", "-"), (6, "job_id", "QUE", "-"), (7, "status", "HLD", "-"),
    ])
    #expect(glance(text) == ["5 a,\"b} RUN", "6 job_id QUE", "7 status HLD"])
    let mixed = #"[{"job_id":9,"status":"RUN"},{"status":"QUE","job_id" : "10"}]"#
    #expect(glance(mixed) == ["9  RUN", "10  QUE"])
    #expect(glance(#"[{"x":{"job_id":"1"},"y":["status","RUN"],"job_id":"2"}]"#) == ["2  "])
  }

  @Test func endedJobsAreRememberedWhole() throws {
    let memory = JobMemory(patience: .seconds(120))
    let list =
      #"[ {"job_id":"5","status":"EXT","Fugaku:ec":"3"},{"job_id":"6","status":"RUN","job_name":"x"}]"#
    memory.note(
      list: RawAnswer(bytes: Array(list.utf8), requestedAt: 6, observedAt: 7), at: .zero)
    #expect(memory.last(JobID(5))?.state == .failed)
    #expect(memory.last(JobID(5))?.exitCode == 3)
    #expect(memory.last(JobID(6))?.status == "RUN")
    #expect(memory.last(JobID(6))?.observedAt == 7)
    #expect(memory.last(JobID(6))?.name == "x")
    #expect(memory.last(JobID(7)) == nil)
    #expect(!memory.isGood(count: 0, at: .seconds(1)), "two jobs were listed")
  }

  @Test(arguments: [
    "", "[]", "[", "[{", #"[{""#, #"[{"job_id"#, #"[{"job_id":"#, #"[{"job_id":"5"#,
    #"[{"job_id":"5\"#, "]]]]}}}", "[1,2]", #"["job_id"]"#, #"[{"status":"RUN"}]"#,
    #"[{"job_id":"x"}]"#, #"[{"job_id":null}]"#, #"{"job_id":"5"}"#,
  ])
  func whatIsNoListOfJobsGivesNone(text: String) {
    #expect(glance(text) == [])
  }
}
