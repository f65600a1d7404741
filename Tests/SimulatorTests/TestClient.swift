import FoundationEssentials
import Glibc
import HTTP
import JSON
import SigV4

@testable import Simulator

/// A plain socket that speaks HTTP/1.1: what tests of a server need to be certain of what is sent.
final class TestConnection {
  enum Failure: Error { case connect, closed, garbage(String), late }

  private let socket: Int32
  private var buffer: [UInt8] = []

  init(port: Int) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    // A server that answers nothing fails a test, and does not hold it up.
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    guard unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, size) == 0 else {
      throw Failure.connect
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let code = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw Failure.connect }
  }

  deinit { close(socket) }

  func write(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe send(
          socket, $0.baseAddress.map { unsafe $0 + sent }, bytes.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      sent += count
    }
  }

  /// Reads one answer; the body by its length.
  func read(head: Bool = false) throws -> HTTPResponse {
    while true {
      if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
        let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
          .split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.split(separator: " ")[1]) else {
          throw Failure.garbage(String(decoding: buffer, as: UTF8.self))
        }
        var response = HTTPResponse(status: status)
        for line in lines.dropFirst() {
          let name = line.prefix { $0 != ":" }
          let value = line.dropFirst(name.count + 1).drop { $0 == " " }
          response.headers.add(String(name), String(value))
        }
        buffer.removeSubrange(..<end.upperBound)
        if status == 100 { continue }
        let length = head ? 0 : Int(response.headers["Content-Length"] ?? "0") ?? 0
        while buffer.count < length { try fill() }
        response.body = Array(buffer[..<length])
        buffer.removeSubrange(..<length)
        return response
      }
      try fill()
    }
  }

  /// Whether the server closes the connection, with what is sent up to then dropped.
  func isClosed() -> Bool {
    do {
      while true { try fill() }
    } catch Failure.closed {
      return true
    } catch {
      return false
    }
  }

  private func fill() throws {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let (count, code) = unsafe chunk.withUnsafeMutableBytes {
      (unsafe recv(socket, $0.baseAddress, $0.count, 0), errno)
    }
    if count < 0, code == EAGAIN { throw Failure.late }
    guard count > 0 else { throw Failure.closed }
    buffer += chunk[..<count]
  }
}

/// Signs and sends requests to a simulator.
struct TestClient {
  /// Kept, so that it serves as long as there is a client.
  let simulator: Simulator
  let base: HTTPURL
  var signer: SigV4Signer?
  var date = Date()

  init(_ simulator: Simulator, ofBucket: Bool = false) throws {
    self.simulator = simulator
    base = try HTTPURL(parsing: ofBucket ? simulator.storageEndpoint : simulator.endpoint)
    signer = SigV4Signer(
      credentials: Credentials(
        accessKeyID: simulator.accessKeyID, secretAccessKey: simulator.secretAccessKey),
      scope: SigningScope(
        region: simulator.region, service: ofBucket ? "s3" : simulator.service),
      variant: ofBucket ? .s3 : .standard)
  }

  func connect() throws -> TestConnection { try TestConnection(port: base.port ?? 80) }

  /// The bytes of a signed request.
  func bytes(
    _ method: HTTPMethod, _ target: String, body: [UInt8] = [], headers: HTTPHeaders = [:]
  ) -> [UInt8] {
    var url = base
    let parts = target.split(separator: "?", maxSplits: 1)
    url.path = String(parts[0])
    url.query = parts.count > 1 ? String(parts[1]) : nil
    var request = HTTPRequest(method, url, headers: headers, body: .bytes(body))
    signer?.sign(&request, at: date)
    var text = "\(method.rawValue) \(url.target) HTTP/1.1\r\nHost: \(url.hostHeader)\r\n"
    for field in request.headers.fields where field.name.lowercased() != "host" {
      text += "\(field.name): \(field.value)\r\n"
    }
    if !body.isEmpty || method == .post || method == .put {
      text += "Content-Length: \(body.count)\r\n"
    }
    return Array((text + "\r\n").utf8) + body
  }

  /// One request over a connection of its own, or the given one.
  func send(
    _ method: HTTPMethod, _ target: String, body: [UInt8] = [], headers: HTTPHeaders = [:],
    on connection: TestConnection? = nil
  ) throws -> HTTPResponse {
    let connection = try connection ?? connect()
    connection.write(bytes(method, target, body: body, headers: headers))
    return try connection.read(head: method == .head)
  }

  static let jsonType = "application/json;charset=utf-8"

  func post(_ path: String, _ value: JSONValue) throws -> HTTPResponse {
    try send(.post, path, body: value.encoded(), headers: ["Content-Type": Self.jsonType])
  }

  func submit(_ jobfile: String) throws -> Int {
    let response = try post("/jobs", ["jobfile": .string(jobfile)])
    let value = try JSONValue(parsing: response.body)
    guard let id = value["job_id"]?.int else {
      throw TestConnection.Failure.garbage(String(decoding: response.body, as: UTF8.self))
    }
    return Int(id)
  }

  func list() throws -> [JSONValue] {
    try JSONValue(parsing: send(.get, "/jobs").body).array ?? []
  }

  func state() throws -> JSONValue {
    var unsigned = self
    unsigned.signer = nil
    return try JSONValue(parsing: unsigned.send(.get, "/_sim/state").body)
  }

  /// What the state report says of a job, once it has ended.
  func ended(_ id: Int) throws -> JSONValue {
    try until {
      let job = try state()["jobs"]?.array?.first { $0["id"]?.int == Int64(id) }
      guard let job, job["ended"] != .null,
        try !list().contains(where: { $0["job_id"]?.string == "\(id)" })
      else { return JSONValue?.none }
      return job
    }
  }

  /// What the status of a sync says, once it has ended.
  func endedSync(_ id: Int) throws -> JSONValue {
    try until {
      let status = try JSONValue(parsing: send(.get, "/files/sync/\(id)").body)
      return status["status"] == "waiting" ? JSONValue?.none : status
    }
  }
}

/// Asks until there is an answer; one that does not come in a minute fails the test.
func until<Value>(_ ask: () throws -> Value?) throws -> Value {
  let end = ContinuousClock.now + .seconds(60)
  while ContinuousClock.now < end {
    if let value = try ask() { return value }
    usleep(5_000)
  }
  throw TestConnection.Failure.late
}

/// The same for what becomes true.
func until(_ condition: () throws -> Bool) throws {
  try until { try condition() ? () : nil }
}

/// A new folder; whoever makes it removes it.
func makeTestFolder() throws -> String {
  var template = Array("/tmp/hpc-test-XXXXXX".utf8CString)
  guard unsafe mkdtemp(&template) != nil else { throw TestConnection.Failure.connect }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A simulator in a folder of its own; both go away with the last reference to the simulator.
final class TestSimulator {
  let simulator: Simulator
  let client: TestClient
  var home: String { simulator.home }

  init(_ change: (inout Simulator.Configuration) -> Void = { _ in }) throws {
    var configuration = Simulator.Configuration()
    configuration.speed = 20
    change(&configuration)
    simulator = try Simulator.start(configuration)
    client = try TestClient(simulator)
  }

  func script(_ name: String, _ text: String) throws {
    try LocalFiles.replace(home + "/" + name, with: Array(text.utf8))
  }

  func text(_ name: String) throws -> String {
    String(decoding: try LocalFiles.read(home + "/" + name), as: UTF8.self)
  }
}
