import CCurl
import Glibc
import HTTP

/// curl's side of one connection slot: an easy handle and a connection cache of its own.
///
/// Owns both handles. Belongs to the curl thread. curl's callbacks get an unretained pointer to the
/// slot: they are called only while its transfer is in the multi handle, and its owner keeps the
/// slot for as long as the easy handle, which it frees itself.
@safe final class CurlSlot {
  /// curl refused an option: a programming error or memory gone.
  struct Refused: Error {
    let code: CURLcode
  }

  /// What curl knows about a transfer that is over.
  struct Ending {
    /// Bytes of the request that were sent (CURLINFO_REQUEST_SIZE).
    let requestSize: Int
    /// Whether the connection is kept for the next request.
    let connected: Bool
    /// Whether the transfer made no connection of its own.
    let reused: Bool
  }

  let index: Int
  private(set) var transfer: Transfer?
  private let easy: UnsafeMutableRawPointer
  private var share: UnsafeMutableRawPointer?
  /// curl's parsed form of ``url``.
  private let address: OpaquePointer
  private var url: HTTPURL?
  private var headerList: UnsafeMutablePointer<curl_slist>?
  /// A header line while it is made.
  private var line: [UInt8] = []
  private let userAgent: String
  private let errorBuffer: UnsafeMutablePointer<CChar>
  private var method: HTTPMethod?
  private var bufferSize: Int?

  init(index: Int, for url: HTTPURL, _ configuration: CurlTransport.Configuration) throws(Refused) {
    guard let easy = unsafe curl_easy_init() else { throw Refused(code: CURLE_FAILED_INIT) }
    guard let address = unsafe curl_url() else {
      unsafe curl_easy_cleanup(easy)
      throw Refused(code: CURLE_OUT_OF_MEMORY)
    }
    self.index = index
    userAgent = configuration.userAgent
    unsafe self.easy = easy
    unsafe self.address = address
    unsafe errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    try setConnection(url, configuration)
    try setCallbacks()
  }

  deinit {
    disconnect()
    unsafe curl_easy_cleanup(easy)
    unsafe curl_url_cleanup(address)
    unsafe curl_slist_free_all(headerList)
    unsafe errorBuffer.deallocate()
  }

  /// Closes the slot's connection at once: nothing but the end of its cache does (design §4).
  func disconnect() {
    guard let share = unsafe share else { return }
    _ = unsafe curl_easy_set_pointer(easy, CURLOPT_SHARE, nil)
    _ = unsafe curl_share_cleanup(share)
    unsafe self.share = nil
  }

  /// Sets everything up for a transfer and hands it to the multi handle.
  func start(_ transfer: Transfer, in multi: UnsafeMutableRawPointer) throws(Refused) {
    unsafe errorBuffer[0] = 0
    try setCache()
    try setMessage(transfer.request)
    self.transfer = transfer
    let code = unsafe curl_multi_add_handle(multi, easy)
    guard code == CURLM_OK else {
      self.transfer = nil
      throw Refused(code: CURLE_FAILED_INIT)
    }
  }

  /// Takes the transfer out of the multi handle. One that has not ended by itself ends here, and
  /// its connection with it.
  func stop(in multi: UnsafeMutableRawPointer, hasEnded: Bool) -> Ending {
    var requestSize = 0
    var connects = 0
    var socket = CURL_SOCKET_BAD
    _ = unsafe curl_easy_get_long(easy, CURLINFO_REQUEST_SIZE, &requestSize)
    _ = unsafe curl_easy_get_long(easy, CURLINFO_NUM_CONNECTS, &connects)
    if hasEnded { _ = unsafe curl_easy_get_socket(easy, CURLINFO_ACTIVESOCKET, &socket) }
    _ = unsafe curl_multi_remove_handle(multi, easy)
    transfer = nil
    return Ending(
      requestSize: requestSize, connected: socket != CURL_SOCKET_BAD, reused: connects == 0)
  }

  /// curl's sentence about what went wrong.
  var message: String { unsafe String(cString: errorBuffer) }

  func isHandle(_ other: UnsafeMutableRawPointer?) -> Bool { unsafe easy == other }

  // MARK: - Options that stay

