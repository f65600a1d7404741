import HTTP
import SigV4
import XML

/// ListObjects and ListObjectsV2.
extension S3Call {
  func list() throws(S3Error) -> ServerReply {
    let isSecond = target.parameters["list-type"] == "2"
    let limit = min(try target.number("max-keys", 0...Int(Int32.max)) ?? 1_000, 1_000)
    var query = ObjectListing.Query(limit: limit)
    query.prefix = Array((target.parameters["prefix"] ?? "").utf8)
    query.delimiter = Array((target.parameters["delimiter"] ?? "").utf8)
    query.after = Array((target.parameters[isSecond ? "start-after" : "marker"] ?? "").utf8)
    if isSecond, let token = target.parameters["continuation-token"] {
      guard let after = Self.bytes(ofToken: token) else {
        throw .invalidArgument("The continuation token provided is incorrect")
      }
      query.after = after
    }
    let (listing, infos) =
      limit == 0 ? (ObjectListing([], query), [:]) : service.parts.folder.list(query)
    let head = head(listing, query, isSecond: isSecond)
    let items = listing.items.map { item -> XMLElement in
      switch item {
      case .object(let key): object(key, infos[key])
      case .prefix(let bytes):
        XMLElement("CommonPrefixes", children: [name("Prefix", bytes)])
      }
    }
    return .xml(200, XMLElement("ListBucketResult", children: head + items))
  }

  private func head(
    _ listing: ObjectListing, _ query: ObjectListing.Query, isSecond: Bool
  ) -> [XMLElement] {
    var head = [
      XMLElement("Name", text: service.parts.bucket), name("Prefix", query.prefix),
      XMLElement("MaxKeys", text: "\(query.limit)"),
      XMLElement("IsTruncated", text: "\(listing.isTruncated)"),
    ]
    if !query.delimiter.isEmpty { head.append(name("Delimiter", query.delimiter)) }
    if let encoding = target.parameters["encoding-type"] {
      head.append(XMLElement("EncodingType", text: encoding))
    }
    let last = listing.isTruncated ? listing.items.last?.name : nil
    if isSecond {
      head.append(XMLElement("KeyCount", text: "\(listing.items.count)"))
      if let start = target.parameters["start-after"] {
        head.append(name("StartAfter", Array(start.utf8)))
      }
      if let token = target.parameters["continuation-token"] {
        head.append(XMLElement("ContinuationToken", text: token))
      }
      if let last {
        head.append(XMLElement("NextContinuationToken", text: Hexadecimal.text(last)))
      }
    } else {
      head.append(name("Marker", query.after))
      if let last { head.append(name("NextMarker", last)) }
    }
    return head
  }

  private func object(_ key: ObjectKey, _ info: ObjectInfo?) -> XMLElement {
    XMLElement(
      "Contents",
      children: [
        name("Key", key.bytes),
        XMLElement("LastModified", text: info?.isoDate ?? ""),
        XMLElement("ETag", text: "\"\(info?.etag ?? "")\""),
        XMLElement("Size", text: "\(info?.size ?? 0)"),
        XMLElement("StorageClass", text: "STANDARD"),
      ])
  }

  /// Keys hold what XML cannot; clients ask for them percent-encoded then.
  private func name(_ element: String, _ bytes: [UInt8]) -> XMLElement {
    let text = String(decoding: bytes, as: UTF8.self)
    return XMLElement(
      element,
      text: target.parameters["encoding-type"] == "url" ? PercentEncoding.path(text) : text)
  }

  /// A token is the last item's name in hexadecimal.
  private static func bytes(ofToken token: String) -> [UInt8]? {
    let digits = token.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == token.utf8.count, digits.count % 2 == 0 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
