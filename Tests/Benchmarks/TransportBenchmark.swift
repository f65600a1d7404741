import CurlTransport
import FoundationEssentials
import HTTP

/// `Benchmarks transport PORT COUNT LOCK-DIRECTORY`: signed reads through the governed transport,
/// as a share of what ten raw sockets reach in the same process right before and after.
enum TransportBenchmark {
  static func run(_ arguments: [String]) async throws {
    guard arguments.count == 3, let port = Int(arguments[0]), let count = Int(arguments[1]) else {
      throw UsageError("transport PORT COUNT LOCK-DIRECTORY")
    }
    let url = HTTPURL(scheme: .http, host: "127.0.0.1", port: port, path: "/jobs")
    let before = try RawSockets.measure(count, port: port)
    let transport = CurlTransport(.init(slots: .user(directory: arguments[2])))
    let start = ContinuousClock.now
    let answers = await TransportClient.sendAll(count, to: url, through: transport)
    let took = ContinuousClock.now - start
    transport.shutdown()
    guard answers == ["200": count] else { throw UsageError("transport: answers \(answers)") }
    let after = try RawSockets.measure(count, port: port)
    let raw = (before + after) / 2
    print(
      #"{"count": \#(count), "seconds": \#(took / .seconds(1)), "raw_seconds": "#
        + #"\#(raw / .seconds(1)), "share": \#(raw / took)}"#)
  }
}
