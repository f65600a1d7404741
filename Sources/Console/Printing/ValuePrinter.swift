import LuaAPI

/// Lays values out, Lua-like, within the width of the terminal.
struct ValuePrinter {
  let palette: Palette
  /// Cells in a line.
  let width: Int

  /// The text of a value that stands alone: strings and texts of several lines as they are.
  func text(of value: PrintedValue) -> String {
    if case .string(let bytes, let more) = value, bytes.contains(0x0a) {
      let text = TextTable.printableLines(String(decoding: bytes, as: UTF8.self))
      return more > 0 ? text + "\n" + palette.paint("… \(more) more bytes", .faint) : text
    }
    if case .text(let text) = value, text.contains("\n") { return TextTable.printableLines(text) }
    return layout(value, indent: 0, taken: 0)
  }

  // MARK: One line

  /// The value within one line.
  func inline(_ value: PrintedValue, painted: Bool) -> String {
    func paint(_ text: String, _ style: Palette.Style) -> String {
      painted ? palette.paint(text, style) : text
    }
    switch value {
    case .constant(let text): return paint(text, .constant)
    case .number(let text): return paint(text, .number)
    case .opaque(let text): return paint(TextTable.printable(text), .faint)
    case .text(let text): return TextTable.printable(text)
    case .string(let bytes, let more):
      let text = paint(Self.quoted(bytes), .string)
      return more > 0 ? text + paint(" … \(more) more bytes", .faint) : text
    case .table(let table):
      let name = table.className.map { $0 + " " } ?? ""
      if let omission = table.omission {
        return paint(name + (omission == .cycle ? "{ cycle }" : "{…}"), .faint)
      }
      var parts = table.items.map { inline($0, painted: painted) }
      if table.moreItems > 0 { parts.append(paint("… \(table.moreItems) more", .faint)) }
      parts += table.fields.map {
        "\(key($0.key)) = \(inline($0.value, painted: painted))"
      }
      if table.moreFields > 0 { parts.append(paint("… \(table.moreFields) more", .faint)) }
      if parts.isEmpty { return name + "{}" }
      let inside = parts.joined(separator: ", ")
      return table.fields.isEmpty ? "\(name){\(inside)}" : "\(name){ \(inside) }"
    }
  }

  // MARK: Several lines

  /// The value in as many lines as it needs.
  ///
  /// - Parameters:
  ///   - indent: cells before the lines after the first.
  ///   - taken: cells that the first line has already.
  private func layout(_ value: PrintedValue, indent: Int, taken: Int) -> String {
    guard case .table(let table) = value, table.omission == nil,
      indent + taken + TextTable.width(inline(value, painted: false)) > width
    else { return inline(value, painted: true) }
    let name = table.className.map { $0 + " " } ?? ""
    let inner = indent + 2
    let margin = String(repeating: " ", count: inner)
    var lines: [String] = []
    if table.items.allSatisfy(Self.isShort) {
      lines += filled(table.items, margin: inner)
    } else {
      lines += table.items.map { margin + layout($0, indent: inner, taken: 1) + "," }
    }
    if table.moreItems > 0 {
      lines.append(margin + palette.paint("… \(table.moreItems) more", .faint))
    }
    for field in table.fields {
      let start = "\(key(field.key)) = "
      lines.append(
        margin + start
          + layout(field.value, indent: inner, taken: TextTable.width(start) + 1) + ",")
    }
    if table.moreFields > 0 {
      lines.append(margin + palette.paint("… \(table.moreFields) more", .faint))
    }
    return "\(name){\n" + lines.joined(separator: "\n") + "\n"
      + String(repeating: " ", count: indent) + "}"
  }

  /// Named values, as many a line as fit, without braces.
  func pairs(_ fields: [PrintedTable.Field], margin: Int) -> String {
    var lines: [String] = []
    var line = ""
    var used = margin
    for field in fields {
      let name = "\(key(field.key)) = "
      let cells = TextTable.width(name + inline(field.value, painted: false)) + 2
      if used > margin, used + cells > width {
        lines.append(line)
        (line, used) = ("", margin)
      }
      line += (line.isEmpty ? String(repeating: " ", count: margin) : "  ") + name
      line += inline(field.value, painted: true)
      used += cells
    }
    if !line.isEmpty { lines.append(line) }
    return lines.joined(separator: "\n")
  }

  private static func isShort(_ value: PrintedValue) -> Bool {
    switch value {
    case .constant, .number, .opaque: true
    case .string(let bytes, _): bytes.count <= 30
    case .table, .text: false
    }
  }

  /// As many short items a line as fit.
  private func filled(_ items: [PrintedValue], margin: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    var used = 0
    for item in items {
      let cells = TextTable.width(inline(item, painted: false)) + 1
      if used > 0, margin + used + 1 + cells > width {
        lines.append(String(repeating: " ", count: margin) + line)
        line = ""
        used = 0
      }
      line += (used > 0 ? " " : "") + inline(item, painted: true) + ","
      used += cells + (used > 0 ? 1 : 0)
    }
    if used > 0 { lines.append(String(repeating: " ", count: margin) + line) }
    return lines
  }

  // MARK: Parts

  private func key(_ key: PrintedValue) -> String {
    if case .string(let bytes, 0) = key, let text = String(validating: bytes, as: UTF8.self),
      LuaLexer.isName(text)
    {
      return text
    }
    return "[\(inline(key, painted: false))]"
  }

  /// A string as Lua would read it; UTF-8 stays as it is, other bytes become `\xff`.
  static func quoted(_ bytes: [UInt8]) -> String {
    var result = "\""
    var rest = bytes[...]
    while let byte = rest.first {
      switch byte {
      case 0x22: result += "\\\""
      case 0x5c: result += "\\\\"
      case 0x0a: result += "\\n"
      case 0x0d: result += "\\r"
      case 0x09: result += "\\t"
      case 0x00..<0x20, 0x7f: result += "\\x\(hexadecimal(byte))"
      case 0x20..<0x7f: result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        if let (scalar, count) = scalar(rest) {
          // C1 control characters move cursors on some terminals.
          if TextTable.isControl(scalar) {
            result += "\\u{\(String(scalar.value, radix: 16))}"
          } else {
            result.unicodeScalars.append(scalar)
          }
          rest = rest.dropFirst(count)
        } else {
          result += "\\x\(hexadecimal(byte))"
          rest = rest.dropFirst()
        }
        continue
      }
      rest = rest.dropFirst()
    }
    return result + "\""
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }

  /// The character at the beginning, if it is valid UTF-8.
  private static func scalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
    return (scalar, String(Character(scalar)).utf8.count)
  }
}
