import FoundationEssentials
import Glibc
import HTTP
import ObjectStore
import SigV4
import Synchronization
import XML

/// A bucket in memory that judges signatures, and does what a test tells it to instead of answering.
final class MemoryBucket: HTTPTransport {
  /// What happens to a request instead of, or to, its answer.
  enum Fault: Sendable {
    /// This answer, without looking at the request.
    case answer(HTTPResponse)
    /// No answer; the request had no effect.
    case lose(TransportError.Kind)
    /// No answer; the request had its effect.
    case loseReply(TransportError.Kind)
    /// The answer ends after so many bytes of its body; a shorter one comes whole.
    case truncate(Int)
    /// The answer after a change.
    case change(@Sendable (inout HTTPResponse) -> Void)
    /// Something else happens first.
    case first(@Sendable (MemoryBucket) -> Void)
  }

  struct Object: Sendable {
    var bytes: [UInt8]
    var etag: String
    var metadata: [(String, String)]
  }

  struct State: Sendable {
    var objects: [[UInt8]: Object] = [:]
    var uploads: [String: (key: String, metadata: [(String, String)], parts: [Int: [UInt8]])] = [:]
    var requests: [HTTPRequest] = []
    var running = 0
    var peak = 0
    /// What is wrong with requests that no correct client sends.
    var complaints: [String] = []
  }

