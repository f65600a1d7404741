/// Looks through a text byte by byte for the first thing that RFC 8259 does not allow.
///
/// Slow and without values: it runs only over texts that the parser refused, to say where and why,
/// and to find the integers that are wider than 64 bits.
struct JSONScanner {
  private let bytes: [UInt8]
  private let maximumDepth: Int
  private var at = 0
  /// Offsets behind integers that do not fit into 64 bits.
  private var wideIntegerEnds: [Int] = []

  init(_ bytes: [UInt8], maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  private enum Container { case array, object }

  /// - Throws: the first error.
  mutating func scan() throws(JSONError) {
    if let offset = Self.firstInvalidUTF8(bytes) { throw JSONError(.utf8, offset: offset) }
    skipSpace()
    guard at < bytes.count else { throw JSONError(.empty, offset: at) }
    var open: [Container] = []
    repeat {
      // A value is expected here.
      switch try peek(expected: "a value") {
      case UInt8(ascii: "["):
        try enter(.array, &open)
        if try peek(expected: "a value or ]") != UInt8(ascii: "]") { continue }
      case UInt8(ascii: "{"):
        try enter(.object, &open)
        if try peek(expected: "a key or }") != UInt8(ascii: "}") {
          try key()
          continue
        }
      case UInt8(ascii: "\""): try string()
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
      case UInt8(ascii: "t"): try word("true")
      case UInt8(ascii: "f"): try word("false")
      case UInt8(ascii: "n"): try word("null")
      default: throw JSONError(.unexpected(expected: "a value"), offset: at)
      }
      try finishContainers(&open)
    } while !open.isEmpty
    skipSpace()
    guard at == bytes.count else { throw JSONError(.trailing, offset: at) }
  }

  /// The text with `e0` behind every wide integer, which makes a real of it.
  func withWideIntegersAsReals() -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 2 * wideIntegerEnds.count)
    var from = 0
    for end in wideIntegerEnds {
      result += bytes[from..<end]
      result += [UInt8(ascii: "e"), UInt8(ascii: "0")]
      from = end
    }
    return result + bytes[from...]
  }

  private mutating func enter(_ kind: Container, _ open: inout [Container]) throws(JSONError) {
    guard open.count < maximumDepth else {
      throw JSONError(.depth(limit: maximumDepth), offset: at)
    }
    open.append(kind)
    at += 1
    skipSpace()
  }

  /// After a value: closes what ends here, or steps over the comma to the next value.
  private mutating func finishContainers(_ open: inout [Container]) throws(JSONError) {
    while let inner = open.last {
      skipSpace()
      let close = inner == .array ? UInt8(ascii: "]") : UInt8(ascii: "}")
      let expected = inner == .array ? ", or ]" : ", or }"
      let byte = try peek(expected: expected)
      at += 1
      if byte == close {
        open.removeLast()
        continue
      }
      guard byte == UInt8(ascii: ",") else {
        throw JSONError(.unexpected(expected: expected), offset: at - 1)
      }
      skipSpace()
      if inner == .object { try key() }
      return
    }
  }

  private mutating func key() throws(JSONError) {
    guard try peek(expected: "a key") == UInt8(ascii: "\"") else {
      throw JSONError(.unexpected(expected: "a key"), offset: at)
    }
    try string()
    skipSpace()
    guard try peek(expected: ":") == UInt8(ascii: ":") else {
      throw JSONError(.unexpected(expected: ":"), offset: at)
    }
    at += 1
    skipSpace()
  }

  private mutating func string() throws(JSONError) {
    at += 1
    while true {
      let byte = try peek(expected: "the end of a string")
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw JSONError(.unexpected(expected: "no control character"), offset: at)
      default: at += 1
      }
    }
  }

  private mutating func escape() throws(JSONError) {
    let start = at
    at += 1
    let byte = try peek(expected: "an escape")
    at += 1
    guard byte == UInt8(ascii: "u") else {
      if "\"\\/bfnrt".utf8.contains(byte) { return }
      throw JSONError(.escape, offset: start)
    }
    let unit = try hexadecimal(from: start)
    guard (0xd800..<0xe000).contains(unit) else { return }
    guard unit < 0xdc00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
      bytes[at + 1] == UInt8(ascii: "u")
    else { throw JSONError(.escape, offset: start) }
    at += 2
    guard (0xdc00..<0xe000).contains(try hexadecimal(from: start)) else {
      throw JSONError(.escape, offset: start)
    }
  }

  private mutating func hexadecimal(from start: Int) throws(JSONError) -> UInt32 {
    guard at + 4 <= bytes.count else { throw JSONError(.unfinished, offset: bytes.count) }
    var unit: UInt32 = 0
    for byte in bytes[at..<at + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw JSONError(.escape, offset: start)
      }
      unit = unit << 4 | UInt32(digit)
    }
    at += 4
    return unit
  }

  private mutating func number() throws(JSONError) {
    let start = at
    if bytes[at] == UInt8(ascii: "-") { at += 1 }
    let leadingZero = at < bytes.count && bytes[at] == UInt8(ascii: "0")
    let whole = try digits()
    if leadingZero && whole > 1 {
      throw JSONError(.unexpected(expected: "no leading zero"), offset: start)
    }
    var isInteger = true
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      isInteger = false
      at += 1
      _ = try digits()
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") {
        at += 1
      }
      _ = try digits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    guard let value = Double(text), value.isFinite else { throw JSONError(.number, offset: start) }
    if isInteger, Int64(text) == nil { wideIntegerEnds.append(at) }
  }

  private mutating func digits() throws(JSONError) -> Int {
    let start = at
    while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
    if at > start { return at - start }
    if at == bytes.count { throw JSONError(.unfinished, offset: at) }
    throw JSONError(.unexpected(expected: "a digit"), offset: at)
  }

  private mutating func word(_ text: StaticString) throws(JSONError) {
    for expected in "\(text)".utf8 {
      guard try peek(expected: "\(text)") == expected else {
        throw JSONError(.unexpected(expected: "\(text)"), offset: at)
      }
      at += 1
    }
  }

  private func peek(expected: String) throws(JSONError) -> UInt8 {
    guard at < bytes.count else { throw JSONError(.unfinished, offset: at) }
    return bytes[at]
  }

  private mutating func skipSpace() {
    while at < bytes.count, " \t\n\r".utf8.contains(bytes[at]) { at += 1 }
  }

  /// Walks the text as the decoder of the standard library does, which tells no offset itself.
  private static func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
    var at = 0
    while at < bytes.count {
      let lead = bytes[at]
      let length =
        switch lead {
        case 0..<0x80: 1
        case 0xc2..<0xe0: 2
        case 0xe0..<0xf0: 3
        case 0xf0..<0xf5: 4
        default: 0
        }
      guard length > 0, at + length <= bytes.count else { return at }
      if length > 1, String(validating: bytes[at..<at + length], as: UTF8.self) == nil {
        return at
      }
      at += length
    }
    return nil
  }
}
