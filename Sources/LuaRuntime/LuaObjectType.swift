/// A kind of userdata that holds a Swift object. Made by
/// ``LuaState/objectType(_:holding:fields:)``.
public struct LuaObjectType<Object: AnyObject> {
  /// The name that errors show.
  public let name: String
  /// The metatable.
  public let metatable: LuaReference
}
