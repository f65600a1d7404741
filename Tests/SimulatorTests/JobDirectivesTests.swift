import Testing

@testable import Simulator

@Suite struct JobDirectivesTests {
  private func parse(_ text: String) throws -> JobDirectives {
    try JobDirectives(parsing: Array(text.utf8))
  }

  @Test func `reads what scripts say`() throws {
    let directives = try parse(
      """
      #!/bin/bash
      # a comment
      #PJM -L "node=12:2x3x2"

      #PJM -L rscgrp=large,elapse=01:02:03
      #PJM -g hp123456 -N run_1.a
      #PJM -x A=1,B="two words"
      #PJM --mpi "proc=48,max-proc-per-node=4" -j -s --spath log/stats
      #PJM -o 'out put'   --norestart
      #PJMX -N other
      echo start
      #PJM -N late
      """)
    #expect(directives.nodes == 12)
    #expect(directives.nodeRequest == "12:2x3x2")
    #expect(directives.resourceGroup == "large")
    #expect(directives.elapse == .seconds(3_723))
    #expect(directives.group == "hp123456")
    #expect(directives.name == "run_1.a")
    #expect(
      directives.variables == [.init(name: "A", value: "1"), .init(name: "B", value: "two words")])
    #expect(directives.mpi == "proc=48,max-proc-per-node=4")
    #expect(directives.joinsOutputs)
    #expect(directives.statistics == .brief)
    #expect(directives.statisticsPath == "log/stats")
    #expect(directives.output == "out put")
    #expect(!directives.mayRestart)
  }

  @Test func `asks for a minute on one node where nothing is said`() throws {
    let directives = try parse("echo hello\n")
    #expect(directives.nodes == 1)
    #expect(directives.elapse == .seconds(60))
    #expect(directives.resourceGroup == "small")
    #expect(directives.mayRestart)
  }

  @Test(arguments: [
    ("node=3", 3, "3"), ("node=2x3x2", 12, "12:2x3x2"), ("node=2x3x2:torus", 12, "12:2x3x2"),
    ("node=384:torus", 384, "384"), ("node=4:2x2:noncont", 4, "4:2x2"),
  ])
  func `counts nodes`(resource: String, count: Int, shown: String) throws {
    let directives = try parse("#PJM -L \(resource)")
    #expect(directives.nodes == count)
    #expect(directives.nodeRequest == shown)
  }

  @Test(arguments: [
    ("90", 90), ("2:30", 150), ("72:00:00", 259_200), ("00:10:00-01:00:00", 3_600),
  ])
  func `reads elapse limits`(text: String, seconds: Int) throws {
    #expect(try parse("#PJM -L elapse=\(text)").elapse == .seconds(seconds))
  }

  @Test(arguments: [
    "-L node=0", "-L node=-1", "-L node=a", "-L node=99999999999x99999999999", "-L node", "-L",
    "-L elapse=0", "-L elapse=1:2:3:4", "-L elapse=x", "-L elapse=99999999999999999999",
    "-N 1abc", "-N a/b", "-N \(String(repeating: "a", count: 64))", "-p 256", "--nothing", "-Q",
    "--bulk --sparam 0-9", "--step", "-x 1A=2", "-N \"open", "word",
  ])
  func `refuses what pjsub refuses, naming the line`(line: String) {
    let text = "#!/bin/sh\n#PJM \(line)\n"
    let refusal = #expect(throws: JobDirectives.Refusal.self) { try parse(text) }
    #expect(refusal?.line == 2)
  }

  @Test func `attached and long spellings`() throws {
    let directives = try parse("#PJM -Lnode=2 --name=abc --rsc-list elapse=5\r\n#PJM -gg1\r\n")
    #expect(directives.nodes == 2)
    #expect(directives.name == "abc")
    #expect(directives.elapse == .seconds(5))
    #expect(directives.group == "g1")
  }

  @Test func `any bytes are read or refused`() {
    var generator = SplitMix(state: 7)
    let pieces = [
      "#PJM ", "-L", "node=", "\"", "\\", "\n", " ", "=", "-x", ",", ":", "x", "9", "\u{0}",
    ]
    for _ in 0..<2_000 {
      let text = (0..<Int.random(in: 0...12, using: &generator))
        .compactMap { _ in pieces.randomElement(using: &generator) }.joined()
      _ = try? parse(text)
    }
    _ = try? JobDirectives(parsing: [0x23, 0x50, 0x4a, 0x4d, 0x20, 0xff, 0xfe])
  }
}
