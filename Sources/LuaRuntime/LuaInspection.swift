import CLuaShim

// What prompts ask of a state; nothing here runs Lua.

/// A task that has not ended.
public struct LuaTaskInfo: Sendable {
  /// What a task waits for.
  public enum Wait: Sendable, Equatable {
    /// Its turn.
    case nothing
    /// The time, in seconds from now.
    case time(Double)
    /// Another task.
    case task
    /// A request or other work outside of Lua.
    case outside
  }

  public let id: Int
  public let wait: Wait
  /// `file:line` where it stands; empty before it has started.
  public let place: String
}

extension LuaState {
  /// The tasks that have not ended, at most `limit`, newest first.
  public func tasks(limit: Int = 1000) -> [LuaTaskInfo] {
    var list = [lrt_task_info](repeating: lrt_task_info(), count: min(limit, aliveTasks))
    let count = unsafe list.withUnsafeMutableBufferPointer { unsafe machine.list($0) }
    let now = lrt_now()
    return list[..<count].map { info in
      let place = unsafe withUnsafeBytes(of: info.place) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      let wait: LuaTaskInfo.Wait =
        if info.waits_outside {
          .outside
        } else if info.waits_for_task {
          .task
        } else if info.wake_at > 0 {
          .time(info.wake_at > now ? Double(info.wake_at - now) / 1e9 : 0)
        } else {
          .nothing
        }
      return LuaTaskInfo(id: Int(info.id), wait: wait, place: place)
    }
  }

  /// Fields of each table in a list, by raw access; cheap for thousands of rows.
  ///
  /// - Parameters:
  ///   - list: a table with tables at 1, 2, ….
  ///   - keys: the string keys to read.
  ///   - limit: rows to read at most.
  ///   - row: is given the fields of each row in the order of the keys.
  public func forEachRow(
    of list: LuaReference, keys: [String], limit: Int = .max, _ row: ([LuaValue]) -> Void
  ) throws {
    guard list.type == .table else { throw LuaError("not a table") }
    let keys = try keys.map { try make(.table([("key", .string($0))])) }
    let texts = try keys.map { try reference(toTextIn: $0) }
    try with(list) { index in
      var number = 1
      while number <= limit {
        stack.push(number)
        stack.rawGet(from: index)
        guard stack.type(at: -1) != .nil else { return }
        let place = stack.top
        var fields: [LuaValue] = []
        fields.reserveCapacity(texts.count)
        for text in texts {
          guard stack.type(at: place) == .table else {
            fields.append(.nil)
            continue
          }
          stack.push(text)
          stack.rawGet(from: place)
          fields.append(try read(at: -1))
          stack.top = place
        }
        row(fields)
        stack.top = index
        number += 1
      }
    }
  }

  /// Strings and numbers of each table in a list as text, a column for each group of keys, by raw
  /// access; made for tens of thousands of rows.
  ///
  /// - Parameters:
  ///   - list: a table with tables at 1, 2, ….
  ///   - groups: of string keys; the first that a row has counts.
  ///   - limit: rows to read at most.
  /// - Returns: for each group a text for each row; empty where the row has none of the keys, or
  ///   something that is neither string nor number.
  public func textColumns(of list: LuaReference, keys groups: [[String]], limit: Int = .max) throws
    -> [[String]]
  {
    guard list.type == .table else { throw LuaError("not a table") }
    let texts = try groups.map { group in
      try group.map { try reference(toTextIn: make(.table([("key", .string($0))]))) }
    }
    var columns = [[String]](repeating: [], count: groups.count)
    try with(list) { index in
      guard stack.reserve(4) else { throw LuaError("stack overflow") }
      var number = 1
      while number <= limit {
        stack.push(number)
        stack.rawGet(from: index)
        guard stack.type(at: -1) != .nil else { return }
        let place = stack.top
        let isTable = stack.type(at: place) == .table
        for (column, keys) in texts.enumerated() {
          var text = ""
          for key in keys where isTable {
            stack.push(key)
            stack.rawGet(from: place)
            let found = stack.text(at: -1)
            let isNil = stack.type(at: -1) == .nil
            stack.top = place
            if let found { text = found }
            if !isNil { break }
          }
          columns[column].append(text)
        }
        stack.top = index
        number += 1
      }
    }
    return columns
  }

  /// A reference to the string under `key`, so that it is pushed without being built again.
  private func reference(toTextIn table: LuaReference) throws -> LuaReference {
    try with(table) { index in
      try push(["key"])
      stack.rawGet(from: index)
      return try popReference()
    }
  }

  /// Sets what gives a terminal back when a second signal within a second ends the process. It must
  /// be callable from a signal handler.
  public static func restoreTerminal(by restore: @escaping @convention(c) () -> Void) {
    lrt_set_restore(restore)
  }
}

extension LuaMachine {
  func list(_ tasks: UnsafeMutableBufferPointer<lrt_task_info>) -> Int {
    unsafe lrt_list_tasks(runtime, tasks.baseAddress, tasks.count)
  }
}
