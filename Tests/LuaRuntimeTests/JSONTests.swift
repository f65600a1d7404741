import LuaRuntime
import Testing

@Suite struct JSONTests {
  private func evaluate(_ source: String) async throws -> String {
    try await withLua { state in
      try state.registerJSON()
      return try state.evaluate(source)
    }
  }

  @Test(arguments: [
    ("null", "nil"), ("true", "true"), ("[]", "[]"), ("{}", "{}"), ("[[],{}]", "[[],{}]"),
    ("9007199254740993", "9007199254740993"),
    ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"),
    ("9223372036854775808", "9223372036854775808.0"),
    ("18446744073709551615", "18446744073709551616.0"),
    ("18446744073709551616", "18446744073709551616.0"),
    ("123456789012345678901234567890", "1.2345678901234568e+29"),
    ("0.1", "0.1"), ("1.0", "1.0"), ("1e2", "100.0"), ("5e-324", "5e-324"),
    ("2.2250738585072014e-308", "2.2250738585072014e-308"), ("-0.0", "-0.0"),
    ("0.30000000000000004", "0.30000000000000004"), ("1e23", "1e+23"),
    (#"{"b":1,"a":{"d":[1,2,3],"c":null}}"#, #"{"a":{"d":[1,2,3]},"b":1}"#),
    (#""a\u0000b\n\t\"\\\/é\ud83d\ude00""#, #""a\u0000b\n\t\"\\/é😀""#),
    ("[1,null,3]", "[1,null,3]"), (" [ 1 , 2 ] ", "[1,2]"), (#"{"":1}"#, #"{"":1}"#),
  ])
  func decodesAndEncodes(text: String, encoded: String) async throws {
    // The second time with an integer beyond 64 bits beside it, which takes the other parser.
    let source = """
      local text = [==[\(text)]==]
      local value = decode(text)
      local other = decode('[' .. text .. ',99999999999999999999]')[1]
      assert(math.type(value) == math.type(other) and encode(value) == encode(other))
      return value == nil and 'nil' or encode(value)
      """
    #expect(try await evaluate(source) == encoded)
  }

  @Test(arguments: [
    ("", "line 1, column 1: the text ends too early"),
    ("[1,\n 2,\n oops]", "line 3, column 2: a value expected"),
    ("[1,]", "column 4: a value expected"), ("[1 2]", "column 4: ',' or ']' expected"),
    ("{\"a\" 1}", "column 6: ':' expected"), ("{a:1}", "column 2: a string expected"),
    ("{\"a\":1,}", "column 8: a string expected"), ("[1", "ends too early"),
    ("\"abc", "column 1: a string without its closing quote"), ("01", "must not begin with 0"),
    ("1.", "ends too early"), ("-", "ends too early"), ("1e999", "column 1: number too large"),
    ("tru", "a value expected"), ("1 2", "column 3: more text after the value"),
    (#""\x""#, "an unknown escape"), (#""\ud800""#, "half a surrogate pair"),
    (#""\udc00""#, "half a surrogate pair"), (#""\ud800\u0041""#, "half a surrogate pair"),
    (#""\u12g4""#, "four hexadecimal digits"), ("nan", "a value expected"),
    ("\u{FEFF}1x", "column"), ("[\"\t\"]", "control character"), ("'a'", "a value expected"),
  ])
  func errorsSayWhere(text: String, message: String) async throws {
    let error = try await withLua { state in
      try state.registerJSON()
      try state.set(state.globals, "text", .string(text))
      return try state.failure("decode(text)").message
    }
    #expect(error.hasPrefix("test:1: invalid JSON at line "))
    #expect(error.contains(message))
  }

  @Test(
    arguments: [
      [0xff], [0x61, 0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
      [0xf0, 0x8f, 0xbf, 0xbf],
    ] as [[UInt8]])
  func invalidUTF8IsRefusedBothWays(bytes: [UInt8]) async throws {
    let errors = try await withLua { state in
      try state.registerJSON()
      try state.set(state.globals, "bytes", .bytes(bytes))
      return [
        try state.failure("decode('\"' .. bytes .. '\"')").message,
        try state.failure("encode({a = {1, bytes}})").message,
      ]
    }
    #expect(errors[0].contains("invalid UTF-8"))
    #expect(errors[1].hasPrefix("test:1: cannot encode a string that is not valid UTF-8"))
    #expect(errors[1].hasSuffix("(at .a[2])"))
  }

  @Test func aTableMayStandForAnotherValue() async throws {
    let texts = try await withLua { state in
      try state.registerJSON()
      let stand = "local function stand(f) return setmetatable({own = 1}, {__jsonvalue = f}) end "
      return [
        try state.evaluate(stand + "return encode{a = stand(function() return {1, 2} end)}"),
        try state.evaluate(stand + "return encode{stand(function() return 'x' end)}"),
        try state.evaluate(stand + "return encode(stand(function(t) return t end))"),
        try state.failure(stand + "local t t = stand(function() return {t} end) encode(t)").message,
        try state.failure(stand + "encode(stand(function() error('no', 0) end))").message,
      ]
    }
    #expect(texts[0...2] == [#"{"a":[1,2]}"#, #"["x"]"#, #"{"own":1}"#])
    #expect(texts[3].contains("nested deeper than 1024 levels"))
    #expect(texts[4] == "no")
  }

  @Test func depthIsBoundedBothWays() async throws {
    let errors = try await withLua { state in
      try state.registerJSON()
      #expect(
        try state.evaluate("return encode(decode(('['):rep(1024) .. (']'):rep(1024)))").utf8.count
          == 2048)
      return [
        try state.failure("decode(('['):rep(10000) .. (']'):rep(10000))").message,
        try state.failure("decode(('{\"a\":'):rep(10000))").message,
        try state.failure("decode(('['):rep(1025) .. (']'):rep(1025))").message,
        try state.failure("local t = {} for i = 1, 10000 do t = {t} end encode(t)").message,
        try state.failure("local t = {} t.a = {t} encode(t)").message,
      ]
    }
    #expect(errors[0].contains("nested deeper than 1024 levels"))
    #expect(errors[1].contains("nested deeper than 1024 levels"))
    #expect(errors[2].contains("nested deeper than 1024 levels"))
    #expect(errors[3].contains("nested deeper than 1024 levels"))
    #expect(errors[4].contains("cannot encode a table that contains itself (at .a[1])"))
  }

  @Test(arguments: [
    (
      "encode({1, 2, nil, 4})",
      "a list with holes (3 values up to index 4); fill them with json.null"
    ),
    ("encode({[10] = 1})", "a list with holes"),
    ("encode({1, x = 2})", "both list items and named fields ('x')"),
    ("encode({[0] = 1})", "a table with the key 0"),
    ("encode({[1.5] = 1})", "a table with the key 1.5"),
    ("encode({[true] = 1})", "a table with a boolean as key"),
    ("encode({f = {g = print}})", "cannot encode a function (at .f.g)"),
    ("encode(0/0)", "nan"), ("encode({-1/0})", "inf: JSON has no such number (at [1])"),
    ("encode(array{x = 1})", "an array with a named field ('x')"),
    ("encode()", "bad argument #1 to 'encode' (value expected)"),
    ("encode(1, {ident = 2})", "unknown option 'ident' (did you mean 'indent'?)"),
    ("encode(1, {indent = -1})", "indent must be an integer from 0 to 16"),
    ("encode(io.stdout)", "cannot encode a userdata"),
    ("decode({})", "bad argument #1 to 'decode' (string expected, got table)"),
  ])
  func whatCannotBeEncodedSaysWhatToDo(source: String, message: String) async throws {
    let error = try await withLua { state in
      try state.registerJSON()
      return try state.failure(source).message
    }
    #expect(error.contains(message))
  }

  @Test(arguments: [
    ("encode(null)", "null"), ("encode{null, 1}", "[null,1]"), ("encode(array{})", "[]"),
    ("encode{}", "{}"), ("encode{z = 1, a = 2, m = 3}", #"{"a":2,"m":3,"z":1}"#),
    ("encode(1e15)", "1e+15"), ("encode(100.0)", "100.0"), ("encode(1/3)", "0.3333333333333333"),
    ("encode('/\\127')", "\"/\u{7f}\""), ("tostring(null)", "null"),
    ("encode({1, {a = 2}}, {indent = 2})", "[\n  1,\n  {\n    \"a\": 2\n  }\n]"),
    ("encode(setmetatable({a = 1}, {__index = error, __pairs = error}))", #"{"a":1}"#),
  ])
  func encodes(source: String, text: String) async throws {
    #expect(try await evaluate("return \(source)") == text)
  }

  @Test func bytesFromSwiftGetMetatables() async throws {
    let text = try await withLua { state in
      try state.registerJSON()
      let list = try state.make(["__jsontype": "array", "__name": "Jobs"])
      let job = try state.make(["__index": ["kind": "job"]])
      try state.register("jobs") { _ in
        .value(.json(Array(#"[{"id":1},{"id":2,"x":{}},[]]"#.utf8), list: list, elements: job))
      }
      return try state.evaluate(
        """
        local jobs = jobs()
        assert(jobs[1].kind == 'job' and jobs[2].kind == 'job' and not jobs[2].x.kind)
        assert(tostring(jobs):find('^Jobs') and encode(jobs[3]) == '[]')
        return encode(jobs)
        """)
    }
    #expect(text == #"[{"id":1},{"id":2,"x":{}},[]]"#)
  }

  @Test func aFinalizerMayEmptyTheTableThatIsEncoded() async throws {
    let text = try await evaluate(
      """
      local t = {}
      for i = 1, 60000 do t[('k%06d'):format(i) .. ('x'):rep(60)] = ('v'):rep(50) .. i end
      collectgarbage('incremental', 50, 1000)
      setmetatable({}, {__gc = function() for k in pairs(t) do t[k] = nil end end})
      for key in encode(t):gmatch('"([^"]*)":') do assert(key:find('^k%d+x+$'), key) end
      return 'ok'
      """)
    #expect(text == "ok")
  }

  @Test func finalizersMayUseItInTheMiddle() async throws {
    let text = try await evaluate(
      """
      local count = 0
      local text = '[' .. ('{"a":[1,2,3]},'):rep(200) .. '{}]'
      local function bomb() setmetatable({}, {__gc = function()
        count = count + 1
        assert(encode(decode(text)) == text)
        if count < 200 then bomb() end
      end}) end
      bomb()
      while count < 50 do assert(encode(decode(text)) == text) end
      return 'ok'
      """)
    #expect(text == "ok")
  }
}

extension LuaState {
  fileprivate func registerJSON() throws {
    for (name, builtin) in [
      ("decode", LuaBuiltin.jsonDecode), ("encode", .jsonEncode), ("null", .jsonNull),
      ("array", .jsonArray),
    ] {
      try set(globals, .string(name), .builtin(builtin))
    }
  }
}
