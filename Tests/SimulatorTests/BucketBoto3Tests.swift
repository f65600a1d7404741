import Foundation
import Testing

@testable import Simulator

/// The bucket judged by a client that is not ours.
@Suite struct BucketBoto3Tests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let python = root.appending(path: ".build/venv/bin/python").path
  private static let script = root.appending(path: "scripts/test.d/bucket_boto3.py").path

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "scripts/setup --tests"))
  func `boto3 finds what it would find at S3`() throws {
    let test = try TestSimulator()
    let process = Process()
    process.executableURL = URL(filePath: Self.python)
    process.arguments = [Self.script, test.simulator.readyLine()]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(
      decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    test.simulator.stop()
    #expect(process.terminationStatus == 0, "\(text)")
  }
}
