// One executable for measurements that need Swift inside: `Benchmarks NAME [ARGUMENTS]`, driven by
// scripts/bench, one file a benchmark.
@main
enum Main {
  /// What can be measured, by name; each prints one line of JSON.
  static let benchmarks: [String: @Sendable ([String]) async throws -> Void] = [
    "client": { try await TransportClient.run($0) },
    "serve": { try BenchmarkServer.run($0) },
    "sign": { try SignBenchmark.run($0) },
    "store": { try await StoreDriver.run($0) },
    "transport": { try await TransportBenchmark.run($0) },
    "waiters": { try await WaitBenchmark.run($0) },
  ]

  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let name = arguments.first, let benchmark = benchmarks[name] else {
      print("usage: Benchmarks \(benchmarks.keys.sorted().joined(separator: "|"))")
      return
    }
    try await benchmark(Array(arguments.dropFirst()))
  }
}
