import CLuaShim

/// Values written as a program of `lrt_op`, so that C builds all of them in one protected call.
struct ValueProgram {
  private(set) var bytes: [UInt8] = []
  /// Whether `LuaValue.argument` occurs.
  private(set) var usesStack = false

  init(_ values: some Sequence<LuaValue>) {
    bytes.reserveCapacity(128)
    for value in values { append(value) }
  }

  mutating func append(_ value: LuaValue) {
    switch value {
    case .nil: operation(LRT_OP_NIL)
    case .boolean(let value): operation(value ? LRT_OP_TRUE : LRT_OP_FALSE)
    case .integer(let value):
      operation(LRT_OP_INTEGER)
      operand(Int64(value))
    case .number(let value):
      operation(LRT_OP_NUMBER)
      operand(value)
    case .bytes(let value):
      operation(LRT_OP_STRING)
      operand(UInt64(value.count))
      bytes.append(contentsOf: value)
    case .reference(let reference):
      operation(LRT_OP_REFERENCE)
      operand(reference.key)
    case .lightUserdata(let pointer):
      operation(LRT_OP_POINTER)
      operand(UInt64(pointer))
    case .array(let values, let metatable):
      operation(LRT_OP_ARRAY)
      operand(metatable?.key ?? -1)
      operand(UInt32(values.count))
      for value in values { append(value) }
    case .table(let fields, let metatable):
      operation(LRT_OP_TABLE)
      operand(metatable?.key ?? -1)
      operand(UInt32(fields.count))
      for field in fields {
        append(field.key)
        append(field.value)
      }
    case .json(let text, let list, let elements):
      operation(LRT_OP_JSON)
      operand(list?.key ?? -1)
      operand(elements?.key ?? -1)
      operand(UInt64(text.count))
      bytes.append(contentsOf: text)
    case .argument(let position):
      usesStack = true
      operation(LRT_OP_STACK)
      operand(Int32(position))
    case .builtin(let builtin):
      operation(LRT_OP_BUILTIN)
      bytes.append(builtin.rawValue)
    }
  }

  private mutating func operation(_ code: lrt_op) { bytes.append(UInt8(code.rawValue)) }

  private mutating func operand<T: BitwiseCopyable>(_ value: T) {
    unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
  }
}
