/// Splits Lua source, whole or cut off anywhere, into tokens; never fails.
struct LuaLexer {
  /// One token and the bytes that it takes.
  struct Token: Equatable {
    enum Kind: Equatable {
      case name
      case keyword
      case number
      /// A quoted string; `isClosed` is false when the source ends (or the line does) within it.
      case string(quote: UInt8, isClosed: Bool)
      /// `[[…]]` or `[==[…]==]`.
      case longString(isClosed: Bool)
      case comment(isClosed: Bool)
      case symbol
    }

    var kind: Kind
    var range: Range<Int>
  }

  /// Lua 5.4 manual, §3.1.
  static let keywords: Set<String> = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
  ]

  private static let longSymbols = ["...", "..", "==", "~=", "<=", ">=", "//", "::", "<<", ">>"]
    .map { Array($0.utf8) }

  private let source: [UInt8]
  private var at = 0

  private init(_ source: [UInt8]) { self.source = source }

  /// The tokens of a source in order; white space is left out, comments are not.
  static func tokens(of source: [UInt8]) -> [Token] {
    var lexer = LuaLexer(source)
    var tokens: [Token] = []
    while let token = lexer.next() { tokens.append(token) }
    return tokens
  }

  private mutating func next() -> Token? {
    while at < source.count, Self.isSpace(source[at]) { at += 1 }
    guard at < source.count else { return nil }
    let start = at
    let kind = scan()
    return Token(kind: kind, range: start..<at)
  }

  private mutating func scan() -> Token.Kind {
    let byte = source[at]
    if Self.isNameStart(byte) {
      let start = at
      while at < source.count, Self.isNamePart(source[at]) { at += 1 }
      return Self.keywords.contains(String(decoding: source[start..<at], as: UTF8.self))
        ? .keyword : .name
    }
    if Self.isDigit(byte) || (byte == 0x2e && Self.isDigit(peek(1))) { return number() }
    if byte == 0x22 || byte == 0x27 { return quoted(byte) }
    if byte == 0x2d, peek(1) == 0x2d { return comment() }
    if byte == 0x5b, let level = longLevel(at) { return .longString(isClosed: long(level)) }
    for symbol in Self.longSymbols where source[at...].starts(with: symbol) {
      at += symbol.count
      return .symbol
    }
    at += 1
    return .symbol
  }

  private mutating func number() -> Token.Kind {
    let isHexadecimal = source[at] == 0x30 && (peek(1) | 0x20) == 0x78
    while at < source.count {
      let byte = source[at]
      let isExponent = isHexadecimal ? (byte | 0x20) == 0x70 : (byte | 0x20) == 0x65
      if isExponent, peek(1) == 0x2b || peek(1) == 0x2d {
        at += 2
      } else if Self.isNamePart(byte) || (byte == 0x2e && peek(1) != 0x2e) {
        at += 1
      } else {
        break
      }
    }
    return .number
  }

  private mutating func quoted(_ quote: UInt8) -> Token.Kind {
    at += 1
    while at < source.count {
      switch source[at] {
      case quote:
        at += 1
        return .string(quote: quote, isClosed: true)
      case 0x0a: return .string(quote: quote, isClosed: false)
      case 0x5c: at = min(source.count, at + 2)
      default: at += 1
      }
    }
    return .string(quote: quote, isClosed: false)
  }

  private mutating func comment() -> Token.Kind {
    at += 2
    if let level = longLevel(at) { return .comment(isClosed: long(level)) }
    while at < source.count, source[at] != 0x0a { at += 1 }
    return .comment(isClosed: at < source.count)
  }

  /// The number of `=` of a long bracket that opens at `index`.
  private func longLevel(_ index: Int) -> Int? {
    guard index < source.count, source[index] == 0x5b else { return nil }
    var end = index + 1
    while end < source.count, source[end] == 0x3d { end += 1 }
    return end < source.count && source[end] == 0x5b ? end - index - 1 : nil
  }

  /// Goes past a long bracket; false when the source ends within it.
  private mutating func long(_ level: Int) -> Bool {
    at += level + 2
    let closing = [0x5d] + [UInt8](repeating: 0x3d, count: level) + [0x5d]
    while at < source.count {
      if source[at] == 0x5d, source[at...].starts(with: closing) {
        at += closing.count
        return true
      }
      at += 1
    }
    return false
  }

  private func peek(_ offset: Int) -> UInt8 {
    at + offset < source.count ? source[at + offset] : 0
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  static func isNameStart(_ byte: UInt8) -> Bool {
    byte == 0x5f || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }
  static func isNamePart(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }

  /// Whether a text can stand after a dot.
  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, isNameStart(first) else { return false }
    return text.utf8.allSatisfy(isNamePart) && !keywords.contains(text)
  }
}
