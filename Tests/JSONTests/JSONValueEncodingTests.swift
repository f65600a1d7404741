import JSON
import Testing

@Suite struct JSONValueEncodingTests {
  static let texts: [(JSONValue, String)] = [
    (nil, "null"), (true, "true"), (.int(.min), "-9223372036854775808"),
    (9_007_199_254_740_993, "9007199254740993"), (0.1, "0.1"), (.double(1), "1.0"),
    (.double(.leastNonzeroMagnitude), "5e-324"), (.double(.infinity), "null"),
    (.double(.nan), "null"),
    ("\u{0}\u{1f}\"\\\u{8}\t\n\u{c}\r/é😀", #""\u0000\u001f\"\\\b\t\n\f\r/é😀""#),
    ([1, [], [:], ["a": [nil], "a": 2.5]], #"[1,[],{},{"a":[null],"a":2.5}]"#),
  ]

  @Test(arguments: texts)
  func `writes a value`(value: JSONValue, text: String) {
    #expect(String(decoding: value.encoded(), as: UTF8.self) == text)
  }

  @Test func `writes for people`() {
    let value: JSONValue = ["a": [1, 2], "b": [:], "c": []]
    #expect(
      String(decoding: value.encoded(pretty: true), as: UTF8.self) == """
        {
          "a": [
            1,
            2
          ],
          "b": {},
          "c": []
        }
        """)
  }

  @Test func `numbers read back to the last digit`() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2_000 {
      let real = Double(bitPattern: generator.next())
      let values: [JSONValue] = [
        .int(Int64(bitPattern: generator.next())), real.isFinite ? .double(real) : 0.5,
      ]
      #expect(try JSONValue(parsing: JSONValue.array(values).encoded()) == .array(values))
    }
  }
}
