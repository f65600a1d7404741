import Testing

@testable import Simulator

@Suite struct ObjectListingTests {
  /// What a listing must give, the slow way.
  private func expected(_ keys: [ObjectKey], _ query: ObjectListing.Query) -> [ObjectListing.Item] {
    var items: [ObjectListing.Item] = []
    for key in keys where key.bytes.starts(with: query.prefix) {
      var item = ObjectListing.Item.object(key)
      if !query.delimiter.isEmpty {
        let rest = Array(key.bytes.dropFirst(query.prefix.count))
        if let at = rest.indices.first(where: { rest[$0...].starts(with: query.delimiter) }) {
          item = .prefix(query.prefix + rest[..<(at + query.delimiter.count)])
        }
      }
      if items.last != item { items.append(item) }
    }
    return items
  }

  @Test(arguments: 0..<40)
  func `pages together give what one listing gives`(seed: UInt64) {
    var generator = SplitMix(state: seed)
    let letters: [UInt8] = [0x61, 0x62, 0x2f, 0xc3, 0xbf, 0x00]
    func word(_ lengths: ClosedRange<Int>) -> [UInt8] {
      (0..<Int.random(in: lengths, using: &generator)).compactMap { _ in
        letters.randomElement(using: &generator)
      }
    }
    let keys = Set((0..<60).map { _ in ObjectKey(word(1...6)) }).sorted()
    for delimiter in [[], [0x2f], [0x2f, 0x61]] as [[UInt8]] {
      var query = ObjectListing.Query(prefix: word(0...2), delimiter: delimiter)
      query.limit = Int.random(in: 1...7, using: &generator)
      var items: [ObjectListing.Item] = []
      while items.count <= keys.count {
        let page = ObjectListing(keys, query)
        #expect(page.items.count <= query.limit)
        items += page.items
        guard page.isTruncated, let last = page.items.last else { break }
        query.after = last.name
      }
      query.after = []
      #expect(items == expected(keys, query), "\(query)")
    }
  }

  @Test(
    arguments: [
      ("bytes=0-0", 0, 1), ("bytes=2-3", 2, 2), ("bytes=8-", 8, 2), ("bytes=8-99", 8, 2),
      ("bytes=-3", 7, 3), ("bytes=-99", 0, 10),
    ] as [(String, UInt64, UInt64)])
  func `ranges within an object`(header: String, offset: UInt64, length: UInt64) throws {
    #expect(try ByteRange.parse(header, size: 10) == ByteRange(offset: offset, length: length))
  }

  @Test(arguments: [
    nil, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=3-2", "bytes=0-1,3-4", "items=0-1",
    "bytes=99999999999999999999-",
  ])
  func `headers that ask for no one range give the whole`(header: String?) throws {
    #expect(try ByteRange.parse(header, size: 10) == nil)
  }

  @Test(
    arguments: [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-1", 0), ("bytes=-0", 10)]
      as [(String, UInt64)])
  func `ranges outside an object`(header: String, size: UInt64) {
    #expect(throws: S3Error.invalidRange) { try ByteRange.parse(header, size: size) }
  }

  @Test(
    arguments: [
      ([0x61], [0x62]), ([0x61, 0xff], [0x62]), ([0xff, 0xff], nil), ([], nil),
    ] as [([UInt8], [UInt8]?)])
  func `the key behind all of a prefix`(prefix: [UInt8], next: [UInt8]?) {
    #expect(ObjectKey.successor(ofPrefix: prefix)?.bytes == next)
  }
}
