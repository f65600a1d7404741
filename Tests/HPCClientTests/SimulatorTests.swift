import CurlTransport
import Foundation
import HPCClient
import HTTP
import SigV4
import Simulator
import TestSupport
import Testing

/// The client over real HTTP against the simulator, in both of its dialects.
@Suite(.timeLimit(.minutes(5))) struct SimulatorTests {
  private struct Machine {
    let folder: TemporaryFolder
    let simulator: Simulator
    let transport: CurlTransport
    let client: HPCClient

    init(_ dialect: Simulator.Dialect = .documented, secret: String? = nil) throws {
      folder = try TemporaryFolder()
      var configuration = Simulator.Configuration()
      configuration.home = folder.path + "/home"
      configuration.speed = 100
      configuration.dialect = dialect
      configuration.hostEnvironment = ProcessInfo.processInfo.environment
      simulator = try Simulator.start(configuration)
      transport = CurlTransport(.init(slots: .transport))
      client = HPCClient(
        HPCClient.Configuration(
          endpoint: try HTTPURL(parsing: simulator.endpoint),
          credentials: Credentials(
            accessKeyID: simulator.accessKeyID,
            secretAccessKey: secret ?? simulator.secretAccessKey),
          scope: SigningScope(region: simulator.region, service: simulator.service),
          clockRate: 100), transport: transport)
    }

    func script(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: URL(filePath: simulator.home + "/" + name))
    }

    func stop() {
      transport.shutdown()
      simulator.stop()
    }
  }

  @Test(arguments: Simulator.Dialect.allCases)
  func aJobFromSubmissionToItsEnd(dialect: Simulator.Dialect) async throws {
    let machine = try Machine(dialect)
    defer { machine.stop() }
    try machine.script(
      "run.sh",
      """
      #!/bin/sh
      #PJM -L elapse=10:00:00
      until [ -e seen ]; do sleep 0.02; done
      echo done >out
      """)
    let id = try await machine.client.submit(jobfile: "run.sh")
    let record = try await machine.client.job(id)
    #expect(record.id == id)
    #expect(record.name == "run.sh")
    #expect(record.limit == 36_000)
    let listed = try await machine.client.listJobs()
    #expect(listed.jobs.map(\.id) == [id])
    try machine.script("seen", "")
    let result = try await machine.client.wait(for: id, WaitOptions(interval: .milliseconds(50)))
    let job = try #require(result.jobs.first)
    #expect(job.isOver)
    #expect([.gone, .done].contains(job.state))
    #expect(FileManager.default.fileExists(atPath: machine.simulator.home + "/out"))
    let missing = await failure { () throws(HPCError) in try await machine.client.job(id) }
    #expect(missing?.saysJobIsMissing == true)
    #expect(missing?.message.hasPrefix("no job \(id) (404 ") == true)
  }

  @Test(arguments: Simulator.Dialect.allCases)
  func cancelling(dialect: Simulator.Dialect) async throws {
    let machine = try Machine(dialect)
    defer { machine.stop() }
    try machine.script("long.sh", "#!/bin/sh\n#PJM -L elapse=01:00:00\nsleep 60\n")
    let first = try await machine.client.submit(jobfile: "long.sh")
    let second = try await machine.client.submit(jobfile: "long.sh")
    for id in [first, second] { _ = try await machine.client.cancel(id) }
    let missing = await failure { () throws(HPCError) in
      try await machine.client.cancel(JobID(1))
    }
    #expect(missing?.status == 404)
    let result = try await machine.client.wait(
      for: [first, second], WaitOptions(interval: .milliseconds(50)))
    #expect(result.jobs.allSatisfy { $0.state == .gone || $0.state == .cancelled })
  }

  @Test func synchronisation() async throws {
    let machine = try Machine()
    defer { machine.stop() }
    try FileManager.default.createDirectory(
      atPath: machine.simulator.home + "/data", withIntermediateDirectories: true)
    let id = try await machine.client.startSync(path: "data", direction: .toOnline)
    let status = try await machine.client.waitForSync(id, timeout: .seconds(30)).status
    #expect(status.isOver)
    let unknown = try await machine.client.syncStatus(SyncID(999_999))
    guard case .error = unknown else {
      Issue.record("\(unknown)")
      return
    }
  }

  @Test func aWrongSecretIsOneReadableError() async throws {
    let machine = try Machine(secret: "wrongsecret")
    defer { machine.stop() }
    let error = try #require(
      await failure { () throws(HPCError) in try await machine.client.listJobs() })
    #expect(error.status == 401)
    #expect(error.attempts == 1)
    #expect("\(error)".contains("secret key"))
    #expect(!"\(error)".contains("wrongsecret"))
  }

  @Test func aMissingScriptIsAmbiguousAndNotRepeated() async throws {
    let machine = try Machine()
    defer { machine.stop() }
    let error = try #require(
      await failure { () throws(HPCError) in
        try await machine.client.submit(jobfile: "missing.sh")
      })
    #expect(error.status == 400)
    #expect(error.isAmbiguous)
    #expect(error.attempts == 1)
    #expect(error.candidates.isEmpty)
  }

  /// The library from a program that knows nothing of Lua.
  @Test func aPlainProgramDrivesTheClient() throws {
    let machine = try Machine()
    defer { machine.stop() }
    try machine.script("plain.sh", "#!/bin/sh\necho hello >hello\n")
    let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent()
    let test = CommandLine.arguments.first.map { URL(filePath: $0).deletingLastPathComponent() }
    let places = [test, folder].compactMap { $0?.appending(path: "PlainProgram").path }
    let program = try #require(places.first { FileManager.default.isExecutableFile(atPath: $0) })
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = ["plain.sh"]
    process.environment = [
      "HOME": machine.folder.path, "HPC_ENDPOINT": machine.simulator.endpoint,
      "HPC_CLOCK_RATE": "100", "NIFCLOUD_ACCESS_KEY_ID": machine.simulator.accessKeyID,
      "NIFCLOUD_SECRET_ACCESS_KEY": machine.simulator.secretAccessKey,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(text.hasPrefix("job "))
    #expect(text.hasSuffix(": gone\n") || text.hasSuffix(": done\n"))
    #expect(FileManager.default.fileExists(atPath: machine.simulator.home + "/hello"))
  }
}
