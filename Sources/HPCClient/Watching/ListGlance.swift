import JSON

/// Picks number, name and status of each job out of the bytes of a list: a fraction of what models cost,
/// for lists that go to Lua as they came.
struct ListGlance {
  /// One job, and where its object stands in the text.
  struct Job {
    var id: JobID
    var name: String
    var status: String
    var place: ClosedRange<Int>
  }

  private enum Want { case nothing, id, name, status }

  /// Calls a function for each job of an array of objects; for fewer or none where the text is no
  /// such list.
  static func forEachJob(in list: [UInt8], _ body: (Job) -> Void) {
    let bytes = list.span
    var (at, depth, start) = (0, 0, 0)
    var want = Want.nothing
    var number: Int64 = 0
    var name = 0..<0
    var status = 0..<0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        let end = endOfString(bytes, at + 1)
        if depth == 2 {
          let text = (at + 1)..<end
          switch want {
          case .nothing: want = key(bytes, text)
          case .id: (number, want) = (Self.number(bytes, text), .nothing)
          case .name: (name, want) = (text, .nothing)
          case .status: (status, want) = (text, .nothing)
          }
        }
        at = end
      case UInt8(ascii: "0")...UInt8(ascii: "9") where want == .id && depth == 2:
        var end = at
        while end < bytes.count, isDigit(bytes[end]) { end += 1 }
        (number, want) = (Self.number(bytes, at..<end), .nothing)
        at = end - 1
      case UInt8(ascii: ","): want = .nothing
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        if depth == 2 { (start, want, number, name, status) = (at, .nothing, 0, 0..<0, 0..<0) }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 2, number > 0 {
          body(
            Job(
              id: JobID(number), name: text(list[name]),
              status: String(decoding: list[status], as: UTF8.self), place: start...at))
        }
        depth -= 1
      default: break
      }
      at += 1
    }
  }

  /// Where the quote is that ends a string; the end of the text where there is none.
  private static func endOfString(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var at = start
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") { return at }
      if byte == UInt8(ascii: "\\") { at += 1 }
      at += 1
    }
    return bytes.count
  }

  private static func key(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Want {
    // Few other keys are as long.
    guard text.count == 6 || text.count == 8 else { return .nothing }
    func spells(_ word: StaticString) -> Bool {
      var at = text.lowerBound
      return word.description.utf8.allSatisfy { byte in
        defer { at += 1 }
        return bytes[at] == byte
      }
    }
    if text.count == 8 { return spells("job_name") ? .name : .nothing }
    if bytes[text.lowerBound] == UInt8(ascii: "j") { return spells("job_id") ? .id : .nothing }
    return spells("status") ? .status : .nothing
  }

  /// What stands between the quotes of a string.
  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    if bytes.contains(UInt8(ascii: "\\")),
      let value = try? JSONValue(parsing: [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
    {
      return value.string ?? ""
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// 0 for what is no number of a job.
  private static func number(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int64 {
    guard (1...18).contains(text.count) else { return 0 }
    var number: Int64 = 0
    for at in text {
      guard isDigit(bytes[at]) else { return 0 }
      number = number * 10 + Int64(bytes[at] - UInt8(ascii: "0"))
    }
    return number
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