  static let credentials = Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "secret")
  static let now = Date(timeIntervalSince1970: 1_800_000_000)

  private let state = Mutex(State())
  /// Asked before each request: what is to happen, by request and its number from 1.
  private let fault: @Sendable (HTTPRequest, Int) -> Fault?
  /// The service's clock against the client's, in seconds.
  private let skew: Double

  init(skew: Double = 0, fault: @escaping @Sendable (HTTPRequest, Int) -> Fault? = { _, _ in nil })
  {
    self.skew = skew
    self.fault = fault
  }

  func store(
    connections: Int = 8, threshold: Int64 = 64 << 20, partSize: Int64 = 16 << 20,
    retry: ObjectStore.RetryPolicy = .init(), clock: any Clock<Duration> = InstantClock()
  ) -> ObjectStore {
    ObjectStore(
      ObjectStore.Configuration(
        endpoint: HTTPURL(scheme: .http, host: "store.test"), bucket: "home", region: "jp-east-1",
        credentials: Self.credentials, connections: connections, retry: retry,
        multipartThreshold: threshold, partSize: partSize), transport: self,
      surroundings: .init(clock: clock, now: { Self.now }, random: { 0.5 }))
  }

  // MARK: What tests look at

  func put(_ text: String, _ key: String) { put(Array(text.utf8), key) }

  func put(_ bytes: [UInt8], _ key: String, etag: String? = nil, metadata: [(String, String)] = [])
  {
    let etag = etag ?? Hexadecimal.text(MD5.digest(of: bytes))
    state.withLock {
      $0.objects[Array(key.utf8)] = Object(bytes: bytes, etag: etag, metadata: metadata)
    }
  }

  func bytes(_ key: String) -> [UInt8]? { state.withLock { $0.objects[Array(key.utf8)]?.bytes } }
  var keys: [String] {
    state.withLock {
      $0.objects.keys.sorted { $0.lexicographicallyPrecedes($1) }
        .map { String(decoding: $0, as: UTF8.self) }
    }
  }
  /// Most requests at a time.
  var peak: Int { state.withLock { $0.peak } }
  /// Uploads in parts that are neither complete nor taken back.
  var openUploads: Int { state.withLock { $0.uploads.count } }
  var requests: [HTTPRequest] { state.withLock { $0.requests } }
  var complaints: [String] { state.withLock { $0.complaints } }
  /// Method and target of each request.
  var log: [String] { requests.map { "\($0.method.rawValue) \($0.url.target)" } }

  // MARK: Transport

  func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    var request = request
    request.signer?.sign(&request, at: Self.now)
    let number = state.withLock { state in
      state.requests.append(request)
      state.running += 1
      state.peak = max(state.peak, state.running)
      return state.requests.count
    }
    await Task.yield()
    defer { state.withLock { $0.running -= 1 } }
    if Task.isCancelled { throw Self.error(.cancelled) }
    switch fault(request, number) {
    case nil:
      return try deliver(try answer(request), request)
    case .answer(let response):
      return try deliver(response, request)
    case .lose(let kind):
      throw Self.error(kind)
    case .loseReply(let kind):
      _ = try answer(request)
      throw Self.error(kind)
    case .truncate(let count):
      var response = try answer(request)
      guard response.body.count > count else { return try deliver(response, request) }
      response.body = Array(response.body.prefix(count))
      _ = try deliver(response, request)
      throw Self.error(.truncated)
    case .change(let change):
      var response = try answer(request)
      change(&response)
      return try deliver(response, request)
    case .first(let action):
      action(self)
      return try deliver(try answer(request), request)
    }
  }

  private static func error(_ kind: TransportError.Kind) -> TransportError {
    TransportError(kind, mayHaveBeenSent: true, detail: "scripted: \(kind)")
  }

  /// Does with the body what the sink says.
  private func deliver(
    _ response: HTTPResponse, _ request: HTTPRequest
  ) throws(TransportError) -> HTTPResponse {
    var response = response
    switch request.sink {
    case .memory(let limit):
      guard response.body.count <= limit else { throw Self.error(.bodyTooLarge(limit: limit)) }
    case .file(let descriptor, _) where (200..<300).contains(response.status):
      var rest = response.body[...]
      while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes {
          unsafe write(descriptor, $0.baseAddress, $0.count)
        }
        guard count > 0 else { throw Self.error(.file(errno: errno)) }
        rest = rest.dropFirst(count)
      }
      response.body = []
    case .file: break
    }
    return response
  }

  private func body(_ request: HTTPRequest) throws(TransportError) -> [UInt8] {
    switch request.body {
    case .none: return []
    case .bytes(let bytes): return bytes
    case .file(let path, let offset, let length):
      let descriptor = unsafe open(path, O_RDONLY)
      guard descriptor >= 0 else { throw Self.error(.file(errno: errno)) }
      defer { close(descriptor) }
      var bytes = [UInt8](repeating: 0, count: Int(length))
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
      }
      guard count == bytes.count else { throw Self.error(.file(errno: EIO)) }
      return bytes
    }
  }

  // MARK: Service

  private func answer(_ request: HTTPRequest) throws(TransportError) -> HTTPResponse {
    let body = try body(request)
    if let refusal = refusal(request, body) { return refusal }
    let path = request.url.path.dropFirst().split(separator: "/", maxSplits: 1)
    guard path.first == "home" else { return Self.refuse(404, "NoSuchBucket") }
    let key = path.count > 1 ? Self.decoded(String(path[1])) : nil
    var query: [String: String] = [:]
    for pair in (request.url.query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[Self.decoded(String(parts[0]))] = parts.count > 1 ? Self.decoded(String(parts[1])) : ""
    }
    return state.withLock { state in
      guard let key else { return Self.onBucket(request, query, body, &state) }
      return Self.onObject(request, key, query, body, &state)
    }
  }

  private func refusal(_ request: HTTPRequest, _ body: [UInt8]) -> HTTPResponse? {
    var verifier = SigV4Verifier(
      scope: SigningScope(region: "jp-east-1", service: "s3"), variant: .s3)
    verifier.tolerance = .seconds(900)
    var headers = request.headers
    headers["Host"] = request.url.hostHeader
    do {
      _ = try verifier.verify(
        .init(
          method: request.method.rawValue, path: request.url.path, query: request.url.query,
          headers: headers, bodySHA256: SHA256.hexadecimal(of: body)),
        at: Self.now.addingTimeInterval(skew)
      ) { $0 == Self.credentials.accessKeyID ? Self.credentials : nil }
    } catch .expired {
      return Self.refuse(403, "RequestTimeTooSkewed", date: "Fri, 15 Jan 2027 10:00:00 GMT")
    } catch .bodyMismatch {
      return Self.refuse(400, "XAmzContentSHA256Mismatch")
    } catch {
      state.withLock { $0.complaints.append("\(error)") }
      return Self.refuse(403, "SignatureDoesNotMatch")
    }
    if let md5 = request.headers["Content-MD5"],
      md5 != Data(MD5.digest(of: body)).base64EncodedString()
    {
      return Self.refuse(400, "BadDigest")
    }
    return nil
  }

  private static func onBucket(
    _ request: HTTPRequest, _ query: [String: String], _ body: [UInt8], _ state: inout State
  ) -> HTTPResponse {
    if request.method == .post, query["delete"] != nil { return deleteMany(body, &state) }
    guard request.method == .get, query["list-type"] == "2" else {
      return refuse(400, "BadRequest")
    }
    let prefix = Array((query["prefix"] ?? "").utf8)
    let after = Array((query["continuation-token"] ?? query["start-after"] ?? "").utf8)
    let delimiter = query["delimiter"].flatMap { $0.utf8.first }
    let keys = state.objects.keys.filter { $0.starts(with: prefix) }
      .sorted { $0.lexicographicallyPrecedes($1) }
    var children: [XMLElement] = []
    var folded: Set<[UInt8]> = []
    var last: [UInt8]?
    let limit = query["max-keys"].flatMap { Int($0) } ?? 1000
    for key in keys {
      var name = key
      if let delimiter, let end = key.dropFirst(prefix.count).firstIndex(of: delimiter) {
        name = Array(key[...end])
      }
      guard after.lexicographicallyPrecedes(name), !folded.contains(name) else { continue }
      if children.count == limit {
        children.append(
          XMLElement("NextContinuationToken", text: String(decoding: last ?? [], as: UTF8.self)))
        children.append(XMLElement("IsTruncated", text: "true"))
        break
      }
      last = name
      let text = encoded(name)
      if name != key {
        folded.insert(name)
        children.append(
          XMLElement("CommonPrefixes", children: [XMLElement("Prefix", text: text)]))
      } else if let object = state.objects[key] {
        children.append(
          XMLElement(
            "Contents",
            children: [
              XMLElement("Key", text: text), XMLElement("Size", text: "\(object.bytes.count)"),
              XMLElement("ETag", text: "\"\(object.etag)\""),
              XMLElement("LastModified", text: "2026-10-01T12:34:56.789Z"),
            ]))
      }
    }
    children.append(XMLElement("EncodingType", text: "url"))
    return document(XMLElement("ListBucketResult", children: children))
  }

  private static func deleteMany(_ body: [UInt8], _ state: inout State) -> HTTPResponse {
    guard let root = try? XMLElement(parsing: body) else { return refuse(400, "MalformedXML") }
    var errors: [XMLElement] = []
    for object in root[all: "Object"] {
      let key = object["Key"]?.text ?? ""
      if key.hasPrefix("locked/") {
        errors.append(
          XMLElement(
            "Error",
            children: [XMLElement("Key", text: key), XMLElement("Code", text: "AccessDenied")]))
      } else {
        state.objects[Array(key.utf8)] = nil
      }
    }
    return document(XMLElement("DeleteResult", children: errors))
  }

  private static func onObject(
    _ request: HTTPRequest, _ key: String, _ query: [String: String], _ body: [UInt8],
    _ state: inout State
  ) -> HTTPResponse {
    let bytes = Array(key.utf8)
    let metadata = request.headers.fields.filter { $0.name.lowercased().hasPrefix("x-amz-meta-") }
      .map { ($0.name, $0.value) }
    if request.method == .post, query["uploads"] != nil {
      let id = "upload-\(state.requests.count)"
      state.uploads[id] = (key, metadata, [:])
      return document(
        XMLElement("InitiateMultipartUploadResult", children: [XMLElement("UploadId", text: id)]))
    }
    if let id = query["uploadId"] {
      guard var upload = state.uploads[id], upload.key == key else {
        return refuse(404, "NoSuchUpload")
      }
      switch request.method {
      case .put:
        guard let number = query["partNumber"].flatMap({ Int($0) }) else {
          return refuse(400, "BadRequest")
        }
        upload.parts[number] = body
        state.uploads[id] = upload
        return HTTPResponse(status: 200, headers: ["ETag": quoted(body)])
      case .delete:
        state.uploads[id] = nil
        return HTTPResponse(status: 204)
      default:
        return complete(upload.key, upload.metadata, upload.parts, body, id, &state)
      }
    }
    switch request.method {
    case .put:
      state.objects[bytes] = Object(
        bytes: body, etag: Hexadecimal.text(MD5.digest(of: body)), metadata: metadata)
      return HTTPResponse(status: 200, headers: ["ETag": quoted(body)])
    case .delete:
      state.objects[bytes] = nil
      return HTTPResponse(status: 204)
    default:
      guard let object = state.objects[bytes] else {
        return request.method == .head
          ? HTTPResponse(status: 404) : refuse(404, "NoSuchKey")
      }
      return read(object, request)
    }
  }

  private static func read(_ object: Object, _ request: HTTPRequest) -> HTTPResponse {
    var headers: HTTPHeaders = [
      "ETag": "\"\(object.etag)\"", "Last-Modified": "Thu, 01 Oct 2026 12:34:56 GMT",
      "Content-Length": "\(object.bytes.count)",
    ]
    for (name, value) in object.metadata { headers.add(name, value) }
    if request.method == .head { return HTTPResponse(status: 200, headers: headers) }
    if let match = request.headers["If-Match"], match != "\"\(object.etag)\"" {
      return refuse(412, "PreconditionFailed")
    }
    guard let range = request.headers["Range"] else {
      return HTTPResponse(status: 200, headers: headers, body: object.bytes)
    }
    let ends = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
    guard ends.count == 2, ends[0] < object.bytes.count else { return refuse(416, "InvalidRange") }
    let part = Array(object.bytes[ends[0]..<min(ends[1] + 1, object.bytes.count)])
    headers["Content-Length"] = "\(part.count)"
    headers["Content-Range"] =
      "bytes \(ends[0])-\(ends[0] + part.count - 1)/\(object.bytes.count)"
    return HTTPResponse(status: 206, headers: headers, body: part)
  }

  private static func complete(
    _ key: String, _ metadata: [(String, String)], _ parts: [Int: [UInt8]], _ body: [UInt8],
    _ id: String, _ state: inout State
  ) -> HTTPResponse {
    guard let root = try? XMLElement(parsing: body) else { return refuse(400, "MalformedXML") }
    var content: [UInt8] = []
    var digests: [UInt8] = []
    let list = root[all: "Part"]
    for (index, part) in list.enumerated() {
      guard part["PartNumber"]?.text == "\(index + 1)", let bytes = parts[index + 1],
        part["ETag"]?.text == quoted(bytes)
      else { return refuse(400, "InvalidPart") }
      content += bytes
      digests += MD5.digest(of: bytes)
    }
    let etag = "\(Hexadecimal.text(MD5.digest(of: digests)))-\(list.count)"
    state.uploads[id] = nil
    state.objects[Array(key.utf8)] = Object(bytes: content, etag: etag, metadata: metadata)
    return document(
      XMLElement(
        "CompleteMultipartUploadResult", children: [XMLElement("ETag", text: "\"\(etag)\"")]))
  }

  static func refuse(_ status: Int, _ code: String, date: String? = nil) -> HTTPResponse {
    var response = document(
      XMLElement(
        "Error",
        children: [XMLElement("Code", text: code), XMLElement("Message", text: "\(code), indeed.")])
    )
    response.status = status
    if let date { response.headers["Date"] = date }
    return response
  }

  private static func document(_ element: XMLElement) -> HTTPResponse {
    HTTPResponse(
      status: 200, headers: ["Content-Type": "application/xml"],
      body: Array(("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + element.encoded).utf8))
  }

  private static func quoted(_ bytes: [UInt8]) -> String {
    "\"\(Hexadecimal.text(MD5.digest(of: bytes)))\""
  }

  /// As Amazon does: spaces as plus signs.
  private static func encoded(_ bytes: [UInt8]) -> String {
    PercentEncoding.path(String(decoding: bytes, as: UTF8.self))
      .split(separator: "%20", omittingEmptySubsequences: false).joined(separator: "+")
  }

  private static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A clock on which pauses take no time, and are remembered.
final class InstantClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration
    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
  }

  private let state = Mutex<(now: Duration, pauses: [Duration])>((.zero, []))

  var now: Instant { Instant(offset: state.withLock { $0.now }) }
  var minimumResolution: Duration { .zero }
  var pauses: [Duration] { state.withLock { $0.pauses } }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    state.withLock { state in
      state.pauses.append(deadline.offset - state.now)
      state.now = max(state.now, deadline.offset)
    }
  }
}
