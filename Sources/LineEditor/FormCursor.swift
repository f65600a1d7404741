/// Moves the cursor between the lines of one form.
enum FormCursor {
  /// Where Up leads within a form.
  ///
  /// - Parameters:
  ///   - form: the bytes of the form.
  ///   - point: the cursor's byte.
  /// - Returns: the byte in the line above, in the same column where it is long enough; nil on the
  ///   first line.
  static func up(_ form: [UInt8], _ point: Int) -> Int? {
    let start = lineStart(form, point)
    guard start > 0 else { return nil }
    let above = lineStart(form, start - 1)
    return place(form, line: above, column: column(form, start, point))
  }

  /// Where Down leads within a form; nil on the last line.
  static func down(_ form: [UInt8], _ point: Int) -> Int? {
    guard let end = form[point...].firstIndex(of: 0x0a) else { return nil }
    return place(form, line: end + 1, column: column(form, lineStart(form, point), point))
  }

  /// The end of the cursor's line.
  static func lineEnd(_ form: [UInt8], _ point: Int) -> Int {
    form[point...].firstIndex(of: 0x0a) ?? form.count
  }

  /// The beginning of the cursor's line.
  static func lineStart(_ form: [UInt8], _ point: Int) -> Int {
    form[..<point].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
  }

  /// Characters, not bytes, so that a move never ends inside one.
  private static func column(_ form: [UInt8], _ start: Int, _ point: Int) -> Int {
    form[start..<point].count { $0 & 0xc0 != 0x80 }
  }

  private static func place(_ form: [UInt8], line: Int, column: Int) -> Int {
    var index = line
    var left = column
    while index < form.count, form[index] != 0x0a {
      if form[index] & 0xc0 != 0x80 {
        if left == 0 { break }
        left -= 1
      }
      index += 1
    }
    return index
  }
}
