import HTTP
import XML

/// One answer to a list request.
public struct ListPage: Sendable, Hashable {
  /// In the order of their keys' bytes.
  public var objects: [StoredObject]
  /// With a delimiter: what the other keys begin with, up to and with the delimiter.
  public var prefixes: [String]
  /// Where the next page begins; nil on the last one.
  var next: String?

  /// Whether nothing comes behind it.
  public var isLast: Bool { next == nil }

  /// Why a list cannot be read.
  struct Malformed: Error {
    var reason: String
  }

  /// Reads `ListBucketResult` (S3 API, ListObjectsV2).
  init(parsing body: [UInt8]) throws(Malformed) {
    let root: XMLElement
    do {
      root = try XMLElement(parsing: body)
    } catch {
      throw Malformed(reason: error.description)
    }
    guard root.name == "ListBucketResult" else {
      throw Malformed(reason: "<\(root.name)> instead of a list")
    }
    let isEncoded = root["EncodingType"]?.text == "url"
    objects = []
    prefixes = []
    for child in root.children {
      switch child.name {
      case "Contents":
        objects.append(try Self.object(child, isEncoded: isEncoded))
      case "CommonPrefixes":
        guard let prefix = child["Prefix"] else { throw Malformed(reason: "a prefix without text") }
        prefixes.append(try Self.name(prefix.text, isEncoded: isEncoded))
      default: break
      }
    }
    let token = root["NextContinuationToken"]?.text
    if root["IsTruncated"]?.text == "true" {
      guard let token, !token.isEmpty else {
        throw Malformed(reason: "a part of a list that does not say where the rest is")
      }
      next = token
    }
  }

  private static func object(
    _ element: XMLElement, isEncoded: Bool
  ) throws(Malformed) -> StoredObject {
    guard let key = element["Key"], let size = element["Size"].flatMap({ Int64($0.text) }),
      (0...StoredObject.largest).contains(size)
    else { throw Malformed(reason: "an object without key or possible size") }
    return StoredObject(
      key: try name(key.text, isEncoded: isEncoded), size: size,
      etag: element["ETag"].map { ETag($0.text) },
      modified: element["LastModified"].flatMap { ISOTime.epochSeconds(parsing: $0.text) })
  }

  /// Undoes `encoding-type=url`, which is asked for since XML cannot hold every character; spaces
  /// come as plus signs or encoded, plus signs always encoded.
  private static func name(_ text: String, isEncoded: Bool) throws(Malformed) -> String {
    guard isEncoded else { return text }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"):
        bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        let digits = rest.prefix(2)
        guard digits.count == 2,
          let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw Malformed(reason: "the name \"\(text)\" is wrongly encoded") }
        bytes.append(value)
        rest = rest.dropFirst(2)
      default:
        bytes.append(byte)
      }
    }
    guard let name = String(validating: bytes, as: UTF8.self) else {
      throw Malformed(reason: "the name \"\(text)\" is not UTF-8")
    }
    return name
  }
}

/// Times as lists write them: `2026-10-01T12:34:56.789Z`, the fraction left away.
enum ISOTime {
  /// Seconds since 1970; nil for anything else.
  static func epochSeconds(parsing text: String) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"),
      bytes.count == 20 || bytes[19] == UInt8(ascii: "."),
      bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"),
      bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
    else { return nil }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in bytes[range] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
    else { return nil }
    return HTTPDate.epochSeconds(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second)
  }
}
