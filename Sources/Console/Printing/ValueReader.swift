import LuaAPI
import LuaRuntime

/// Reads Lua values for printing: within limits, by raw access, but for `__tostring`, whose failure
/// is shown and does no harm.
final class ValueReader {
  private let state: LuaState
  private let table: HPCTable
  private let longestString = 20_000
  /// Bytes of a text within another value.
  private let longestPart = 200
  private let deepest = 4
  /// Keys of one table that are looked at.
  private let mostKeys = 100_000
  /// Values that one printing reads at most.
  private var budget = 0
  /// Why the `__tostring` of the value itself gave no text.
  private(set) var failure: String?

  init(state: LuaState, table: HPCTable) {
    self.state = state
    self.table = table
  }

  /// Reads one value.
  ///
  /// - Parameter isNested: whether it is a part of something, and is to be short.
  func read(_ value: LuaValue, isNested: Bool = false) -> PrintedValue {
    budget = 4000
    failure = nil
    return read(value, depth: isNested ? 1 : 0, path: [])
  }

  /// The class of a value: `__name` of its metatable.
  func className(_ value: LuaValue) -> String? {
    guard let reference = value.asReference, let metatable = try? state.metatable(of: reference)
    else { return nil }
    return try? state.rawGet(metatable, "__name").text
  }

  private func hasOwnText(_ reference: LuaReference) -> Bool {
    guard let metatable = try? state.metatable(of: reference),
      let function = try? state.rawGet(metatable, "__tostring")
    else { return false }
    return function.isTrue
  }

  private func read(_ value: LuaValue, depth: Int, path: [UInt]) -> PrintedValue {
    budget -= 1
    switch value {
    case .nil: return .constant("nil")
    case .boolean(let flag): return .constant(flag ? "true" : "false")
    case .integer, .number: return .number((try? state.text(of: value)) ?? "?")
    case .bytes(let bytes):
      let kept = Self.cut(bytes, to: depth == 0 ? longestString : longestPart)
      return .string(kept, more: bytes.count - kept.count)
    case .reference(let reference): return read(reference, depth: depth, path: path)
    default: return .opaque((try? state.text(of: value)) ?? "userdata")
    }
  }

  /// The beginning of a text, not cut within a character of UTF-8.
  private static func cut(_ bytes: [UInt8], to limit: Int) -> [UInt8] {
    guard bytes.count > limit else { return bytes }
    var end = limit
    while end > limit - 4, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return Array(bytes[..<end])
  }

  /// `3000 jobs`, for a list of objects within another value; nil for anything else.
  private func count(_ reference: LuaReference) -> String? {
    guard reference.type == .table, let name = className(.reference(reference)),
      name.hasSuffix("[]")
    else { return nil }
    let count = state.rawLength(of: reference)
    return "\(count) \(name.dropLast(2).lowercased())\(count == 1 ? "" : "s")"
  }

  private func read(_ reference: LuaReference, depth: Int, path: [UInt]) -> PrintedValue {
    let value = LuaValue.reference(reference)
    if reference.type == .function, let entry = table.entry(for: value, in: state) {
      return .opaque("function \(entry.path)")
    }
    guard reference.type == .table else {
      return .opaque((try? state.text(of: value)) ?? reference.type.name)
    }
    if depth > 0, let count = count(reference) { return .opaque(count) }
    if hasOwnText(reference) {
      do {
        let text = try state.text(of: value)
        guard depth > 0, text.utf8.count > longestPart else { return .text(text) }
        let kept = Self.cut(Array(text.utf8), to: longestPart)
        return .text(
          String(decoding: kept, as: UTF8.self) + " … \(text.utf8.count - kept.count) more bytes")
      } catch {
        let message = (error as? LuaError)?.message ?? "\(error)"
        // Ctrl-C is meant for the whole printing.
        if message == "interrupted!" { budget = 0 }
        if depth == 0 {
          failure = message
        } else {
          return .opaque("<__tostring failed: \(message)>")
        }
      }
    }
    return .table(readTable(reference, depth: depth, path: path))
  }

  /// Reads a table by raw access, whatever its `__tostring`.
  func readTable(_ reference: LuaReference) -> PrintedTable {
    budget = 4000
    return readTable(reference, depth: 0, path: [])
  }

  private func readTable(_ reference: LuaReference, depth: Int, path: [UInt]) -> PrintedTable {
    var result = PrintedTable(className: className(.reference(reference)))
    let identity = state.identity(of: reference)
    if path.contains(identity) {
      result.omission = .cycle
      return result
    }
    let count = state.rawLength(of: reference)
    let keys = ((try? state.keys(of: reference, limit: mostKeys)) ?? []).map(\.key)
      .filter { key in
        if case .integer(let number) = key {
          !(1...max(1, count)).contains(number) || count == 0
        } else {
          true
        }
      }
    if depth >= deepest || budget <= 0 {
      if count > 0 || !keys.isEmpty { result.omission = .depth }
      return result
    }
    let limit = depth == 0 ? 200 : 40
    let inner = path + [identity]
    for index in 0..<min(count, limit) where budget > 0 {
      let item = (try? state.rawGet(reference, .integer(index + 1))) ?? .nil
      result.items.append(read(item, depth: depth + 1, path: inner))
    }
    result.moreItems = count - result.items.count
    for key in keys.sorted(by: Self.precedes).prefix(limit) where budget > 0 {
      let value = (try? state.rawGet(reference, key)) ?? .nil
      result.fields.append(
        .init(
          key: read(key, depth: deepest, path: inner),
          value: read(value, depth: depth + 1, path: inner)))
    }
    result.moreFields = keys.count - result.fields.count
    return result
  }

  /// Numbers, then strings, then whatever else is a key.
  private static func precedes(_ a: LuaValue, _ b: LuaValue) -> Bool {
    func rank(_ value: LuaValue) -> Int {
      switch value {
      case .integer, .number: 0
      case .bytes: 1
      default: 2
      }
    }
    if case .bytes(let a) = a, case .bytes(let b) = b { return a.lexicographicallyPrecedes(b) }
    if let a = a.asNumber, let b = b.asNumber { return a < b }
    return rank(a) < rank(b)
  }
}
