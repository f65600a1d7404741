import Testing

@testable import Console

struct ValuePrinterTests {
  private let printer = ValuePrinter(palette: Palette(isOn: false), width: 40)

  private func string(_ text: String) -> PrintedValue { .string(Array(text.utf8), more: 0) }

  private func field(_ key: String, _ value: PrintedValue) -> PrintedTable.Field {
    .init(key: string(key), value: value)
  }

  @Test(arguments: [
    (PrintedValue.constant("nil"), "nil"), (.number("1.5"), "1.5"),
    (.opaque("function: 0x1"), "function: 0x1"),
    (.string(Array("a\"\\\t\u{1b}[31m日本\u{7f}".utf8), more: 0), #""a\"\\\t\x1b[31m日本\x7f""#),
    (.string([0xff, 0x41, 0xe6, 0x97], more: 0), #""\xffA\xe6\x97""#),
    (.string(Array("\u{85}".utf8), more: 3), #""\u{85}" … 3 more bytes"#),
    (.table(PrintedTable()), "{}"),
    (.table(PrintedTable(items: [.number("1"), .number("2")], moreItems: 7)), "{1, 2, … 7 more}"),
    (.table(PrintedTable(omission: .cycle)), "{ cycle }"),
    (.table(PrintedTable(className: "Job", omission: .depth)), "Job {…}"),
    (.text("a\u{1b}b"), "a\\27b"),
  ])
  func `values on one line`(value: PrintedValue, expected: String) {
    #expect(printer.text(of: value) == expected)
  }

  @Test func `keys are names where they can be`() {
    let table = PrintedTable(fields: [
      field("x", .number("1")), field("Fugaku:lst", string("RUN")), field("end", .constant("true")),
      .init(key: .number("1.5"), value: .constant("false")),
    ])
    #expect(
      ValuePrinter(palette: Palette(isOn: false), width: 100).text(of: .table(table))
        == #"{ x = 1, ["Fugaku:lst"] = "RUN", ["end"] = true, [1.5] = false }"#)
  }

  @Test func `strings of several lines stand as they are, without control characters`() {
    #expect(printer.text(of: string("a\tb\n\u{1b}[2Jc\r\nd")) == "a\tb\n\\27[2Jc\nd")
  }

  @Test func `long tables take several lines, short items share them`() {
    let numbers = (1...20).map { PrintedValue.number("\($0)") }
    let table = PrintedTable(
      fields: [
        field("numbers", .table(PrintedTable(items: numbers, moreItems: 80))),
        field("name", string("x")),
      ])
    #expect(
      printer.text(of: .table(table)) == """
        {
          numbers = {
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
            12, 13, 14, 15, 16, 17, 18, 19, 20,
            … 80 more
          },
          name = "x",
        }
        """)
  }

  @Test func `colours appear only when they are on`() {
    let painted = ValuePrinter(palette: Palette(isOn: true), width: 40).text(of: .number("1"))
    #expect(painted == "\u{1b}[36m1\u{1b}[0m")
  }
}
