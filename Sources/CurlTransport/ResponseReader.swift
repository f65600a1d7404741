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
    let text = unsafe trimmed(line[...])
    if unsafe text.isEmpty {
      // After an interim answer (100 Continue) the real one follows.
      guard status >= 200 else { return }
      isHeadComplete = true
      try checkLength()
    } else if unsafe text.starts(with: "HTTP/".utf8) {
      let code = unsafe text.split(separator: 0x20, maxSplits: 2).dropFirst().first
      status = unsafe code.flatMap { unsafe Int(String(decoding: $0, as: UTF8.self)) } ?? 0
      headers = HTTPHeaders()
    } else if let colon = unsafe text.firstIndex(of: 0x3a) {
      let value = unsafe trimmed(text[text.index(after: colon)...])
      unsafe headers.add(
        String(decoding: text[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
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
    guard hasBody, let limit = memoryLimit,
      let length = headers["Content-Length"].flatMap({ Int($0) })
    else { return }
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

  /// Without blanks and line ends around it.
  private func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
    var text = unsafe text
    while let last = unsafe text.last, last <= 0x20 { unsafe text.removeLast() }
    while let first = unsafe text.first, first <= 0x20 { unsafe text.removeFirst() }
    return unsafe text
  }
}
