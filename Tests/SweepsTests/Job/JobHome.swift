import Foundation
import Synchronization
import Testing

@testable import Sweeps

/// A home on the machine in a temporary folder, and jobs that really run in it.
final class JobHome {
  static let shells = [["dash"], ["bash"], ["bash", "--posix"]]
  static let root = "hpc/test-0a1b"

  let home: URL
  let shell: [String]
  var root: URL { home.appending(path: Self.root) }

  init(shell: [String]) throws {
    self.shell = shell
    home = FileManager.default.temporaryDirectory.appending(path: "hpc job & home \(UUID())")
    for folder in [
      "in", "lock", "out/claim", "out/refused", "out/exit", "out/files", "log", "work",
    ] {
      try FileManager.default.createDirectory(
        at: root.appending(path: folder), withIntermediateDirectories: true)
    }
  }

  deinit {
    try? FileManager.default.removeItem(at: home)
  }

  func script(_ attempts: [JobScript.Attempt], name: String = "tst0000001") -> JobScript {
    JobScript(
      name: name, root: Self.root, directives: PJMDirectives(), elapse: 60, attempts: attempts)
  }

  func attempt(
    _ id: String = "1.1", _ text: String, outputs: [JobScript.Output] = []
  ) throws -> JobScript.Attempt {
    JobScript.Attempt(
      id: try #require(AttemptName(id)), program: .text(text), outputs: outputs)
  }

  /// Starts a job, without waiting for its end.
  func start(_ script: JobScript, job: Int = 77, path: String = "") throws -> Process {
    let file = home.appending(path: "run-\(job).sh")
    try script.text.write(to: file, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = shell + [file.path]
    process.environment = [
      "PATH": "\(path)/usr/bin:/bin", "HOME": home.path, "PJM_O_WORKDIR": home.path,
      "PJM_JOBID": "\(job)",
    ]
    let log = home.appending(path: "job-\(job).err")
    if !FileManager.default.fileExists(atPath: log.path) {
      try Data().write(to: log)
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: log)
    try Self.starts.withLock { _ in
      try Self.withoutBlockedSignals { try process.run() }
    }
    return process
  }

  /// Foundation has crashed when two threads started processes at the same time.
  private static let starts = Mutex(())

  /// Threads of the Swift runtime block signals, and a child would inherit that.
  static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&none)
    unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  /// Runs a job to its end; its exit code.
  @discardableResult
  func run(_ script: JobScript, job: Int = 77, path: String = "") throws -> Int32 {
    let process = try start(script, job: job, path: path)
    process.waitUntilExit()
    return process.terminationStatus
  }

  func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path))
      ?? []).sorted()
  }

  /// True once a program has left a file `ran` in home.
  var hasRun: Bool { FileManager.default.fileExists(atPath: home.appending(path: "ran").path) }

  func text(_ path: String) -> String? {
    try? String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// Writes a file below the root, with the folders it needs.
  func write(_ path: String, _ text: String) throws {
    let file = root.appending(path: path).standardizedFileURL
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }

  /// Puts a tool into `bin` of home, before those of the system in the path ``tools``.
  func tool(_ name: String, _ text: String) throws {
    try write("../../bin/\(name)", "#!/bin/sh\n\(text)\n")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: home.path + "/bin/\(name)")
  }

  var tools: String { home.path + "/bin:" }

  /// The only exit record, read.
  func exit(_ attempt: String = "1.1") throws -> ExitRecord {
    let names = names("out/exit").filter { $0.hasPrefix("\(attempt).") }
    #expect(names.count == 1, "one exit record of \(attempt), not \(names)")
    return try #require(ExitRecord(text("out/exit/\(names.first ?? "")") ?? ""))
  }

  /// Waits until something holds, for as long as a slow machine may need.
  func until(_ condition: () -> Bool) throws {
    for _ in 0..<3000 {
      if condition() { return }
      Thread.sleep(forTimeInterval: 0.01)
    }
    throw Timeout()
  }

  struct Timeout: Error {}
}
