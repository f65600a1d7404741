import JSON
import Testing

@Suite struct JSONValueParsingTests {
  static let values: [(String, JSONValue)] = [
    ("null", nil), ("true", true), ("false", false), ("0", 0), ("-0", 0), (" 12 ", 12),
    ("9007199254740993", 9_007_199_254_740_993),
    ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
    ("9223372036854775808", .double(9_223_372_036_854_775_808)),
    ("18446744073709551616", .double(18_446_744_073_709_551_616)),
    (
      "[-36893488147419103232, \"123456789012345678901\", 7]",
      [.double(-36_893_488_147_419_103_232), "123456789012345678901", 7]
    ),
    ("1.0", .double(1)), ("0.1", 0.1), ("5e-324", .double(.leastNonzeroMagnitude)),
    ("1E+2", .double(100)),
    ("\"\"", ""), ("\"a\\u0000b\"", "a\0b"), ("\"\\ud83d\\ude00 é\\/\"", "😀 é/"),
    ("[]", []), ("{}", [:]), ("[[],{},[{}]]", [[], [:], [[:]]]),
    ("{\"b\":1,\"a\":{\"c\":[null]},\"b\":2}", ["b": 1, "a": ["c": [nil]], "b": 2]),
  ]

  @Test(arguments: values)
  func `reads a value`(text: String, expected: JSONValue) throws {
    #expect(try JSONValue(parsing: Array(text.utf8)) == expected)
  }

  static let errors: [(String, JSONError.Kind, Int)] = [
    ("", .empty, 0), ("  \n", .empty, 3), ("1 2", .trailing, 2), ("[1]]", .trailing, 3),
    ("[1", .unfinished, 2), ("{\"a\"", .unfinished, 4), ("\"ab", .unfinished, 3),
    ("\"\\u12", .unfinished, 5), ("-", .unfinished, 1),
    ("[1,]", .unexpected(expected: "a value"), 3), ("{,}", .unexpected(expected: "a key"), 1),
    ("{\"a\" 1}", .unexpected(expected: ":"), 5), ("[1 2]", .unexpected(expected: ", or ]"), 3),
    ("{\"a\":1,}", .unexpected(expected: "a key"), 7), ("nul1", .unexpected(expected: "null"), 3),
    ("01", .unexpected(expected: "no leading zero"), 0),
    ("1.e3", .unexpected(expected: "a digit"), 2),
    ("\"a\nb\"", .unexpected(expected: "no control character"), 2),
    ("\"\\x\"", .escape, 1), ("\"\\ud800\"", .escape, 1), ("[\"\\ud800\\u0041\"]", .escape, 2),
    ("1e999", .number, 0), ("<html>", .unexpected(expected: "a value"), 0),
  ]

  @Test(arguments: errors)
  func `tells what is wrong and where`(text: String, kind: JSONError.Kind, offset: Int) {
    #expect(throws: JSONError(kind, offset: offset)) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test(
    arguments: [
      ([0x22, 0xff, 0x22], 1), ([0x5b, 0xc3, 0x28, 0x5d], 1), ([0x22, 0xed, 0xa0, 0x80, 0x22], 1),
      ([0x22, 0x61, 0xe2, 0x82], 2), ([0x22, 0xc0, 0xaf, 0x22], 1),
    ] as [([UInt8], Int)])
  func `refuses bytes that are no UTF-8`(bytes: [UInt8], offset: Int) {
    #expect(throws: JSONError(.utf8, offset: offset)) { try JSONValue(parsing: bytes) }
  }

  @Test(arguments: [1, 2, 512, 1_000])
  func `nests to the bound and no deeper`(depth: Int) throws {
    func nested(_ count: Int) -> [UInt8] {
      Array((String(repeating: "[", count: count) + String(repeating: "]", count: count)).utf8)
    }
    _ = try JSONValue(parsing: nested(depth), maximumDepth: depth)
    #expect(throws: JSONError(.depth(limit: depth), offset: depth)) {
      try JSONValue(parsing: nested(depth + 1), maximumDepth: depth)
    }
  }

  @Test func `a depth bomb is an error`() {
    for text in [
      String(repeating: "[", count: 10_000), String(repeating: "{\"a\":", count: 10_000),
    ] {
      #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
    }
  }

  /// The scanner and simdjson must draw the same line: a text that either refuses is refused, and
  /// none crashes.
  @Test func `every cut and every changed byte gives a value or an error with a place`() {
    let text = Array(#"{"a":[1,-2.5e3,true,null,"\u00e9\n"],"b":{"c":99999999999999999999}} "#.utf8)
    for index in text.indices {
      for bytes in [Array(text[..<index])]
        + ([0x00, 0x22, 0x2c, 0x5d, 0x7d, 0xc3] as [UInt8]).map({ byte in
          var copy = text
          copy[index] = byte
          return copy
        })
      {
        do throws(JSONError) {
          let value = try JSONValue(parsing: bytes)
          #expect(throws: Never.self) { try JSONValue(parsing: value.encoded()) }
        } catch {
          #expect(error.offset <= bytes.count)
          #expect(error.kind != .unexpected(expected: "JSON"), "the two disagree")
        }
      }
    }
  }

  @Test func `looks up the last of repeated keys`() throws {
    let value = try JSONValue(parsing: Array(#"{"a":1,"b":[5,6],"a":2}"#.utf8))
    #expect(value["a"] == 2)
    #expect(value["b"]?[1] == 6)
    #expect(value["b"]?[2] == nil)
    #expect(value["c"] == nil)
    #expect(value.object?.map(\.key) == ["a", "b", "a"])
  }
}
