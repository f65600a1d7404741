import LuaAPI
import LineEditor

/// Finds what could stand at the cursor.
struct Completer<World: CompletionWorld> {
  typealias Candidate = LineCompletion.Candidate

  let world: World
  /// The words of the prompt that begin with a dot.
  let commands: [String]

  /// - Parameters:
  ///   - form: all that was typed.
  ///   - point: the byte where the cursor stands.
  func complete(_ form: [UInt8], at point: Int) -> LineCompletion {
    let before = Array(form[..<min(point, form.count)])
    if let special = specialForm(before) { return special }
    let context = CursorContext(before: before)
    let word = String(decoding: before[context.start...], as: UTF8.self)
    let found: [Candidate]
    switch context.place {
    case .nothing: found = []
    case .name: found = names(word, context)
    case .member(let steps, let isMethod): found = members(word, of: steps, isMethod: isMethod)
    case .number: found = jobIDs(word, context)
    case .string(let quote, let callee):
      let isEnded = point < form.count && form[point] == quote
      return strings(
        word, start: context.start, quote: quote, isEnded: isEnded, callee: callee, context)
    }
    return LineCompletion(start: context.start, candidates: sorted(found))
  }

  /// `.tasks` and `!ls file`, which are no Lua.
  private func specialForm(_ before: [UInt8]) -> LineCompletion? {
    if before.first == 0x2e, !before.contains(0x20) {
      let word = String(decoding: before, as: UTF8.self)
      return LineCompletion(
        start: 0, candidates: sorted(commands.filter { $0.hasPrefix(word) }.map { Candidate($0) }))
    }
    guard before.first == 0x21 else { return nil }
    let start = (before.lastIndex { LuaLexer.isSpace($0) } ?? 0) + 1
    let word = String(decoding: before[start...], as: UTF8.self)
    return files(word, start: start, closing: " ")
  }

  private func sorted(_ candidates: [Candidate]) -> [Candidate] {
    var seen: Set<String> = []
    return candidates.filter { seen.insert($0.text).inserted }.sorted { $0.text < $1.text }
  }

  // MARK: Names

  private func names(_ word: String, _ context: CursorContext) -> [Candidate] {
    let expected = APITypes(world: world).expected(context.frames)
    var found: [Candidate] = []
    if let frame = context.frames.last, frame.bracket == .brace, frame.key == nil {
      let keys = APITypes(world: world).table(context.frames)?.keyNames ?? []
      found = keys.filter { $0.hasPrefix(word) && !frame.keys.contains($0) }
        .map { Candidate($0, suffix: " = ", label: "\($0) =") }
      if !found.isEmpty { return found }
    }
    found += (expected?.words ?? []).map { "\"\($0)\"" }.filter { $0.hasPrefix(word) }
      .map { Candidate($0) }
    if expected?.isBoolean == true {
      found += ["true", "false"].filter { $0.hasPrefix(word) }.map { Candidate($0) }
    }
    if word.isEmpty, expected?.isJob == true { found += jobIDs(word, context) }
    // Nothing was typed: what fits here is of use, the whole table of globals is not.
    if word.isEmpty, !found.isEmpty { return found }
    let globals = visible(world.members(of: world.globals), word).map { Candidate($0.name) }
    let locals = context.locals.filter { $0.hasPrefix(word) && $0 != word }.map { Candidate($0) }
    let keywords = word.isEmpty ? [] : LuaLexer.keywords.filter { $0.hasPrefix(word) }
    return found + globals + locals + keywords.map { Candidate($0) }
  }

  private func visible(_ members: [CompletionMember], _ word: String) -> [CompletionMember] {
    members.filter {
      $0.name.hasPrefix(word) && LuaLexer.isName($0.name)
        && (!$0.name.hasPrefix("_") || word.hasPrefix("_"))
    }
  }

  private func members(_ word: String, of steps: [CursorContext.Step], isMethod: Bool)
    -> [Candidate]
  {
    visible(members(of: steps), word).filter { $0.isFunction || !isMethod }
      .map { Candidate($0.name) }
  }

