import HTTP

/// The text that a signature covers (AWS General Reference, "Create a signed API request"), built
/// as bytes.
struct CanonicalRequest {
  /// A field that is covered: name in lower case, values of every line of that name.
  struct Field {
    var name: [UInt8]
    var value: String
    /// Of further lines of the same name, where there are any.
    var further: [String]?
  }

  /// Canonical text.
  private(set) var bytes: [UInt8] = []
  /// Where the names of the covered fields stand in `bytes`.
  private(set) var signedHeaders: Range<Int> = 0..<0

  /// Path and query are as on the wire; fields are sorted by name, each name once; the digest of the
  /// body is hexadecimal or one of the bucket's fixed words.
  init(
    method: String, path: String, query: String?, fields: [Field], contentSHA256: String,
    variant: SigningVariant
  ) {
    bytes.reserveCapacity(512)
    bytes.append(contentsOf: method.utf8)
    newline()
    appendPath(path, variant: variant)
    newline()
    if let query, !query.isEmpty { appendQuery(query) }
    newline()
    // By index: a copy of each field would count its references up and down.
    for index in fields.indices {
      bytes.append(contentsOf: fields[index].name)
      bytes.append(UInt8(ascii: ":"))
      appendFolded(fields[index].value)
      if let further = fields[index].further {
        for value in further {
          bytes.append(UInt8(ascii: ","))
          appendFolded(value)
        }
      }
      newline()
    }
    newline()
    let start = bytes.count
    for index in fields.indices {
      if index > 0 { bytes.append(UInt8(ascii: ";")) }
      bytes.append(contentsOf: fields[index].name)
    }
    signedHeaders = start..<bytes.count
    newline()
    bytes.append(contentsOf: contentSHA256.utf8)
  }

  /// Collects fields by name and sorts them by name, not by line (curl#14370).
  static func fields(
    of headers: HTTPHeaders, where isCovered: ([UInt8]) -> Bool
  ) -> [Field] {
    var fields: [Field] = []
    fields.reserveCapacity(headers.fields.count + 1)
    for field in headers.fields {
      let name = field.name.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
      guard isCovered(name) else { continue }
      if let known = fields.firstIndex(where: { $0.name == name }) {
        fields[known].further = (fields[known].further ?? []) + [field.value]
      } else {
        fields.append(Field(name: name, value: field.value))
      }
    }
    fields.sort { $0.name.lexicographicallyPrecedes($1.name) }
    return fields
  }

  private mutating func newline() {
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func appendPath(_ path: String, variant: SigningVariant) {
    switch variant {
    case .s3:
      bytes.append(contentsOf: path.isEmpty ? "/".utf8 : path.utf8)
    case .standard where Self.isPlain(path):
      bytes.append(contentsOf: path.utf8)
    case .standard:
      PercentEncoding.append(Self.normalised(path), to: &bytes, keepingSlashes: true)
    }
  }

  /// Whether normalising and encoding leave a path as it is: the API's own paths are all so.
  private static func isPlain(_ path: String) -> Bool {
    var previous: UInt8 = 0
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "/"):
        if previous == UInt8(ascii: "/") { return false }
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f, 0x7e: break
      default: return false
      }
      previous = byte
    }
    return path.utf8.first == UInt8(ascii: "/")
  }

  /// Removes dot segments (RFC 3986 §5.2.4) and, as these services do, empty ones.
  private static func normalised(_ path: String) -> [UInt8] {
    let path = Array(path.utf8)
    var kept: [ArraySlice<UInt8>] = []
    for segment in path.split(separator: UInt8(ascii: "/")) {
      if segment.elementsEqual(".".utf8) { continue }
      if segment.elementsEqual("..".utf8) {
        _ = kept.popLast()
      } else {
        kept.append(segment)
      }
    }
    guard !kept.isEmpty else { return [UInt8(ascii: "/")] }
    var output: [UInt8] = []
    output.reserveCapacity(path.count)
    for segment in kept {
      output.append(UInt8(ascii: "/"))
      output.append(contentsOf: segment)
    }
    if path.last == UInt8(ascii: "/") { output.append(UInt8(ascii: "/")) }
    return output
  }

  /// Parameters are encoded already; sorted by name, then by value: never by "name=value"
  /// (botocore#1978, aws4#103). A name alone gets its equals sign (curl#8107).
  private mutating func appendQuery(_ query: String) {
    let query = Array(query.utf8)
    let parameters = query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
      .map { pair -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) in
        let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
        return (pair[..<end], pair[end...].dropFirst())
      }
      .sorted {
        $0.name == $1.name
          ? $0.value.lexicographicallyPrecedes($1.value)
          : $0.name.lexicographicallyPrecedes($1.name)
      }
    for (index, parameter) in parameters.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: "&")) }
      bytes.append(contentsOf: parameter.name)
      bytes.append(UInt8(ascii: "="))
      bytes.append(contentsOf: parameter.value)
    }
  }

  /// Trims a value and makes one space of every run of white space.
  private mutating func appendFolded(_ value: String) {
    guard value.utf8.contains(where: { $0 <= 0x20 }) else {
      bytes.append(contentsOf: value.utf8)
      return
    }
    var pending = false
    var started = false
    for byte in value.utf8 {
      switch byte {
      case 0x20, 0x09...0x0d:
        pending = started
      default:
        if pending { bytes.append(0x20) }
        pending = false
        started = true
        bytes.append(byte)
      }
    }
  }
}
