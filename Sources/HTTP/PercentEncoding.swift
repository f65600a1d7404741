/// Percent-encoding as signatures want it (RFC 3986 §2.3): everything but letters, digits and
/// `-._~`, in upper-case hexadecimal.
public enum PercentEncoding {
  /// A parameter's name or value, or one segment of a path.
  public static func component(_ text: String) -> String {
    var output: [UInt8] = []
    append(text.utf8, to: &output, keepingSlashes: false)
    return String(decoding: output, as: UTF8.self)
  }

  /// A path: slashes stay.
  public static func path(_ text: String) -> String {
    var output: [UInt8] = []
    append(text.utf8, to: &output, keepingSlashes: true)
    return String(decoding: output, as: UTF8.self)
  }

  /// A query from names and values, in the order given.
  public static func query(_ parameters: [(String, String)]) -> String {
    parameters.map { "\(component($0.0))=\(component($0.1))" }.joined(separator: "&")
  }

  /// Appends bytes encoded; `%` is encoded like any other, so encoding twice is done by calling
  /// twice.
  public static func append(
    _ bytes: some Sequence<UInt8>, to output: inout [UInt8], keepingSlashes: Bool
  ) {
    for byte in bytes {
      if isUnreserved(byte) || (keepingSlashes && byte == UInt8(ascii: "/")) {
        output.append(byte)
      } else {
        output.append(UInt8(ascii: "%"))
        output.append(digit(byte >> 4))
        output.append(digit(byte & 15))
      }
    }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
    default: false
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x37 + value
  }
}
