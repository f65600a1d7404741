import CurlTransport
import FoundationEssentials
import Glibc
import HTTP
import JSON
import ObjectStore
import SigV4

/// The bucket from a command line, for benchmarks and for tests against other implementations:
/// `Benchmarks store COMMAND ENDPOINT BUCKET ARGUMENTS` prints one line of JSON with what came
/// out, the seconds it took and the peak of resident memory; an error is a line too, and exit
/// code 1.
///
/// Credentials come from `NIFCLOUD_ACCESS_KEY_ID` and `NIFCLOUD_SECRET_ACCESS_KEY`;
/// `STORE_CONNECTIONS`, `STORE_PART_SIZE`, `STORE_THRESHOLD` and `STORE_RETRY_SECONDS` replace
/// defaults.
struct StoreDriver {
  static let usage = UsageError(
    """
    store COMMAND ENDPOINT BUCKET …
      put FILE KEY | get KEY FILE | write KEY TEXT | read KEY | head KEY | delete KEY…
      batch: commands from standard input, a JSON array of words a line
      list [PREFIX [DELIMITER]] | count [PREFIX] | push PATH KEY [GLOB…] | pull KEY PATH [GLOB…]
    """)

  private typealias Result = [JSONValue.Member]
  private let store: ObjectStore

  static func run(_ arguments: [String]) async throws {
    guard arguments.count >= 3 else { throw usage }
    let environment = ProcessInfo.processInfo.environment
    func number(_ name: String) -> Int64? { environment[name].flatMap { Int64($0) } }
    var configuration = ObjectStore.Configuration(
      endpoint: try HTTPURL(parsing: arguments[1]), bucket: arguments[2], region: "jp-east-1",
      credentials: Credentials(
        accessKeyID: environment["NIFCLOUD_ACCESS_KEY_ID"] ?? "",
        secretAccessKey: environment["NIFCLOUD_SECRET_ACCESS_KEY"] ?? ""))
    if let count = number("STORE_CONNECTIONS") { configuration.connections = Int(count) }
    if let size = number("STORE_PART_SIZE") { configuration.partSize = size }
    if let size = number("STORE_THRESHOLD") { configuration.multipartThreshold = size }
    if let seconds = number("STORE_RETRY_SECONDS") {
      configuration.retry.deadline = .seconds(seconds)
    }
    let transport = CurlTransport(.init(limit: configuration.connections, slots: .transport))
    let driver = StoreDriver(store: ObjectStore(configuration, transport: transport))
    var isGood = true
    if arguments[0] == "batch" {
      while let line = readLine() {
        let words = try JSONValue(parsing: Array(line.utf8)).array?.compactMap(\.string) ?? []
        guard let command = words.first else { throw usage }
        await driver.report(command, Array(words.dropFirst()))
      }
    } else {
      isGood = await driver.report(arguments[0], Array(arguments.dropFirst(3)))
    }
    transport.shutdown()
    if !isGood { exit(1) }
  }

  /// Prints what came out of one command; false for an error.
  @discardableResult
  private func report(_ command: String, _ words: [String]) async -> Bool {
    let start = ContinuousClock.now
    var result: Result
    var isGood = false
    do {
      result = try await perform(command, words)
      isGood = true
    } catch {
      let kind = (error as? ObjectStoreError).map { "\($0.kind)" } ?? "usage"
      result = [Self.member("error", .string("\(error)")), Self.member("kind", .string(kind))]
    }
    result.append(Self.member("seconds", .double((ContinuousClock.now - start) / .seconds(1))))
    result.append(Self.member("peak_kib", .int(Self.peakMemory)))
    print(String(decoding: JSONValue.object(result).encoded(), as: UTF8.self))
    fflush(nil)
    return isGood
  }

  private func perform(_ command: String, _ words: [String]) async throws -> Result {
    switch (command, words.count) {
    case ("put", 2): return describe(try await store.put(file: words[0], key: words[1]))
    case ("get", 2): return describe(try await store.get(words[0], to: words[1]))
    case ("write", 2): return describe(try await store.put(Array(words[1].utf8), key: words[0]))
    case ("read", 1):
      let bytes = try await store.read(words[0])
      return [Self.member("text", .string(String(decoding: bytes, as: UTF8.self)))]
    case ("head", 1): return describe(try await store.head(words[0]))
    case ("delete", 1...):
      let failures = words.count == 1 ? [] : try await store.delete(words)
      if words.count == 1 { try await store.delete(words[0]) }
      return [Self.member("failures", .array(failures.map { .string($0.description) }))]
    case ("list", 0...2): return try await list(words)
    case ("count", 0...1): return try await count(words.first ?? "")
    case ("push", 2...):
      let only = try words.dropFirst(2).map { try Glob($0) }
      return describe(
        try await store.push(words[0], to: words[1], options: TransferOptions(only: only)))
    case ("pull", 2...):
      let only = try words.dropFirst(2).map { try Glob($0) }
      return describe(
        try await store.pull(words[0], to: words[1], options: TransferOptions(only: only)))
    default: throw Self.usage
    }
  }

  private func list(_ words: [String]) async throws -> Result {
    var keys: [JSONValue] = []
    var prefixes: [JSONValue] = []
    for try await page in store.list(
      prefix: words.first ?? "", delimiter: words.dropFirst().first)
    {
      keys += page.objects.map { .string($0.key) }
      prefixes += page.prefixes.map { .string($0) }
    }
    return [Self.member("keys", .array(keys)), Self.member("prefixes", .array(prefixes))]
  }

  private func count(_ prefix: String) async throws -> Result {
    var objects = 0
    var pages = 0
    for try await page in store.list(prefix: prefix) {
      objects += page.objects.count
      pages += 1
    }
    return [Self.member("objects", .int(Int64(objects))), Self.member("pages", .int(Int64(pages)))]
  }

  private func describe(_ object: StoredObject) -> Result {
    [
      Self.member("key", .string(object.key)), Self.member("size", .int(object.size)),
      Self.member("etag", .string(object.etag?.text ?? "")),
      Self.member("modified", .int(Int64(object.modified ?? 0))),
      Self.member("sha256", .string(object.storedSHA256 ?? "")),
    ]
  }

  private func describe(_ report: TransferReport) -> Result {
    [
      Self.member("transferred", .int(Int64(report.transferred.files))),
      Self.member("bytes", .int(report.transferred.bytes)),
      Self.member("unchanged", .int(Int64(report.unchanged))),
      Self.member("failures", .array(report.failures.map { .string($0.description) })),
    ]
  }

  private static func member(_ key: String, _ value: JSONValue) -> JSONValue.Member {
    JSONValue.Member(key: key, value: value)
  }

  /// In KiB.
  private static var peakMemory: Int64 {
    var usage = rusage()
    return unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0
      ? Int64(usage.ru_maxrss) : -1
  }
}
