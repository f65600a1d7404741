/// Where in a form the cursor stands, as completion needs to know it. A pure function of the text
/// before the cursor.
struct CursorContext: Equatable {
  /// One step of an expression such as `hpc.jobs.list{…}[1].name`.
  enum Step: Equatable {
    /// `name` at the beginning, `.name`, `["name"]`.
    case key(String)
    /// `[1]`, or an index that only running could tell.
    case index(Int?)
    /// `:name`
    case method(String)
    /// `(…)`, `{…}` or a string after an expression.
    case call
  }

  /// A bracket that is open at the cursor.
  struct Frame: Equatable {
    enum Bracket: Equatable { case parenthesis, brace, square }
    var bracket: Bracket
    /// What is called, for `f(` and `f{`; whose member is meant, for `t[`.
    var callee: [Step]?
    /// Commas since the bracket.
    var position = 0
    /// `key =` of the entry at the cursor, in a brace.
    var key: String?
    /// The keys that the brace has so far.
    var keys: [String] = []
  }

  /// What is being typed.
  enum Place: Equatable {
    /// A name that begins an expression, or a key of a table.
    case name
    /// After `expression.` or `expression:`.
    case member([Step], isMethod: Bool)
    /// In a string; what stands in front of it belongs to `frames`, or is a call without
    /// parentheses of `callee`.
    case string(quote: UInt8, callee: [Step]?)
    case number
    /// Where nothing can be said: comments, long strings, after `local`.
    case nothing
  }

  var place: Place
  /// Byte where the word at the cursor begins.
  var start: Int
  /// The open brackets, outermost first.
  var frames: [Frame]
  /// Names that the form itself declares.
  var locals: [String]

  init(before source: [UInt8]) {
    var reader = Reader(source)
    self = reader.read()
  }

  fileprivate init(place: Place, start: Int, frames: [Frame], locals: [String]) {
    self.place = place
    self.start = start
    self.frames = frames
    self.locals = locals
  }
}

/// Goes through the tokens once and keeps the expression that just ended and the open brackets.
private struct Reader {
  typealias Step = CursorContext.Step
  typealias Frame = CursorContext.Frame

  let source: [UInt8]
  let tokens: [LuaLexer.Token]
  var frames: [Frame] = []
  /// The expressions in front of the open brackets.
  var outer: [[Step]?] = []
  /// The expression that ends at the current token; nil where none does.
  var expression: [Step]?
  /// `.` or `:` was the last token.
  var pending: UInt8?
  var locals: [String] = []
  /// Names that follow are being declared.
  var isDeclaring = false

  init(_ source: [UInt8]) {
    self.source = source
    tokens = LuaLexer.tokens(of: source)
  }

  func text(_ token: LuaLexer.Token) -> String {
    String(decoding: source[token.range], as: UTF8.self)
  }

  mutating func read() -> CursorContext {
    for (index, token) in tokens.enumerated() {
      let isLast = index == tokens.count - 1 && token.range.upperBound == source.count
      if isLast, let place = place(at: token) { return place }
      take(token, next: index + 1 < tokens.count ? tokens[index + 1] : nil)
    }
    let place: CursorContext.Place =
      if let pending {
        expression.map { .member($0, isMethod: pending == 0x3a) } ?? .nothing
      } else {
        isDeclaring || expression != nil ? .nothing : .name
      }
    return context(place, source.count)
  }

  private func context(_ place: CursorContext.Place, _ start: Int) -> CursorContext {
    CursorContext(place: place, start: start, frames: frames, locals: locals)
  }

  /// The context when the cursor touches the end of this token and the token can still grow.
  private func place(at token: LuaLexer.Token) -> CursorContext? {
    let start = token.range.lowerBound
    switch token.kind {
    case .name, .keyword:
      if let pending {
        return context(
          expression.map { .member($0, isMethod: pending == 0x3a) } ?? .nothing, start)
      }
      return context(isDeclaring ? .nothing : .name, start)
    case .number: return context(.number, start)
    case .string(let quote, isClosed: false):
      return context(.string(quote: quote, callee: expression), start + 1)
    case .comment(isClosed: false), .longString(isClosed: false): return context(.nothing, start)
    default: return nil
    }
  }

