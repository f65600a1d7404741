import LuaRuntime
import Testing

@Suite struct ValueTests {
  @Test(arguments: [
    ("nil", "nil"), ("true", "true"), ("42", "42"), ("9007199254740993", "9007199254740993"),
    ("math.mininteger", "-9223372036854775808"), ("0.1", "0.1"), ("1e300", "1e+300"),
    ("'héllo'", "héllo"),
  ])
  func scalarsGoBothWays(source: String, text: String) async throws {
    let result = try await withLua { state in
      try state.register("same") { call in .value(try call.value(1)) }
      return try state.evaluate("local v = \(source); assert(rawequal(same(v), v)); return v")
    }
    #expect(result == text)
  }

  @Test func stringsCarryTheirLength() async throws {
    let bytes = try await withLua { state -> [UInt8] in
      try state.register("same") { call in .value(.bytes(try call.bytes(1))) }
      guard case .bytes(let bytes) = try state.execute("return same('a\\0b\\xff')")[0] else {
        return []
      }
      return bytes
    }
    #expect(bytes == [0x61, 0, 0x62, 0xff])
  }

  @Test func nestedTablesAreBuiltInOneGo() async throws {
    let result = try await withLua { state in
      try state.register("build") { _ in
        .value(["list": [1, 2.5, "x", [true, nil, 3]], "map": ["k": "v"]])
      }
      return try state.evaluate(
        "local t = build(); return table.concat({#t.list, t.list[2], t.list[4][3], t.map.k}, ' ')")
    }
    #expect(result == "4 2.5 3 v")
  }

  @Test func tooDeepAValueIsAnError() async throws {
    let message = try await withLua { state in
      try state.register("deep") { _ in
        .value((0..<500).reduce(.nil) { value, _ in [value] })
      }
      return try state.failure("deep()").message
    }
    #expect(message.contains("nested too deeply"))
  }

  @Test func tablesAreReadWithAndWithoutMetamethods() async throws {
    try await withLua { state in
      let values = try state.execute(
        """
        return setmetatable({a = 1, [2] = 'two'}, {
          __index = function(_, k) return k .. '!' end, __len = function() return 7 end,
          __name = 'Thing', __tostring = function() return 'a thing' end })
        """)
      let table = try #require(values[0].asReference)
      #expect(try state.get(table, "b").text == "b!")
      #expect(try state.rawGet(table, "b").isNil)
      #expect(try state.length(of: table) == 7)
      #expect(state.rawLength(of: table) == 0)
      #expect(try state.text(of: values[0]) == "a thing")
      #expect(try state.typeName(of: values[0]) == "Thing")
      #expect(try state.entries(of: table).count == 2)
      #expect(try state.keys(of: table, limit: 1).count == 1)
      let metatable = try #require(try state.metatable(of: table))
      #expect(state.identity(of: metatable) != state.identity(of: table))
      try state.setMetatable(of: table, to: nil)
      #expect(try state.get(table, "b").isNil)
    }
  }

  @Test func aMetamethodThatRaisesIsThrown() async throws {
    try await withLua { state in
      let values = try state.execute(
        "return setmetatable({}, {__index = function() error('no', 0) end})")
      let table = try #require(values[0].asReference)
      #expect(throws: LuaError.self) { try state.get(table, "x") }
      #expect(throws: LuaError.self) { try state.rawSet(table, .nil, 1) }
    }
  }

  @Test func callsFromSwiftAreProtectedAndTraced() async throws {
    try await withLua { state in
      let function = try state.load(Array("local a, b = ... ; return a // b".utf8), name: "=sum")
      #expect(try state.call(function, [7, 2])[0].asInteger == 3)
      do {
        try state.call(function, [1, 0])
        Issue.record("must raise")
      } catch let error as LuaError {
        #expect(error.message == "sum:1: attempt to divide by zero")
        #expect(error.traceback.contains("sum:1: in main chunk"))
      }
    }
  }

  @Test func syntaxErrorsNameTheChunk() async throws {
    try await withLua { state in
      #expect {
        try state.load(Array("x = = 1".utf8), name: "@my.lua")
      } throws: { error in
        (error as? LuaError)?.message == "my.lua:1: unexpected symbol near '='"
      }
      #expect {
        try state.load(file: "/nonexistent.lua")
      } throws: { error in
        (error as? LuaError)?.message.hasPrefix("cannot open /nonexistent.lua") == true
      }
    }
  }

  @Test func droppedReferencesAreCollected() async throws {
    try await withLua { state in
      try state.execute("weak = setmetatable({}, {__mode = 'v'})")
      let weak = try #require(try state.get(state.globals, "weak").asReference)
      var reference: LuaReference? = try state.make([1, 2, 3])
      if let reference { try state.set(weak, 1, .reference(reference)) }
      try state.execute("collectgarbage()")
      #expect(try !state.get(weak, 1).isNil)
      reference = nil
      _ = try state.make([])
      try state.execute("collectgarbage()")
      #expect(try state.get(weak, 1).isNil)
    }
  }

  @Test func objectsAreReleasedOnce() async throws {
    let count = Counted.Count()
    try await withLua { state in
      let type = try state.objectType("Thing", holding: Counted.self)
      try state.set(state.globals, "thing", .reference(state.make(Counted(count), as: type)))
      try state.register("use") { call in
        _ = try call.object(1, type)
        return .value("used")
      }
      #expect(count.alive == 1)
      #expect(try state.evaluate("return use(thing)") == "used")
      #expect(
        try state.evaluate("return select(2, pcall(use, {}))")
          == "bad argument #1 to 'use' (Thing expected, got table)")
      try state.execute("do local t <close> = thing end; getmetatable(thing).__gc(thing)")
      #expect(count.alive == 0)
      #expect(try state.evaluate("return select(2, pcall(use, thing))").contains("closed Thing"))
      try state.execute("thing = nil; collectgarbage()")
    }
    #expect(count.alive == 0)
  }
}
