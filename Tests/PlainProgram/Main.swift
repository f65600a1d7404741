import CurlTransport
import Foundation
import HPCClient

// The library without Lua, as any program would use it: submits the script that its argument
// names, waits for it and prints how it ended.
@main
enum Main {
  static func main() async throws {
    let settings = try Settings.resolve(
      in: .process(variables: ProcessInfo.processInfo.environment))
    let client = HPCClient(try HPCClient.Configuration(settings), transport: CurlTransport())
    let id = try await client.submit(jobfile: CommandLine.arguments[1])
    let result = try await client.wait(for: id, WaitOptions(interval: .milliseconds(100)))
    for job in result.jobs {
      print("job \(job.id): \(job.state)")
    }
  }
}
