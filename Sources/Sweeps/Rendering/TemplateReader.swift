/// Splits a template into text and places.
struct TemplateReader {
  let text: String
  let markers: Template.Markers
  private(set) var problems: [TemplateError.Problem] = []

  init(text: String, markers: Template.Markers) {
    self.text = text
    self.markers = markers
  }

  mutating func read() -> [Template.Segment] {
    let bytes = Array(text.utf8)
    let open = Array(markers.open.utf8)
    let close = Array(markers.close.utf8)
    var segments: [Template.Segment] = []
    guard !open.isEmpty, !close.isEmpty else { return [.text(text)] }
    var start = 0
    var position = 0
    var line = 1
    while position < bytes.count {
      if bytes[position] == open[0],
        let place = place(in: bytes, at: position, open: open, close: close, line: line)
      {
        if start < position { segments.append(.text(Self.string(bytes[start..<position]))) }
        segments.append(place.segment)
        position = place.end
        start = position
      } else {
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
      }
    }
    if start < bytes.count { segments.append(.text(Self.string(bytes[start...]))) }
    return segments
  }

  private mutating func place(
    in bytes: [UInt8], at position: Int, open: [UInt8], close: [UInt8], line: Int
  ) -> (segment: Template.Segment, end: Int)? {
    guard bytes[position...].starts(with: open) else { return nil }
    var end = position + open.count
    while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
      if bytes[end...].starts(with: close) { break }
      end += 1
    }
    guard end < bytes.count, bytes[end...].starts(with: close) else { return nil }
    let content = Self.string(bytes[(position + open.count)..<end])
    let parts = content.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
    let name = Self.trimmed(parts[0])
    guard ParameterName.isIdentifier(name) else { return nil }
    // With markers such as @, `a@b @ c` must not be a place: blanks are for the wide markers.
    if open.count == 1, name.count != parts[0].count { return nil }
    var filter = Template.Filter.verbatim
    if parts.count == 2 {
      guard let known = Self.filter(Self.trimmed(parts[1])) else {
        problems.append(
          .init(
            line: line,
            message: "\(markers.open)\(content)\(markers.close): the filters are sh, raw and "
              + "formats such as %.3f, %05d or %g"))
        return (.text(""), end + close.count)
      }
      filter = known
    }
    return (.place(name: String(name), filter: filter, line: line), end + close.count)
  }

  private static func filter(_ text: Substring) -> Template.Filter? {
    switch text {
    case "sh": .shell
    case "raw": .raw
    default: ValueFormat(text).map(Template.Filter.format)
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let isBlank = { (c: Character) in c == " " || c == "\t" }
    var text = text.drop(while: isBlank)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }

  private static func string(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }
}
