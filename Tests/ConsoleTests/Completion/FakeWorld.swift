@testable import Console

/// Tables as a test wants them. A `trap` is a value that must not be touched.
struct FakeWorld: CompletionWorld {
  indirect enum Value {
    case table([String: Value], items: [Value] = [], className: String? = nil)
    case function(String? = nil)
    case scalar
  }

  var globals: Value
  var seenJobs: [SeenJob] = []
  var folders: [String: [CompletionFile]] = [:]

  func child(of value: Value, _ key: String) -> Value? {
    if case .table(let fields, _, _) = value { fields[key] } else { nil }
  }

  func child(of value: Value, at index: Int) -> Value? {
    guard case .table(_, let items, _) = value, items.indices.contains(index - 1) else {
      return nil
    }
    return items[index - 1]
  }

  func members(of value: Value) -> [CompletionMember] {
    guard case .table(let fields, _, _) = value else { return [] }
    return fields.map {
      if case .function = $0.value {
        CompletionMember(name: $0.key, isFunction: true)
      } else {
        CompletionMember(name: $0.key, isFunction: false)
      }
    }
  }

  func className(of value: Value) -> String? {
    if case .table(_, _, let name) = value { name } else { nil }
  }

  func entryPath(of value: Value) -> String? {
    if case .function(let path) = value { path } else { nil }
  }

  func files(in folder: String) -> [CompletionFile] { folders[folder] ?? [] }
}
