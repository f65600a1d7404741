import LuaAPI

/// Follows expressions and brackets through live tables and, where these end, through the types of
/// the API spec.
struct APITypes<World: CompletionWorld> {
  /// What an expression is known to be.
  enum Target {
    /// A value that exists, and the entry that describes it.
    case live(World.Value, APIEntry?)
    /// A function or method of the spec.
    case entry(APIEntry)
    /// What a call would answer.
    case type(APIType)
    case unknown
  }

  typealias Step = CursorContext.Step

  let world: World

  /// What the steps lead to, without running anything.
  func resolve(_ steps: [Step]) -> Target {
    guard case .key(let first)? = steps.first else { return .unknown }
    var target: Target =
      world.child(of: world.globals, first).map { live($0, path: first) } ?? .unknown
    var path = first
    for step in steps.dropFirst() {
      if case .key(let key) = step { path += ".\(key)" } else { path += "?" }
      target = follow(step, from: target, path: path)
    }
    return target
  }

  private func live(_ value: World.Value, path: String) -> Target {
    .live(value, world.entryPath(of: value).flatMap(APISpec.entry) ?? APISpec.entry(path))
  }

  private func follow(_ step: Step, from target: Target, path: String) -> Target {
    switch step {
    case .key(let key):
      if case .live(let value, _) = target, let child = world.child(of: value, key) {
        return live(child, path: path)
      }
      guard let entry = className(target).flatMap({ APISpec.entry("\($0).\(key)") }) else {
        return .unknown
      }
      return entry.kind == .field
        ? entry.returns.first.map { .type($0.type) } ?? .unknown : .entry(entry)
    case .method(let name):
      if let entry = className(target).flatMap({ APISpec.entry("\($0):\(name)") }) {
        return .entry(entry)
      }
      if case .live(let value, _) = target, let child = world.child(of: value, name) {
        return live(child, path: path)
      }
      return .unknown
    case .index(let index):
      switch target {
      case .live(let value, _):
        return index.flatMap { world.child(of: value, at: $0) }.map { live($0, path: path) }
          ?? .unknown
      case .type(let type): return type.element.map { .type($0) } ?? .unknown
      default: return .unknown
      }
    case .call:
      return entry(target)?.returns.first.map { .type($0.type) } ?? .unknown
    }
  }

  func className(_ target: Target) -> String? {
    switch target {
    case .live(let value, _): world.className(of: value)
    case .type(.object(let name)): name
    default: nil
    }
  }

  /// The field or method of the spec that the last step names, of a class that the steps before it
  /// lead to.
  func member(_ steps: [Step]) -> APIEntry? {
    guard steps.count > 1, let name = className(resolve(steps.dropLast())) else { return nil }
    switch steps.last {
    case .key(let key): return APISpec.entry("\(name).\(key)") ?? APISpec.entry("\(name):\(key)")
    case .method(let method): return APISpec.entry("\(name):\(method)")
    default: return nil
    }
  }

  private func entry(_ target: Target) -> APIEntry? {
    switch target {
    case .live(_, let entry): entry
    case .entry(let entry): entry
    default: nil
    }
  }

  // MARK: What is expected at the cursor

  /// The type of a parameter of what the steps lead to.
  func argument(of callee: [Step], at position: Int) -> APIType? {
    guard let entry = entry(resolve(callee)), !entry.parameters.isEmpty else { return nil }
    if position < entry.parameters.count { return entry.parameters[position].type }
    return entry.parameters.last?.name == "..." ? entry.parameters.last?.type : nil
  }

  /// The type of a value that stands directly within the innermost bracket.
  func expected(_ frames: [CursorContext.Frame]) -> APIType? {
    guard let frame = frames.last else { return nil }
    switch frame.bracket {
    case .parenthesis: return frame.callee.flatMap { argument(of: $0, at: frame.position) }
    case .square: return nil
    case .brace:
      let table = table(frames)
      guard let key = frame.key else { return table?.element }
      if case .named(let type)? = table { return type }
      return table?.optionFields.first { $0.name == key }?.type
    }
  }

  /// The type of the table that the innermost bracket opens.
  func table(_ frames: [CursorContext.Frame]) -> APIType? {
    guard let frame = frames.last, frame.bracket == .brace else { return nil }
    if let callee = frame.callee { return argument(of: callee, at: 0) }
    return expected(frames.dropLast())
  }
}

extension APIType {
  /// The type of an array's elements.
  var element: APIType? {
    switch self {
    case .array(let element): element
    case .oneOf(let types): types.lazy.compactMap(\.element).first
    default: nil
    }
  }

  var isBoolean: Bool {
    switch self {
    case .boolean: true
    case .oneOf(let types): types.contains { $0.isBoolean }
    default: false
    }
  }

  /// Whether a job is meant, by its id or otherwise.
  var isJob: Bool {
    switch self {
    case .object("Job"), .jobReference: true
    case .oneOf(let types): types.contains { $0.isJob }
    case .array(let element): element.isJob
    default: false
    }
  }
}

extension APITypes {
  private func expected(_ frames: ArraySlice<CursorContext.Frame>) -> APIType? {
    expected(Array(frames))
  }
}
