extension JSONValue {
  /// The value as UTF-8: integers exact, reals with the fewest digits that read back the same,
  /// what JSON has no word for (infinite, not a number) as `null`.
  ///
  /// - Parameter pretty: one element or member a line, two spaces a level.
  /// - Returns: the text, without a line end.
  public func encoded(pretty: Bool = false) -> [UInt8] {
    var writer = Writer(pretty: pretty)
    writer.write(self, level: 0)
    return writer.bytes
  }

  private struct Writer {
    let pretty: Bool
    var bytes: [UInt8] = []

    mutating func write(_ value: JSONValue, level: Int) {
      switch value {
      case .null: bytes += "null".utf8
      case .bool(let value): bytes += (value ? "true" : "false").utf8
      case .int(let value): bytes += String(value).utf8
      case .double(let value): bytes += value.isFinite ? Array("\(value)".utf8) : Array("null".utf8)
      case .string(let text): write(text)
      case .array(let elements):
        bracket("[", "]", elements, level) { writer, element in
          writer.write(element, level: level + 1)
        }
      case .object(let members):
        bracket("{", "}", members, level) { writer, member in
          writer.write(member.key)
          writer.bytes += (writer.pretty ? ": " : ":").utf8
          writer.write(member.value, level: level + 1)
        }
      }
    }

    private mutating func bracket<Item>(
      _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ items: [Item], _ level: Int,
      _ body: (inout Writer, Item) -> Void
    ) {
      bytes.append(UInt8(ascii: open))
      for (index, item) in items.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        newLine(level + 1)
        body(&self, item)
      }
      if !items.isEmpty { newLine(level) }
      bytes.append(UInt8(ascii: close))
    }

    private mutating func newLine(_ level: Int) {
      guard pretty else { return }
      bytes.append(UInt8(ascii: "\n"))
      bytes += repeatElement(UInt8(ascii: " "), count: 2 * level)
    }

    private mutating func write(_ text: String) {
      bytes.append(UInt8(ascii: "\""))
      for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x08: bytes += "\\b".utf8
        case 0x09: bytes += "\\t".utf8
        case 0x0a: bytes += "\\n".utf8
        case 0x0c: bytes += "\\f".utf8
        case 0x0d: bytes += "\\r".utf8
        case 0..<0x20:
          let digits = Array("0123456789abcdef".utf8)
          bytes += "\\u00".utf8
          bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: bytes.append(byte)
        }
      }
      bytes.append(UInt8(ascii: "\""))
    }
  }
}
