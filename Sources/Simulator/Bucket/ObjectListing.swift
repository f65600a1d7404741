/// A page of a listing (ListObjects and ListObjectsV2), over keys in their order.
struct ObjectListing: Sendable, Hashable {
  enum Item: Sendable, Hashable {
    case object(ObjectKey)
    /// All keys that share a beginning up to the delimiter.
    case prefix([UInt8])

    /// What the next page begins after.
    var name: [UInt8] {
      switch self {
      case .object(let key): key.bytes
      case .prefix(let bytes): bytes
      }
    }
  }

  struct Query: Sendable, Hashable {
    var prefix: [UInt8] = []
    var delimiter: [UInt8] = []
    /// Only items behind this one.
    var after: [UInt8] = []
    var limit = 1_000
  }

  var items: [Item] = []
  /// There is more behind the last item.
  var isTruncated = false

  /// - Parameters:
  ///   - keys: in ascending order.
  ///   - query: what is asked for.
  init(_ keys: [ObjectKey], _ query: Query) {
    var at = keys.lowerBound { $0 < ObjectKey(query.prefix) }
    if !query.after.isEmpty {
      at = max(at, keys.lowerBound { $0 <= ObjectKey(query.after) })
    }
    while at < keys.count, keys[at].bytes.starts(with: query.prefix) {
      guard let shared = Self.sharedPrefix(of: keys[at].bytes, query) else {
        if items.count == query.limit {
          isTruncated = true
          return
        }
        items.append(.object(keys[at]))
        at += 1
        continue
      }
      if query.after.isEmpty || query.after.lexicographicallyPrecedes(shared) {
        if items.count == query.limit {
          isTruncated = true
          return
        }
        items.append(.prefix(shared))
      }
      guard let next = ObjectKey.successor(ofPrefix: shared) else { return }
      at = keys.lowerBound { $0 < next }
    }
  }

  /// The key up to the first delimiter behind the prefix, that one included.
  private static func sharedPrefix(of key: [UInt8], _ query: Query) -> [UInt8]? {
    guard !query.delimiter.isEmpty else { return nil }
    var at = query.prefix.count
    while at + query.delimiter.count <= key.count {
      if key[at...].starts(with: query.delimiter) {
        return Array(key[..<(at + query.delimiter.count)])
      }
      at += 1
    }
    return nil
  }
}

extension Array {
  /// The first index whose element does not come before, by halving.
  func lowerBound(_ comesBefore: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if comesBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
