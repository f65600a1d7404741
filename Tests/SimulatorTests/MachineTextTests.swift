import FoundationEssentials
import Testing

@testable import Simulator

@Suite struct MachineTextTests {
  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
    (1_618_194_350, "Mon, 12 Apr 2021 02:25:50 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
  ])
  func `dates of headers`(seconds: Int, text: String) {
    #expect(CivilDate(epochSeconds: seconds).httpDate == text)
  }

  @Test func `the machine is in Japan`() {
    #expect(SimulatedTime(seconds: 1_618_194_350.9).machineDate == "2021-04-12T11:25:50")
  }

  @Test(arguments: [
    (Duration.zero, "0000:00:00"), (.seconds(60), "0000:01:00"),
    (.seconds(72 * 3_600), "0072:00:00"),
    (.milliseconds(59_999), "0000:00:59"), (.seconds(36_000_000), "10000:00:00"),
  ])
  func `durations`(duration: Duration, text: String) {
    #expect(pjmDuration(duration) == text)
  }

  @Test(arguments: [
    ("echo", ["/bin/sh"]), ("#!/bin/bash -l\n", ["/bin/bash", "-l"]),
    ("#! /usr/bin/env python3 -u \r\n", ["/usr/bin/env", "python3 -u"]), ("#!\n", ["/bin/sh"]),
  ])
  func `interpreters`(script: String, command: [String]) {
    #expect(ScriptInterpreter.command(for: Array(script.utf8)) == command)
  }

  @Test(
    arguments: [
      ("", "/h/job.7.out", "/h/job.7.err", nil),
      ("#PJM -s", "/h/job.7.out", "/h/job.7.err", "/h/job.7.stats"),
      ("#PJM -j -o log/%n-%j.%%", "/h/log/job-7.%", nil, nil),
      ("#PJM -e /tmp/e -s --spath s", "/h/job.7.out", "/tmp/e", "/h/s"),
    ] as [(String, String, String?, String?)])
  func `output files`(script: String, output: String, error: String?, statistics: String?) throws {
    let request = JobRequest(
      name: "job", directives: try JobDirectives(parsing: Array(script.utf8)), script: [])
    let files = JobFiles(
      job: Job(id: 7, request: request, accepted: SimulatedTime(seconds: 0)), workFolder: "/h")
    #expect(files.output == output)
    #expect(files.error == error)
    #expect(files.statistics == statistics)
  }
}
