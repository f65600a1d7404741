import HPCClient
import JSON
import Testing

@Suite struct JobRecordTests {
  private func record(_ text: String, at observedAt: Double = 0) throws -> JobRecord {
    let value = try JSONValue(parsing: Array(text.utf8))
    return try #require(JobRecord(value, observedAt: observedAt))
  }

  @Test func readsThePublishedExample() throws {
    let job = try record(
      """
      {"job_id": "6291500", "job_name": "job1.sh", "status": "RNA", "user": "a03010",
       "group": "rccs-aot", "start_date": "2021-04-12T11:25:00", "elapsed_time": "0000:00:07",
       "node_require": "12:2x3x2", "priority": "127", "accept": "2021-04-12T11:24:50",
       "queue": "small", "Fugaku:elapsed_limit": "0001:01:00", "Fugaku:lst": "QUE",
       "Fugaku:ec": "0", "Fugaku:pc": "0", "Fugaku:sn": "0", "Fugaku:reason": "-"}
      """)
    #expect(job.id == JobID(6_291_500))
    #expect(job.state == .starting)
    #expect(job.nodes == 12)
    #expect(job.elapsed == 7)
    #expect(job.limit == 3660)
    #expect(job.accepted == 1_618_194_290)
    #expect(job.waited == 10)
    #expect(job.priority == 127)
    #expect(job.exitCode == nil, "codes mean nothing before the end")
    #expect(job.lastState == "QUE")
  }

  @Test(
    arguments: [
      ("elapse_time", "elapsed_time"), ("elapsed_time", "elapse_time"),
      ("Fugaku:elapse_limit", "Fugaku:elapsed_limit"), ("Fugaku:vnnode", "Fugaku:vnode"),
    ])
  func readsEverySpelling(sent: String, asked: String) throws {
    #expect(try record(#"{"\#(sent)": "0000:01:00"}"#)[asked] == "0000:01:00")
  }

  @Test func readsBothTypesOfIDAndKeepsUnknownFields() throws {
    let job = try record(#"{"job_id": 7, "status": "NEW", "extra": {"a": [1, null]}, "x": null}"#)
    #expect(job.id == JobID(7))
    #expect(job.state == .unknown("NEW"))
    #expect(job.fields.map(\.key) == ["job_id", "status", "extra", "x"])
    #expect(job.fields[2].value == ["a": [1, nil]])
    #expect(job["x"] == nil)
    #expect(try record(#"{"job_id": "12[3]"}"#).id == nil)
  }

  @Test(
    arguments: [
      ("ACC", "0", .queued), ("QUE", "0", .queued), ("RNA", "0", .starting),
      ("RNP", "0", .starting),
      ("RUN", "0", .running), ("RNE", "0", .ending), ("RNO", "0", .ending), ("HLD", "0", .held),
      ("ERR", "0", .held), ("SPP", "0", .suspended), ("SPD", "0", .suspended),
      ("RSM", "0", .suspended), ("EXT", "0", .done), ("EXT", "1", .failed),
      ("CCL", "0", .cancelled),
      ("RJT", "0", .rejected), ("EXT", "-", .unknown("EXT")), ("", "0", .unknown("")),
    ] as [(String, String, JobState)])
  func mapsStates(status: String, exitCode: String, state: JobState) throws {
    let job = try record(
      #"{"status": "\#(status)", "Fugaku:ec": "\#(exitCode)", "Fugaku:pc": "0"}"#)
    #expect(job.state == state)
    #expect(JobState.names.contains(job.state.description))
  }

  @Test func anElapseLimitIsAFailureEvenWithExitCodeZero() throws {
    let job = try record(#"{"status": "EXT", "Fugaku:ec": "0", "Fugaku:pc": "11"}"#)
    #expect(job.state == .failed)
    #expect(job.pjmCode == 11)
  }

  @Test func whatDoesNotParseIsNilAndStays() throws {
    let job = try record(
      """
      {"job_id": "-", "elapsed_time": "-", "accept": "(2027/01/02)", "start_date": "",
       "node_require": "many", "priority": "high"}
      """)
    #expect(job.id == nil)
    #expect(job.elapsed == nil)
    #expect(job.accepted == nil)
    #expect(job.started == nil)
    #expect(job.waited == nil)
    #expect(job.nodes == nil)
    #expect(job.priority == nil)
    #expect(job["accept"] == "(2027/01/02)")
  }

  @Test func waitingIsCountedUpToTheObservation() throws {
    let job = try record(#"{"status": "QUE", "accept": "1970-01-01T09:00:10"}"#, at: 70)
    #expect(job.waited == 60)
  }
}
