import Synchronization

/// Keeps a table, function, userdata or thread of Lua alive. A mere token: it may travel to other
/// threads, and be dropped there, while only the ``LuaState`` it belongs to can use it.
public final class LuaReference: Sendable {
  /// What kind of value it is.
  public let type: LuaType
  let key: Int32
  let owner: ReleasedReferences

  init(key: Int32, type: LuaType, owner: ReleasedReferences) {
    self.key = key
    self.type = type
    self.owner = owner
  }

  deinit { owner.add(key) }
}

/// References that were dropped, on whatever thread; the state gives their slots back when it next
/// needs one.
final class ReleasedReferences: Sendable {
  private let keys = Mutex<[Int32]>([])

  func add(_ key: Int32) { keys.withLock { $0.append(key) } }

  func take() -> [Int32] {
    keys.withLock { keys in
      if keys.isEmpty { return [] }
      defer { keys = [] }
      return keys
    }
  }
}
