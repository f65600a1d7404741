internal import CJSON

extension JSONValue {
  /// How deep arrays and objects may nest unless told otherwise.
  public static let standardDepth = 512

  /// Parses a whole text, which must be one value with nothing but white space around it.
  ///
  /// - Parameters:
  ///   - bytes: UTF-8.
  ///   - maximumDepth: how deep arrays and objects may nest; at most 1,000 is kept to.
  /// - Throws: what is wrong and at which byte.
  public init(parsing bytes: [UInt8], maximumDepth: Int = standardDepth) throws(JSONError) {
    let depth = min(max(maximumDepth, 0), 1_000)
    if let value = try Self.parse(bytes, depth: depth) {
      self = value
      return
    }
    // simdjson tells neither where nor why, and refuses integers of more than 64 bits: only then
    // is the text looked at byte by byte.
    var scanner = JSONScanner(bytes, maximumDepth: depth)
    try scanner.scan()
    guard let value = try Self.parse(scanner.withWideIntegersAsReals(), depth: depth) else {
      throw JSONError(.unexpected(expected: "JSON"), offset: 0)
    }
    self = value
  }

  /// nil when the text is no JSON.
  private static func parse(_ bytes: [UInt8], depth: Int) throws(JSONError) -> JSONValue? {
    var status = CJSON_OK
    let document = unsafe bytes.withUnsafeBufferPointer {
      unsafe cjson_parse($0.baseAddress, $0.count, depth, &status)
    }
    guard let document = unsafe document else {
      if status == CJSON_MEMORY { throw JSONError(.memory, offset: 0) }
      return nil
    }
    defer { unsafe cjson_free(document) }
    return unsafe value(unsafe cjson_next(document), document, depth: depth)
  }

  /// Builds the value that a token begins; nil when it nests deeper than `depth` (simdjson lets an
  /// empty array or object stand one level below its bound).
  @unsafe private static func value(
    _ token: cjson_token, _ document: OpaquePointer, depth: Int
  ) -> JSONValue? {
    switch unsafe token.kind {
    case CJSON_FALSE: return .bool(false)
    case CJSON_TRUE: return .bool(true)
    case CJSON_INTEGER: return unsafe .int(token.integer)
    case CJSON_REAL: return unsafe .double(token.real)
    case CJSON_STRING: return unsafe .string(text(token))
    case CJSON_ARRAY_BEGIN where depth > 0:
      var elements: [JSONValue] = []
      unsafe elements.reserveCapacity(token.length)
      while true {
        let next = unsafe cjson_next(document)
        if unsafe next.kind == CJSON_ARRAY_END || next.kind == CJSON_END { break }
        guard let element = unsafe value(next, document, depth: depth - 1) else { return nil }
        elements.append(element)
      }
      return .array(elements)
    case CJSON_OBJECT_BEGIN where depth > 0:
      var members: [Member] = []
      unsafe members.reserveCapacity(token.length)
      while true {
        let key = unsafe cjson_next(document)
        guard unsafe key.kind == CJSON_STRING else { break }
        let name = unsafe text(key)
        guard let value = unsafe value(cjson_next(document), document, depth: depth - 1) else {
          return nil
        }
        members.append(Member(key: name, value: value))
      }
      return .object(members)
    case CJSON_NULL: return .null
    default: return nil
    }
  }

  @unsafe private static func text(_ token: cjson_token) -> String {
    let bytes = unsafe UnsafeRawBufferPointer(start: token.text, count: token.length)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }
}
