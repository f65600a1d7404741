import Glibc
import HPCClient
import HTTP
import SigV4
import Synchronization

/// Many waiters for as many jobs on one list: memory of a waiter, and CPU of a poll whose list has
/// not changed and of one in which every running job's time has.
enum WaitBenchmark {
  static func run(_ arguments: [String]) async throws {
    let count = arguments.first.flatMap(Int.init) ?? 10_000
    let transport = ListTransport(jobs: count)
    let client = HPCClient(
      HPCClient.Configuration(
        endpoint: try HTTPURL(parsing: "http://127.0.0.1:1"),
        credentials: Credentials(accessKeyID: "a", secretAccessKey: "s"),
        scope: SigningScope(region: "r", service: "s")), transport: transport)
    let options = WaitOptions(interval: .milliseconds(200))
    // One waiter first: what the list itself costs is not a waiter's.
    let first = Task { try await client.wait(for: JobID(1), options) }
    await transport.polls(3)
    let before = residentBytes()
    let waiters = (2...count).map { number in
      Task { try await client.wait(for: JobID(Int64(number)), options) }
    }
    await transport.polls(6)
    let memory = Double(residentBytes() - before) / Double(count)
    let unchanged = await cost(polls: 20, transport)
    transport.ages.withLock { $0 = true }
    let changed = await cost(polls: 20, transport)
    for task in waiters + [first] { task.cancel() }
    print(
      #"{"benchmark": "waiters", "waiters": \#(count), "list_bytes": \#(transport.size), "#
        + #""bytes_per_waiter": \#(memory), "cpu_per_unchanged_poll": \#(unchanged), "#
        + #""cpu_per_changed_poll": \#(changed)}"#)
  }

  /// CPU seconds of a poll, the making of the list apart.
  private static func cost(polls: Int, _ transport: ListTransport) async -> Double {
    await transport.polls(2)
    let start = cpuSeconds()
    let made = transport.making.withLock { $0 }
    await transport.polls(polls)
    let making = transport.making.withLock { $0 } - made
    return max(0, cpuSeconds() - start - making) / Double(polls)
  }

  static func cpuSeconds() -> Double {
    var usage = rusage()
    _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }

  private static func residentBytes() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard unsafe fgets(&line, 256, file) != nil else { return 0 }
    let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
  }
}

/// Answers GET /jobs with a list like the service's, 550 bytes a job.
private final class ListTransport: HTTPTransport {
  let ages = Mutex(false)
  let making = Mutex(0.0)
  private let requests = Mutex(0)
  private let jobs: Int
  private let fixed: [UInt8]

  init(jobs: Int) {
    self.jobs = jobs
    fixed = Self.list(jobs: jobs, elapsed: 0)
  }

  var size: Int { fixed.count }

  func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    let number = requests.withLock {
      $0 += 1
      return $0
    }
    guard ages.withLock({ $0 }) else { return HTTPResponse(status: 200, body: fixed) }
    let start = WaitBenchmark.cpuSeconds()
    let body = Self.list(jobs: jobs, elapsed: number)
    let made = WaitBenchmark.cpuSeconds() - start
    making.withLock { $0 += made }
    return HTTPResponse(status: 200, body: body)
  }

  /// Returns after so many more requests.
  func polls(_ count: Int) async {
    let target = requests.withLock { $0 } + count
    while requests.withLock({ $0 }) < target {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private static func list(jobs: Int, elapsed: Int) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(jobs * 560)
    let time = "0000:00:\(elapsed % 50 + 10)"
    for number in 1...jobs {
      text += number == 1 ? "[".utf8 : ",".utf8
      text += #"{"job_id":"\#(number)","job_name":"job1.sh","status":"RUN","user":"a03010","#.utf8
      text +=
        #""group":"rccs-aot","start_date":"2021-04-12T11:25:00","elapsed_time":"\#(time)","#.utf8
      text += Self.rest
    }
    text += "]".utf8
    return text
  }

  private static let rest = Array(
    (#""node_require":"12","priority":"127","accept":"2021-04-12T11:25:50","queue":"small","#
      + #""Fugaku:elapsed_limit":"0000:01:00","Fugaku:md":"NM","Fugaku:vnode":"-","#
      + #""Fugaku:core":"-","Fugaku:v_mem":"-","Fugaku:v_pol":"-","Fugaku:e_pol":"-","#
      + #""Fugaku:rank":"bychip","Fugaku:lst":"QUE","Fugaku:ec":"0","Fugaku:pc":"0","#
      + #""Fugaku:sn":"0","Fugaku:reason":"-"}"#).utf8)
}
