import CurlTransport
import FoundationEssentials
import HTTP
import SigV4
import Synchronization

/// A client process: `Benchmarks client URL COUNT [LOCK-DIRECTORY]` sends COUNT signed reads
/// through a governed transport and prints what came back. Tests run several of them.
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

  /// Sends `count` signed reads from 32 tasks, so that there are always more than connections.
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
    let left = Counter(count)
    return await withTaskGroup(of: [String: Int].self) { group in
      for _ in 0..<min(count, 32) {
        group.addTask(executorPreference: transport.executor) {
          var answers: [String: Int] = [:]
          while left.takeOne() {
            answers[await answer(to: request, through: transport), default: 0] += 1
          }
          return answers
        }
      }
      return await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }
  }

  private static func answer(to request: HTTPRequest, through transport: CurlTransport) async
    -> String
  {
    do throws(TransportError) {
      return String(try await transport.send(request).status)
    } catch {
      return "\(error.kind)"
    }
  }
}

/// How many requests are still to be sent.
private final class Counter: Sendable {
  private let left: Atomic<Int>

  init(_ count: Int) { left = Atomic(count) }

  func takeOne() -> Bool { left.subtract(1, ordering: .relaxed).newValue >= 0 }
}

/// The command line of a benchmark is not as it should be.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ usage: String) { description = "usage: Benchmarks \(usage)" }
}
