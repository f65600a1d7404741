// Reading and writing tables from Swift.

extension LuaState {
  /// The table of globals.
  public var globals: LuaReference {
    get throws {
      try balanced {
        stack.pushGlobals()
        return try popReference()
      }
    }
  }

  /// `table[key]`, metamethods included; they run in place.
  public func get(_ table: LuaReference, _ key: LuaValue) throws -> LuaValue {
    try with(table) { index in
      try push([key])
      try check(stack.get(from: index))
      return try read(at: -1)
    }
  }

  /// `table[key]` without metamethods: runs no code.
  public func rawGet(_ table: LuaReference, _ key: LuaValue) throws -> LuaValue {
    guard table.type == .table else { return .nil }
    return try with(table) { index in
      try push([key])
      stack.rawGet(from: index)
      return try read(at: -1)
    }
  }

  /// `table[key] = value`, metamethods included.
  public func set(_ table: LuaReference, _ key: LuaValue, _ value: LuaValue) throws {
    try with(table) { index in
      try push([key, value])
      try check(stack.set(in: index))
    }
  }

  /// `rawset(table, key, value)`.
  public func rawSet(_ table: LuaReference, _ key: LuaValue, _ value: LuaValue) throws {
    guard table.type == .table else { throw LuaError("not a table") }
    try with(table) { index in
      try push([key, value])
      try check(stack.rawSet(in: index))
    }
  }

  /// All entries of a table, without metamethods, in Lua's order.
  public func entries(of table: LuaReference) throws -> [(key: LuaValue, value: LuaValue)] {
    var entries: [(key: LuaValue, value: LuaValue)] = []
    try forEachEntry(of: table) {
      entries.append((try read(at: -2), try read(at: -1)))
      return true
    }
    return entries
  }

  /// The keys of a table with the types of their values, without metamethods; cheaper than
  /// ``entries(of:)`` and free of references to the values. At most `limit` of them.
  public func keys(of table: LuaReference, limit: Int = .max) throws
    -> [(key: LuaValue, type: LuaType)]
  {
    var keys: [(key: LuaValue, type: LuaType)] = []
    try forEachEntry(of: table) {
      keys.append((try read(at: -2), stack.type(at: -1)))
      return keys.count < limit
    }
    return keys
  }

  /// The values at 1, 2, … up to the first nil, without metamethods.
  public func read(list table: LuaReference) throws -> [LuaValue] {
    try with(table) { index in
      guard table.type == .table else { return [] }
      var values: [LuaValue] = []
      while true {
        stack.push(values.count + 1)
        stack.rawGet(from: index)
        if stack.type(at: -1) == .nil { return values }
        values.append(try read(at: -1))
        stack.top = index
      }
    }
  }

  /// `#value`, metamethods included; never below 0, which is all that a range of it can bear.
  public func length(of reference: LuaReference) throws -> Int {
    try with(reference) { index in
      let (status, length) = stack.length(at: index)
      try check(status)
      return max(0, length)
    }
  }

  /// `rawlen(value)`.
  public func rawLength(of reference: LuaReference) -> Int {
    with(reference) { stack.rawLength(at: $0) }
  }

  /// The metatable, whatever its `__metatable` says.
  public func metatable(of reference: LuaReference) throws -> LuaReference? {
    try with(reference) { index in
      stack.pushMetatable(of: index) ? try popReference() : nil
    }
  }

  /// Gives a table or userdata a metatable, or none.
  public func setMetatable(of reference: LuaReference, to metatable: LuaReference?) throws {
    try with(reference) { index in
      if let metatable { stack.push(metatable) } else { stack.pushNil() }
      try check(stack.setMetatable(at: index))
    }
  }

  /// What `tostring` gives, `__tostring` included; invalid UTF-8 repaired.
  public func text(of value: LuaValue) throws -> String {
    if let text = value.text { return text }
    return try balanced {
      try push([value])
      try check(stack.pushText(of: -1))
      return String(decoding: stack.bytes(at: -1) ?? [], as: UTF8.self)
    }
  }

  /// The type as errors name it: `__name` of the metatable, else Lua's type.
  public func typeName(of value: LuaValue) throws -> String {
    try balanced {
      try push([value])
      try check(stack.pushTypeName(of: -1))
      return String(decoding: stack.bytes(at: -1) ?? [], as: UTF8.self)
    }
  }

  /// An address that is the same for the same table, function, … as long as it lives.
  public func identity(of reference: LuaReference) -> UInt {
    with(reference) { stack.identity(at: $0) }
  }

  /// Visits the raw entries with key and value on top of the stack, until `body` answers false.
  private func forEachEntry(of table: LuaReference, _ body: () throws -> Bool) throws {
    guard table.type == .table else { throw LuaError("not a table") }
    try with(table) { index in
      stack.pushNil()
      while true {
        let (status, more) = stack.next(in: index)
        try check(status)
        guard more, try body() else { return }
        stack.top -= 1
      }
    }
  }
}
