import CLua
import CLuaShim

/// The stack of the `lua_State` that Swift may use now: the one a call came on, else the main one.
///
/// Every function here is one that cannot raise, or runs protected in C. Those that answer a status
/// leave the error value on top unless it is `LUA_OK`.
@safe struct LuaStack {
  let state: OpaquePointer

  init(_ state: OpaquePointer) { unsafe self.state = state }

  /// How many values there are. Setting it drops or adds values.
  var top: Int32 {
    get { unsafe lua_gettop(state) }
    nonmutating set { unsafe lua_settop(state, newValue) }
  }

  func reserve(_ slots: Int) -> Bool {
    guard let slots = Int32(exactly: slots) else { return false }
    return unsafe lua_checkstack(state, slots) != 0
  }

  // MARK: Reading

  func type(at index: Int32) -> LuaType {
    LuaType(rawValue: unsafe lua_type(state, index)) ?? .none
  }

  func boolean(at index: Int32) -> Bool { unsafe lua_toboolean(state, index) != 0 }

  func isInteger(at index: Int32) -> Bool { unsafe lua_isinteger(state, index) != 0 }

  func integer(at index: Int32) -> Int? {
    var exact: Int32 = 0
    let value = unsafe lua_tointegerx(state, index, &exact)
    return exact != 0 ? Int(value) : nil
  }

  func number(at index: Int32) -> Double? {
    var isNumber: Int32 = 0
    let value = unsafe lua_tonumberx(state, index, &isNumber)
    return isNumber != 0 ? value : nil
  }

  func bytes(at index: Int32) -> [UInt8]? {
    var size = 0
    guard let start = unsafe lrt_bytes(state, index, &size) else { return nil }
    let buffer = unsafe UnsafeRawBufferPointer(start: start, count: size)
    return unsafe [UInt8](buffer)
  }

  /// A string, invalid UTF-8 mended, or a number as Lua writes it; nil for other types.
  func text(at index: Int32) -> String? {
    switch type(at: index) {
    case .string:
      var size = 0
      guard let start = unsafe lrt_bytes(state, index, &size) else { return nil }
      return unsafe String(
        decoding: UnsafeRawBufferPointer(start: start, count: size), as: UTF8.self)
    case .number:
      if unsafe lua_isinteger(state, index) != 0 {
        return String(unsafe lua_tointegerx(state, index, nil))
      }
      return number(at: index).map { "\($0)" }
    default: return nil
    }
  }

  /// An address that tells one table, function, … from another.
  func identity(at index: Int32) -> UInt {
    UInt(bitPattern: unsafe lua_topointer(state, index))
  }

  func rawLength(at index: Int32) -> Int { Int(unsafe lua_rawlen(state, index)) }

  // MARK: Pushing what allocates nothing

  func pushNil() { unsafe lua_pushnil(state) }
  func push(_ value: Bool) { unsafe lua_pushboolean(state, value ? 1 : 0) }
  func push(_ value: Int) { unsafe lua_pushinteger(state, lua_Integer(value)) }
  func push(_ value: Double) { unsafe lua_pushnumber(state, value) }
  func push(_ reference: LuaReference) { unsafe lrt_push_ref(state, reference.key) }
  func pushGlobals() { unsafe lrt_push_ref(state, LUA_RIDX_GLOBALS) }
  func pushCopy(of index: Int32) { unsafe lua_pushvalue(state, index) }
  func pushMetatable(of index: Int32) -> Bool { unsafe lua_getmetatable(state, index) != 0 }

  /// Replaces the key on top by the raw value.
  func rawGet(from table: Int32) { unsafe _ = lua_rawget(state, table) }

  // MARK: Protected

  func get(from table: Int32) -> Int32 { unsafe lrt_get(state, table) }
  func set(in table: Int32) -> Int32 { unsafe lrt_set(state, table) }
  func rawSet(in table: Int32) -> Int32 { unsafe lrt_rawset(state, table) }
  func setMetatable(at index: Int32) -> Int32 { unsafe lrt_set_metatable(state, index) }
  func pushText(of index: Int32) -> Int32 { unsafe lrt_tostring(state, index) }
  func pushErrorText(of index: Int32) -> Int32 { unsafe lrt_error_text(state, index) }
  func pushTypeName(of index: Int32) -> Int32 { unsafe lrt_type_name(state, index) }

  /// Replaces the key on top by the next key and its value; `more` is false, and nothing is left,
  /// at the end.
  func next(in table: Int32) -> (status: Int32, more: Bool) {
    var more = false
    let status = unsafe lrt_next(state, table, &more)
    return (status, more)
  }

  func length(at index: Int32) -> (status: Int32, length: Int) {
    var length: lua_Integer = 0
    let status = unsafe lrt_length(state, index, &length)
    return (status, Int(length))
  }

  /// Pops the value on top into the registry.
  func reference() -> (status: Int32, key: Int32) {
    var key: Int32 = 0
    let status = unsafe lrt_ref(state, &key)
    return (status, key)
  }

  func release(_ key: Int32) { unsafe lrt_unref(state, key) }

  func load(_ source: [UInt8], name: String, mode: String) -> Int32 {
    unsafe source.withUnsafeBufferPointer { source in
      unsafe source.withMemoryRebound(to: CChar.self) { source in
        unsafe lrt_load(state, source.baseAddress, source.count, name, mode)
      }
    }
  }

  func load(file path: [UInt8]?) -> Int32 {
    guard let path else { return unsafe lrt_load_file(state, nil) }
    return unsafe (path + [0]).withUnsafeBytes { path in
      unsafe lrt_load_file(state, path.bindMemory(to: CChar.self).baseAddress)
    }
  }

  func warn(_ text: String) { unsafe lua_warning(state, text, 0) }

  func pushNewType(_ name: String) -> Int32 { unsafe lrt_new_type(state, name) }

  /// Pushes a function with this body.
  func pushFunction(_ box: FunctionBox) -> Int32 {
    var consumed: Int32 = 0
    let retained = unsafe Unmanaged.passRetained(box)
    let status = unsafe lrt_new_function(state, retained.toOpaque(), box.name, &consumed)
    if consumed == 0 { unsafe retained.release() }
    return status
  }

  /// Pushes a userdata with this object.
  func pushObject(_ object: AnyObject, metatable: LuaReference) -> Int32 {
    var consumed: Int32 = 0
    let retained = unsafe Unmanaged.passRetained(object)
    let status = unsafe lrt_new_object(state, retained.toOpaque(), metatable.key, &consumed)
    if consumed == 0 { unsafe retained.release() }
    return status
  }

  /// Whether the value has exactly this metatable.
  func has(metatable: LuaReference, at index: Int32) -> Bool {
    guard reserve(2), pushMetatable(of: index) else { return false }
    push(metatable)
    defer { top -= 2 }
    return identity(at: -1) == identity(at: -2)
  }

  /// The object of a userdata that has this metatable.
  func object(at index: Int32, metatable: LuaReference) -> AnyObject? {
    guard let pointer = unsafe lrt_object(state, index, metatable.key) else { return nil }
    return unsafe Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// Gives the object back before the collector would.
  func close(at index: Int32, metatable: LuaReference) -> Bool {
    unsafe lrt_release_object(state, index, metatable.key)
  }
}
