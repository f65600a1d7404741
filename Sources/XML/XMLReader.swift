import CExpat

/// What a document consists of, in its order. Attributes, comments and processing instructions are
/// left out; text between two tags comes in one piece.
public enum XMLEvent: Sendable, Hashable {
  /// An element begins; the name as it is written.
  case start(String)
  case text(String)
  case end(String)
}

/// Reads a document piece by piece, in memory bounded by its longest text.
///
/// Documents with a document type are refused, so that there are no entities but the five of XML.
@safe public final class XMLReader {
  private let parser: OpaquePointer
  private let state: ReaderState

  /// - Parameters:
  ///   - limits: what the document may cost.
  ///   - receive: is given each event while bytes are fed.
  /// - Throws: `.outOfMemory`.
  public init(
    limits: XMLLimits = XMLLimits(), receive: @escaping (XMLEvent) -> Void
  ) throws(XMLError) {
    guard let parser = unsafe XML_ParserCreate(nil) else { throw .outOfMemory }
    unsafe self.parser = unsafe parser
    state = ReaderState(limits: limits, receive: receive)
    unsafe XML_SetUserData(parser, Unmanaged.passUnretained(state).toOpaque())
    unsafe XML_SetElementHandler(
      parser,
      { data, name, _ in unsafe ReaderState.of(data)?.start(name) },
      { data, name in unsafe ReaderState.of(data)?.end(name) })
    unsafe XML_SetCharacterDataHandler(
      parser, { data, text, count in unsafe ReaderState.of(data)?.append(text, count) })
    unsafe XML_SetStartDoctypeDeclHandler(
      parser, { data, _, _, _, _ in unsafe ReaderState.of(data)?.refuse(.documentType) })
    unsafe state.parser = unsafe parser
  }

  deinit {
    unsafe XML_ParserFree(parser)
  }

  /// Reads the next bytes of the document.
  public func feed(_ bytes: [UInt8]) throws(XMLError) {
    try parse(bytes, isLast: false)
  }

  /// Says that the document is over.
  public func finish() throws(XMLError) {
    try parse([], isLast: true)
  }

  private func parse(_ bytes: [UInt8], isLast: Bool) throws(XMLError) {
    if let failure = state.failure { throw failure }
    state.received += bytes.count
    guard state.received <= state.limits.bytes else {
      let failure = XMLError.tooLarge(limit: state.limits.bytes)
      state.failure = failure
      throw failure
    }
    let status = unsafe bytes.withUnsafeBytes { buffer in
      unsafe XML_Parse(
        parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count),
        isLast ? 1 : 0)
    }
    if let failure = state.failure { throw failure }
    guard status == XML_STATUS_OK else {
      let failure = currentFailure()
      state.failure = failure
      throw failure
    }
    if isLast { state.failure = .finished }
  }

  private func currentFailure() -> XMLError {
    let code = unsafe XML_GetErrorCode(parser)
    if code == XML_ERROR_NO_MEMORY { return .outOfMemory }
    let reason = unsafe XML_ErrorString(code).map { unsafe String(cString: $0) } ?? "unknown"
    return unsafe .malformed(
      line: Int(XML_GetCurrentLineNumber(parser)), column: Int(XML_GetCurrentColumnNumber(parser)),
      reason: reason)
  }
}

/// What expat's callbacks work on.
@safe private final class ReaderState {
  private(set) var limits: XMLLimits
  let receive: (XMLEvent) -> Void
  var parser: OpaquePointer?
  var failure: XMLError?
  var received = 0
  private var depth = 0
  private var elements = 0
  private var text: [UInt8] = []

  init(limits: XMLLimits, receive: @escaping (XMLEvent) -> Void) {
    self.limits = limits
    // expat counts in Int32.
    self.limits.bytes = min(limits.bytes, Int(Int32.max))
    self.receive = receive
  }

  static func of(_ data: UnsafeMutableRawPointer?) -> ReaderState? {
    unsafe data.map { unsafe Unmanaged<ReaderState>.fromOpaque($0).takeUnretainedValue() }
  }

  func start(_ name: UnsafePointer<CChar>?) {
    guard failure == nil, let name = unsafe name else { return }
    flush()
    depth += 1
    elements += 1
    if depth > limits.depth { return refuse(.tooDeep(limit: limits.depth)) }
    if elements > limits.elements { return refuse(.tooManyElements(limit: limits.elements)) }
    unsafe receive(.start(String(cString: name)))
  }

  func end(_ name: UnsafePointer<CChar>?) {
    guard failure == nil, let name = unsafe name else { return }
    flush()
    depth -= 1
    unsafe receive(.end(String(cString: name)))
  }

  func append(_ piece: UnsafePointer<CChar>?, _ count: Int32) {
    guard failure == nil, let piece = unsafe piece else { return }
    unsafe text.append(
      contentsOf: UnsafeRawBufferPointer(start: piece, count: Int(count)))
  }

  /// Ends parsing for a reason of ours.
  func refuse(_ reason: XMLError) {
    guard failure == nil else { return }
    failure = reason
    _ = unsafe XML_StopParser(parser, XML_Bool(XML_FALSE))
  }

  private func flush() {
    guard !text.isEmpty else { return }
    receive(.text(String(decoding: text, as: UTF8.self)))
    text.removeAll(keepingCapacity: true)
  }
}