  private mutating func take(_ token: LuaLexer.Token, next: LuaLexer.Token?) {
    switch token.kind {
    case .comment: return
    case .name: takeName(text(token))
    case .keyword:
      let word = text(token)
      expression = nil
      pending = nil
      isDeclaring = word == "local" || word == "for" || word == "function"
    case .number:
      expression = nil
      pending = nil
    case .string, .longString:
      // `f "x"` is a call; a string alone has the methods of strings, which nothing completes yet.
      expression = expression.map { $0 + [.call] }
      pending = nil
    case .symbol: takeSymbol(text(token), token, next: next)
    }
  }

  private mutating func takeName(_ name: String) {
    if isDeclaring { locals.append(name) }
    switch pending {
    case 0x2e: expression?.append(.key(name))
    case 0x3a: expression?.append(.method(name))
    default: expression = [.key(name)]
    }
    pending = nil
  }

  private mutating func takeSymbol(_ symbol: String, _ token: LuaLexer.Token, next: LuaLexer.Token?)
  {
    switch symbol {
    case ".", ":":
      // After what no expression is known for, nothing is known of its members either.
      pending = Array(symbol.utf8)[0]
      return
    case "(": open(.parenthesis)
    case "{": open(.brace)
    case "[": open(.square)
    case ")", "}", "]": close(token)
    case ",":
      expression = nil
      if !frames.isEmpty {
        frames[frames.count - 1].position += 1
        frames[frames.count - 1].key = nil
      }
    case "=":
      if let frame = frames.last, frame.bracket == .brace, case .key(let key)? = expression?.last,
        expression?.count == 1
      {
        frames[frames.count - 1].key = key
        frames[frames.count - 1].keys.append(key)
      }
      expression = nil
      isDeclaring = false
    case ";":
      expression = nil
      isDeclaring = false
    default: expression = nil
    }
    pending = nil
  }

  private mutating func open(_ bracket: Frame.Bracket) {
    outer.append(expression)
    // Without an expression in front a bracket groups, or is a table of its own.
    frames.append(Frame(bracket: bracket, callee: expression))
    // The parameters of a function are declared by their names.
    if bracket != .parenthesis { isDeclaring = false }
    expression = nil
  }

  private mutating func close(_ token: LuaLexer.Token) {
    isDeclaring = false
    guard let frame = frames.popLast(), let before = outer.popLast() else {
      expression = nil
      return
    }
    switch frame.bracket {
    case .square: expression = before.map { $0 + [index(before: token)] }
    case .parenthesis: expression = before.map { $0 + [.call] } ?? enclosed(by: token)
    case .brace: expression = before.map { $0 + [.call] }
    }
  }

  /// What `("text")` and `(name)` stand for.
  private func enclosed(by token: LuaLexer.Token) -> [Step]? {
    guard let place = tokens.firstIndex(where: { $0.range == token.range }), place >= 2,
      tokens[place - 2].kind == .symbol, text(tokens[place - 2]) == "("
    else { return nil }
    switch tokens[place - 1].kind {
    // A string has the functions of the library of that name.
    case .string(_, isClosed: true), .longString(isClosed: true): return [.key("string")]
    case .name: return [.key(text(tokens[place - 1]))]
    default: return nil
    }
  }

  /// The step of `[…]` that this bracket closes.
  private func index(before token: LuaLexer.Token) -> Step {
    guard let place = tokens.firstIndex(where: { $0.range == token.range }), place >= 2,
      tokens[place - 2].kind == .symbol, text(tokens[place - 2]) == "["
    else { return .index(nil) }
    let inner = tokens[place - 1]
    switch inner.kind {
    case .number: return .index(Int(text(inner)))
    case .string(_, isClosed: true):
      return .key(String(text(inner).dropFirst().dropLast()))
    default: return .index(nil)
    }
  }
}
