/// Why bytes are not an acceptable document.
public enum XMLError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Not well-formed; `line` counts from 1, `column` from 0, `reason` is expat's.
  case malformed(line: Int, column: Int, reason: String)
  /// The document brings a document type: the way in for entity bombs and outside files, and
  /// nothing that an answer of a service needs.
  case documentType
  case tooLarge(limit: Int)
  case tooDeep(limit: Int)
  case tooManyElements(limit: Int)
  case outOfMemory
  /// Bytes were given after ``XMLReader/finish()`` or after an error.
  case finished

  public var description: String {
    switch self {
    case .malformed(let line, let column, let reason):
      "not XML: \(reason) at line \(line), column \(column)"
    case .documentType: "XML with a document type is refused"
    case .tooLarge(let limit): "XML of more than \(limit) bytes is refused"
    case .tooDeep(let limit): "XML with more than \(limit) elements inside each other is refused"
    case .tooManyElements(let limit): "XML with more than \(limit) elements is refused"
    case .outOfMemory: "no memory left to read XML"
    case .finished: "the XML document has already ended"
    }
  }
}
