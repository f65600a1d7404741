import Glibc
import HTTP

/// Collects an answer from the lines and blocks that curl hands over.
struct ResponseReader {
  /// Why the transfer must end.
  enum Rejection: Error {
    case tooLarge(limit: Int)
    case headersTooLarge
    case file(errno: Int32)
  }

  /// All header lines together: far above what servers send, below the 300 KiB
  /// at which curl gives up with an error that looks like a lost connection.
  static let headerLimit = 256 << 10

  private(set) var status = 0
  private(set) var headers = HTTPHeaders()
  private(set) var body: [UInt8] = []
  /// Whether the empty line after the headers has come.
  private(set) var isHeadComplete = false
  private(set) var headerBytes = 0
  private(set) var bodyBytes: Int64 = 0

  private let sink: HTTPSink
  private let hasBody: Bool
  /// What Content-Length announces.
  private var length: Int?

  init(_ request: HTTPRequest) {
    sink = request.sink
    hasBody = request.method != .head
  }

  /// One header line with its line end: status line, field, or the empty line.
  mutating func header(_ line: UnsafeRawBufferPointer) throws(Rejection) {
    headerBytes += line.count
    guard headerBytes <= Self.headerLimit else { throw .headersTooLarge }
    // Trailers of a chunked answer carry nothing that anyone here reads.
    guard !isHeadComplete else { return }
    var end = line.count
    while end > 0, unsafe line[end - 1] <= 0x20 { end -= 1 }
    if end == 0 {
      // After an interim answer (100 Continue) the real one follows.
      guard status >= 200 else { return }
      isHeadComplete = true
      try checkLength()
    } else if unsafe line.starts(with: Self.startOfStatus) {
      status = unsafe Self.status(in: line[..<end])
      headers = HTTPHeaders()
      length = nil
    } else if let colon = unsafe line[..<end].firstIndex(of: 0x3a) {
      var start = colon + 1
      while start < end, unsafe line[start] <= 0x20 { start += 1 }
      let name = unsafe String(decoding: line[..<colon], as: UTF8.self)
      let value = unsafe String(decoding: line[start..<end], as: UTF8.self)
      if unsafe line[..<colon].elementsEqual(Self.contentLength, by: { $0 | 0x20 == $1 }) {
        length = Int(value)
      }
      headers.add(name, value)
    }
  }

  private static let startOfStatus = Array("HTTP/".utf8)
  private static let contentLength = Array("content-length".utf8)

  /// The number after the version; 0 where there is none.
  private static func status(in line: Slice<UnsafeRawBufferPointer>) -> Int {
    var status = 0
    guard let blank = unsafe line.firstIndex(of: 0x20) else { return 0 }
    let end = unsafe min(blank + 4, line.endIndex)
    for index in (blank + 1)..<end {
      let byte = unsafe line[index]
      guard (0x30...0x39).contains(byte) else { return 0 }
      status = status * 10 + Int(byte - 0x30)
    }
    return status
  }

  /// The next bytes of the body.
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Rejection) {
    bodyBytes += Int64(bytes.count)
    if let limit = memoryLimit {
      guard bodyBytes <= Int64(limit) else { throw .tooLarge(limit: limit) }
      unsafe body.append(contentsOf: bytes)
    } else if case .file(let descriptor, _) = sink {
      unsafe try write(bytes, to: descriptor)
    }
  }

  /// nil where the body goes to a file.
  private var memoryLimit: Int? {
    switch sink {
    case .memory(let limit): limit
    case .file(_, let errorLimit): (200..<300).contains(status) ? nil : errorLimit
    }
  }

  /// Refuses at once what is announced to be too large, and makes room for the rest.
  private mutating func checkLength() throws(Rejection) {
    guard hasBody, let limit = memoryLimit, let length else { return }
    guard length <= limit else { throw .tooLarge(limit: limit) }
    // An announcement costs a server nothing: room for more is made when the bytes come.
    body.reserveCapacity(min(max(0, length), 8 << 20))
  }

  private func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(Rejection) {
    var rest = unsafe bytes
    while unsafe !rest.isEmpty {
      let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .file(errno: count < 0 ? errno : EIO) }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}
