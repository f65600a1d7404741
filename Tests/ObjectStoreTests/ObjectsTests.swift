import HTTP
import ObjectStore
import SigV4
import Testing

@Suite struct ObjectsTests {
  static let keys = [
    "plain", "with/slashes/in it", "a b", "a+b", "100%", "%2F", "日本語/結果.dat", "e\u{301}", "é", "~x",
    "a//b", "/leading", "trailing/", "a&b=c?d#e", "..", "../x", "quote\"'", "new\nline", "tab\t",
    "<&>",
    "\u{1}control", "emoji 😀", String(repeating: "k", count: 1024),
  ]

  @Test(arguments: keys)
  func whatIsPutIsRead(key: String) async throws {
    let bucket = MemoryBucket()
    let store = bucket.store()
    let bytes = noise(1000)
    let stored = try await store.put(bytes, key: key, metadata: ["note": "hello there"])
    #expect(stored.etag?.text == Hexadecimal.text(MD5.digest(of: bytes)))
    #expect(bucket.bytes(key) == bytes)
    #expect(try await store.read(key) == bytes)
    let described = try await store.head(key)
    #expect(described.size == 1000)
    #expect(described.metadata == ["note": "hello there"])
    #expect(described.modified == 1_790_858_096)
    var listed: [StoredObject] = []
    for try await page in store.list() { listed += page.objects }
    #expect(listed.map { Array($0.key.utf8) } == [Array(key.utf8)])
    #expect(listed.first?.etag == stored.etag)
    try await store.delete(key)
    #expect(bucket.keys.isEmpty)
    #expect(bucket.complaints.isEmpty)
  }

  @Test func keysThatOnlyLookAlikeStayApart() async throws {
    let bucket = MemoryBucket()
    let store = bucket.store()
    try await store.put([1], key: "e\u{301}")
    try await store.put([2], key: "\u{e9}")
    #expect(bucket.keys.count == 2)
    #expect(try await store.read("e\u{301}") == [1])
  }

  @Test func anEmptyObjectIsOne() async throws {
    let bucket = MemoryBucket()
    let store = bucket.store()
    try await store.put([], key: "empty")
    #expect(try await store.read("empty") == [])
    #expect(try await store.head("empty").size == 0)
  }

  @Test func deletingWhatIsNotThereIsNoError() async throws {
    try await MemoryBucket().store().delete("nothing")
  }

  @Test(arguments: ["", String(repeating: "é", count: 513)])
  func badKeysAreRefusedHere(key: String) async throws {
    let bucket = MemoryBucket()
    await #expect(throws: ObjectStoreError.self) { try await bucket.store().put([1], key: key) }
    #expect(bucket.requests.isEmpty)
  }

  @Test(arguments: [["a": "line\nbreak"], ["a": "é"], ["a b": "c"], ["": "c"]])
  func badMetadataIsRefusedHere(metadata: [String: String]) async throws {
    let bucket = MemoryBucket()
    await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().put([1], key: "k", metadata: metadata)
    }
    #expect(bucket.requests.isEmpty)
  }

  @Test func manyAreDeletedInThousands() async throws {
    let bucket = MemoryBucket()
    let keys = (0..<2500).map { "k/\($0) & <x>" } + ["odd\u{1}"]
    for key in keys { bucket.put("x", key) }
    bucket.put("x", "locked/1")
    bucket.put("x", "kept")
    let failures = try await bucket.store().delete(keys + ["locked/1", "never there"])
    #expect(bucket.keys == ["kept", "locked/1"])
    #expect(failures.map(\.key) == ["locked/1"])
    #expect(failures.map(\.kind) == [.accessDenied])
    #expect(bucket.log.filter { $0 == "POST /home?delete=" }.count == 3)
  }

  @Test func noMoreRequestsAtATimeThanConnections() async throws {
    let bucket = MemoryBucket()
    let store = bucket.store(connections: 3)
    await withTaskGroup(of: Void.self) { group in
      for n in 0..<100 {
        group.addTask { _ = try? await store.put([1], key: "\(n)") }
      }
    }
    #expect(bucket.keys.count == 100)
    #expect(bucket.peak <= 3)
  }

  @Test func aCancelledTaskStopsWaitingForAConnection() async throws {
    let bucket = MemoryBucket()
    let store = bucket.store(connections: 1)
    let tasks = (0..<50).map { n in
      Task { () -> ObjectStoreError.Kind? in
        do throws(ObjectStoreError) {
          try await store.put([1], key: "\(n)")
          return nil
        } catch {
          return error.kind
        }
      }
    }
    for task in tasks.dropFirst(2) { task.cancel() }
    var ended: [ObjectStoreError.Kind?] = []
    for task in tasks { ended.append(await task.value) }
    #expect(ended.prefix(2) == [nil, nil])
    #expect(ended.allSatisfy { $0 == nil || $0 == .cancelled })
    // The place that each of them had, or waited for, is free again.
    try await store.put([1], key: "last")
  }
}