  private func setConnection(_ url: HTTPURL, _ configuration: CurlTransport.Configuration)
    throws(Refused)
  {
    unsafe try check(curl_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorBuffer))
    unsafe try check(
      curl_easy_set_opensocket(
        easy,
        { _, _, address in
          guard let address = unsafe address?.pointee else { return CURL_SOCKET_BAD }
          let kind = address.socktype | Int32(SOCK_CLOEXEC.rawValue)
          return socket(address.family, kind, address.protocol)
        }))
    // Closing alone would leave the connection open for as long as a process just forked has a copy
    // of the descriptor, while the slot already goes to somebody else.
    unsafe try check(
      curl_easy_set_closesocket(easy) { _, socket in
        shutdown(socket, Int32(SHUT_RDWR))
        return close(socket)
      })
    try set(CURLOPT_NOSIGNAL, 1)
    try set(CURLOPT_QUICK_EXIT, 1)
    try set(CURLOPT_PROTOCOLS_STR, "http,https")
    // One connection carries one request at a time, or ten of them would not be ten requests.
    try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    unsafe try check(curl_easy_set_address(easy, address))
    if let file = configuration.caFile { try set(CURLOPT_CAINFO, file) }
    if url.isLoopback { try set(CURLOPT_NOPROXY, "*") }
  }

  private func setCallbacks() throws(Refused) {
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    for option in [
      CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA,
    ] {
      unsafe try check(curl_easy_set_pointer(easy, option, context))
    }
    unsafe try check(
      curl_easy_set_prereq(easy) { context, _, _, _, _ in
        let goes = unsafe CurlSlot.transfer(context)?.willSend() ?? false
        return goes ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
      })
    unsafe try check(
      curl_easy_set_transfer(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
        let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        return unsafe CurlSlot.transfer(context)?.receiveHeader(line) == true ? size * count : 0
      })
    unsafe try check(
      curl_easy_set_transfer(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
        let block = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        return unsafe CurlSlot.transfer(context)?.receiveBody(block) == true ? size * count : 0
      })
    unsafe try check(
      curl_easy_set_transfer(easy, CURLOPT_READFUNCTION) { bytes, size, count, context in
        let room = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
        return unsafe CurlSlot.transfer(context)?.readBody(into: room) ?? Int(CURL_READFUNC_ABORT)
      })
    unsafe try check(
      curl_easy_set_seek(easy) { context, offset, origin in
        guard let transfer = unsafe CurlSlot.transfer(context) else { return CURL_SEEKFUNC_FAIL }
        return origin == SEEK_SET && transfer.rewind(to: Int64(offset))
          ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
      })
  }

  // MARK: - Options of one request

  /// A cache for the slot's one connection, unless there is one.
  private func setCache() throws(Refused) {
    guard unsafe share == nil else { return }
    unsafe share = curl_share_init()
    _ = unsafe curl_share_set_long(share, CURLSHOPT_SHARE, Int(CURL_LOCK_DATA_CONNECT.rawValue))
    unsafe try check(curl_easy_set_pointer(easy, CURLOPT_SHARE, share))
  }

  private func setMessage(_ request: HTTPRequest) throws(Refused) {
    try setURL(request.url)
    try set(CURLOPT_FRESH_CONNECT, request.wantsFreshConnection ? 1 : 0)
    try set(CURLOPT_CONNECTTIMEOUT_MS, Span(request.timeouts.connect).curlMilliseconds)
    try set(CURLOPT_TIMEOUT_MS, request.timeouts.total.map { Span($0).curlMilliseconds } ?? 0)
    // Only where it changes: curl refuses it while it still holds a buffer, as after a failed look-up
    // of a name.
    let size = Self.bufferSize(request.sink)
    if size != bufferSize {
      try set(CURLOPT_BUFFERSIZE, size)
      bufferSize = size
    }
    try setMethod(request)
    unsafe curl_slist_free_all(headerList)
    unsafe headerList = nil
    for field in request.headers.fields { try addHeader(field.name, field.value) }
    // As a line like the others: curl would format it twice for its own option.
    if request.headers["User-Agent"] == nil { try addHeader("User-Agent", userAgent) }
    // Nothing that curl would add by itself beside Host and Content-Length.
    for name in request.body.count == 0 ? ["Accept"] : ["Accept", "Content-Type", "Expect"]
    where request.headers[name] == nil {
      try addHeader(name, nil)
    }
    unsafe try check(curl_easy_set_list(easy, CURLOPT_HTTPHEADER, headerList))
  }

  /// Has an address parsed when it changes; given as a text, curl would do it for each request.
  private func setURL(_ url: HTTPURL) throws(Refused) {
    guard url != self.url else { return }
    self.url = nil
    // The bytes that were signed are the bytes that go out: no dot segments are resolved.
    let flags = UInt32(CURLU_PATH_AS_IS)
    guard unsafe curl_url_set(address, CURLUPART_URL, url.description, flags) == CURLUE_OK else {
      throw Refused(code: CURLE_URL_MALFORMAT)
    }
    self.url = url
  }

  /// Bytes that are read and handed over at a time: for files fewer and larger pieces.
  private static func bufferSize(_ sink: HTTPSink) -> Int {
    switch sink {
    case .memory: Int(CURL_MAX_WRITE_SIZE)
    case .file: 256 << 10
    }
  }

  private func setMethod(_ request: HTTPRequest) throws(Refused) {
    let length = curl_off_t(request.body.count)
    if request.method == .get && method == .get && length == 0 { return }
    // Undoes what any other method has set.
    try set(CURLOPT_HTTPGET, 1)
    unsafe try check(curl_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, nil))
    method = length == 0 ? request.method : nil
    switch request.method {
    case .get where length == 0: break
    case .head: try set(CURLOPT_NOBODY, 1)
    case .delete where length == 0: try set(CURLOPT_CUSTOMREQUEST, "DELETE")
    case .post:
      try set(CURLOPT_POST, 1)
      unsafe try check(curl_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, length))
    case .put, .get, .delete:
      try set(CURLOPT_UPLOAD, 1)
      try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
      unsafe try check(curl_easy_set_offset(easy, CURLOPT_INFILESIZE_LARGE, length))
    }
  }

  /// Adds a field; without a value one that curl is to leave out.
  private func addHeader(_ name: String, _ value: String?) throws(Refused) {
    line.removeAll(keepingCapacity: true)
    line.append(contentsOf: name.utf8)
    let isName = !line.isEmpty && line.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }
    guard isName else { throw Refused(code: CURLE_BAD_FUNCTION_ARGUMENT) }
    // curl reads "Name:" as "leave Name out" and "Name;" as a field without a value.
    line.append(UInt8(ascii: value == "" ? ";" : ":"))
    let end = line.count
    if let value, !value.isEmpty {
      line.append(UInt8(ascii: " "))
      line.append(contentsOf: value.utf8)
    }
    guard line[end...].allSatisfy({ $0 != 0x0a && $0 != 0x0d && $0 != 0 }) else {
      throw Refused(code: CURLE_BAD_FUNCTION_ARGUMENT)
    }
    line.append(0)
    guard let longer = unsafe curl_slist_append_line(headerList, line) else {
      throw Refused(code: CURLE_OUT_OF_MEMORY)
    }
    unsafe headerList = longer
  }

  private func set(_ option: CURLoption, _ value: Int) throws(Refused) {
    unsafe try check(curl_easy_set_long(easy, option, value))
  }

  private func set(_ option: CURLoption, _ value: String) throws(Refused) {
    unsafe try check(curl_easy_set_string(easy, option, value))
  }

  private func check(_ code: CURLcode) throws(Refused) {
    guard code == CURLE_OK else { throw Refused(code: code) }
  }

  /// The transfer behind a callback's context.
  private static func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<CurlSlot>.fromOpaque(context).takeUnretainedValue().transfer
  }
}

extension Span {
  /// For curl, where 0 means "no bound" and a long counts.
  fileprivate var curlMilliseconds: Int { Int(min(max(1, milliseconds), Int64(Int32.max))) }
}

extension HTTPURL {
  /// The origin by which processes count connections: this machine has several names.
  var countedAs: String {
    var url = self
    if isLoopback { url.host = "localhost" }
    return url.origin
  }

  /// Whether the host is this machine by name or address.
  var isLoopback: Bool {
    host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]"
      || (host.hasPrefix("127.")
        && host.utf8.allSatisfy { $0 == 0x2e || (0x30...0x39).contains($0) })
  }
}
