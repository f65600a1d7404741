/// One element of a small document: an answer of a service, held whole.
public struct XMLElement: Sendable, Hashable {
  /// The name as it is written.
  public let name: String
  /// The text directly inside, in one piece.
  public internal(set) var text: String
  public internal(set) var children: [XMLElement]

  /// An element that is to be written, or compared with.
  public init(_ name: String, text: String = "", children: [XMLElement] = []) {
    self.name = name
    self.text = text
    self.children = children
  }

  /// Reads a whole document and gives its outermost element.
  public init(parsing bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) {
    let builder = TreeBuilder()
    let reader = try XMLReader(limits: limits) { builder.receive($0) }
    try reader.feed(bytes)
    try reader.finish()
    guard let root = builder.root else {
      throw .malformed(line: 1, column: 0, reason: "no element found")
    }
    self = root
  }

  /// The first child of a name.
  public subscript(name: String) -> XMLElement? {
    children.first { $0.name == name }
  }

  /// The children of a name, in order.
  public subscript(all name: String) -> [XMLElement] {
    children.filter { $0.name == name }
  }

  /// This element as XML, without a declaration.
  public var encoded: String {
    "<\(name)>\(Self.escaped(text))\(children.map(\.encoded).joined())</\(name)>"
  }

  private static func escaped(_ text: String) -> String {
    var output: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): output += "&amp;".utf8
      case UInt8(ascii: "<"): output += "&lt;".utf8
      case UInt8(ascii: ">"): output += "&gt;".utf8
      // A bare one would be read back as a line feed (XML 1.0 §2.11).
      case UInt8(ascii: "\r"): output += "&#13;".utf8
      default: output.append(byte)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}

private final class TreeBuilder {
  var root: XMLElement?
  private var open: [XMLElement] = []

  func receive(_ event: XMLEvent) {
    switch event {
    case .start(let name):
      open.append(XMLElement(name))
    case .text(let text):
      guard let last = open.indices.last else { return }
      open[last].text += text
    case .end:
      guard var element = open.popLast() else { return }
      // White space between elements says nothing.
      if !element.children.isEmpty, element.text.utf8.allSatisfy(Self.isSpace) { element.text = "" }
      if let last = open.indices.last {
        open[last].children.append(element)
      } else {
        root = element
      }
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0d).contains(byte)
  }
}
