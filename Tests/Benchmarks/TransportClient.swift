import CurlTransport
import FoundationEssentials
import HTTP
import SigV4
import Synchronization

/// A client process: `Benchmarks client URL COUNT [LOCK-DIRECTORY]` sends COUNT signed reads at
/// once through a governed transport and prints what came back. Tests run several of them.
enum TransportClient {
  static let usage = UsageError("client URL COUNT [LOCK-DIRECTORY]")

  static func run(_ arguments: [String]) async throws {
    guard arguments.count >= 2, let count = Int(arguments[1]) else { throw usage }
    let url = try HTTPURL(parsing: arguments[0])
    let transport = CurlTransport(
      .init(slots: .user(directory: arguments.dropFirst(2).first)))
    let start = ContinuousClock.now
    let answers = await sendAll(count, to: url, through: transport)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    transport.shutdown()
    let statuses = answers.map { #""\#($0.key)": \#($0.value)"# }.sorted().joined(separator: ", ")
    print(#"{"count": \#(count), "answers": {\#(statuses)}, "seconds": \#(seconds)}"#)
  }

  /// Sends `count` signed reads, all of them queued at once.
  ///
  /// - Returns: how often which status, or which kind of error, came.
  static func sendAll(_ count: Int, to url: HTTPURL, through transport: CurlTransport) async
    -> [String: Int]
  {
    let signer = SigV4Signer(
      credentials: Credentials(
        accessKeyID: "12345678901234567890",
        secretAccessKey: "1234567890abcdefghijklmnopqrstuvwxyzABCD"),
      scope: SigningScope(region: "jp-east-1", service: "hpc-api"))
    let request = HTTPRequest(.get, url, signer: signer)
    return await withTaskGroup(of: String.self) { group in
      for _ in 0..<count {
        group.addTask {
          do throws(TransportError) {
            return String(try await transport.send(request).status)
          } catch {
            return "\(error.kind)"
          }
        }
      }
      return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
  }
}

/// The command line of a benchmark is not as it should be.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ usage: String) { description = "usage: Benchmarks \(usage)" }
}
