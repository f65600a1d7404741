import JSON

/// What is known of an object besides its bytes.
struct ObjectInfo: Sendable, Hashable {
  /// A header that is given back as it came.
  struct Header: Sendable, Hashable {
    var name: String
    var value: String
  }

  var size: UInt64
  /// Without its quotes.
  var etag: String
  /// Milliseconds since 1970.
  var modified: Int64
  /// Content type, user metadata and the like.
  var headers: [Header]

  /// `Last-Modified`.
  var httpDate: String { CivilDate(epochSeconds: Int(modified / 1_000)).httpDate }
  /// As listings write it.
  var isoDate: String { CivilDate(epochSeconds: Int(modified / 1_000)).isoDate }

  func json(key: ObjectKey) -> JSONValue {
    [
      "key": .string(key.text), "size": .int(Int64(size)), "etag": .string(etag),
      "modified": .int(modified),
      "headers": .object(headers.map { .init(key: $0.name, value: .string($0.value)) }),
    ]
  }

  /// nil where it is none.
  static func read(_ value: JSONValue) -> (ObjectKey, ObjectInfo)? {
    guard let key = value["key"]?.string, let size = value["size"]?.int, size >= 0,
      let etag = value["etag"]?.string, let modified = value["modified"]?.int,
      let headers = value["headers"]?.object
    else { return nil }
    let info = ObjectInfo(
      size: UInt64(size), etag: etag, modified: modified,
      headers: headers.map { Header(name: $0.key, value: $0.value.string ?? "") })
    return (ObjectKey(key), info)
  }
}