  private func members(of steps: [CursorContext.Step]) -> [CompletionMember] {
    let target = APITypes(world: world).resolve(steps)
    var found: [CompletionMember] = []
    if case .live(let value, _) = target { found = world.members(of: value) }
    if let name = APITypes(world: world).className(target) {
      found += APISpec.entries.filter { $0.path == "\(name).\($0.name)" && $0.kind != .function }
        .map { CompletionMember(name: $0.name, isFunction: false) }
      found += APISpec.entries.filter { $0.path.hasPrefix("\(name):") }
        .map { CompletionMember(name: $0.name, isFunction: true) }
    }
    return found
  }

  /// `t["na`: any key, but for those that would need escapes.
  private func keys(_ word: String, of steps: [CursorContext.Step], closing: String) -> [Candidate]
  {
    members(of: steps).filter { $0.name.hasPrefix(word) && Self.isPlain($0.name) }
      .map { Candidate($0.name, suffix: closing) }
  }

  /// Whether a text can stand between quotes as it is; what cannot is left to its owner.
  private static func isPlain(_ text: String) -> Bool {
    !text.utf8.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x27 || $0 == 0x5c || $0 == 0x7f }
  }

  // MARK: Jobs, words and files

  private func jobIDs(_ word: String, _ context: CursorContext) -> [Candidate] {
    guard let type = APITypes(world: world).expected(context.frames), type.isJob else { return [] }
    return world.seenJobs.filter { $0.id.hasPrefix(word) && $0.id != word }
      .map { Candidate($0.id, label: "\($0.id) \($0.name)") }
  }

  private func strings(
    _ word: String, start: Int, quote: UInt8, isEnded: Bool, callee: [CursorContext.Step]?,
    _ context: CursorContext
  ) -> LineCompletion {
    if callee == nil, let frame = context.frames.last, frame.bracket == .square,
      let owner = frame.callee
    {
      let closing = isEnded ? "" : String(decoding: [quote], as: UTF8.self)
      return LineCompletion(
        start: start, candidates: sorted(keys(word, of: owner, closing: closing)))
    }
    let types = APITypes(world: world)
    let type = callee.map { types.argument(of: $0, at: 0) } ?? types.expected(context.frames)
    let closing = isEnded ? "" : String(decoding: [quote], as: UTF8.self)
    let words = type?.words ?? []
    if !words.isEmpty {
      let fitting = words.filter { $0.hasPrefix(word) }.map { Candidate($0, suffix: closing) }
      return LineCompletion(start: start, candidates: sorted(fitting))
    }
    let isNameOption = context.frames.last?.key == "name"
    var jobs: [Candidate] = []
    for job in world.seenJobs {
      if !job.name.isEmpty, job.name.hasPrefix(word), isNameOption || type?.isJob != true,
        Self.isPlain(job.name)
      {
        jobs.append(Candidate(job.name, suffix: closing))
      }
      if !isNameOption, job.id.hasPrefix(word) {
        jobs.append(Candidate(job.id, suffix: closing, label: "\(job.id) \(job.name)"))
      }
    }
    if isNameOption || type?.isJob == true {
      return LineCompletion(start: start, candidates: sorted(jobs))
    }
    var completion = files(word, start: start, closing: closing)
    if !jobs.isEmpty, !word.isEmpty {
      // A list of both must replace the same bytes: from the beginning of the string.
      let folder = String(
        decoding: word.utf8.prefix(completion.start - start), as: UTF8.self)
      completion.candidates = sorted(
        jobs
          + completion.candidates.map {
            Candidate(folder + $0.text, suffix: $0.suffix, label: $0.label)
          })
      completion.start = start
    }
    return completion
  }

  /// Names of files, for the part of the path after its last slash.
  private func files(_ word: String, start: Int, closing: String) -> LineCompletion {
    let slash = word.utf8.lastIndex(of: 0x2f)
    let folder = slash.map { String(decoding: word.utf8[...$0], as: UTF8.self) } ?? ""
    let prefix =
      slash.map { String(decoding: word.utf8[word.utf8.index(after: $0)...], as: UTF8.self) }
      ?? word
    let found = world.files(in: folder).filter {
      $0.name.hasPrefix(prefix) && (prefix.hasPrefix(".") || !$0.name.hasPrefix("."))
        && Self.isPlain($0.name)
    }
    return LineCompletion(
      start: start + folder.utf8.count,
      candidates: sorted(
        found.map {
          Candidate($0.isFolder ? $0.name + "/" : $0.name, suffix: $0.isFolder ? "" : closing)
        }))
  }
}
