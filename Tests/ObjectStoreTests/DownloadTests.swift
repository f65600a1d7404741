import Glibc
import HTTP
import ObjectStore
import SigV4
import Synchronization
import Testing

@Suite struct DownloadTests {
  private static let sizes = [0, 1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2_500_000]

  @Test(arguments: sizes)
  func anObjectIsFetched(size: Int) async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket()
    let bytes = noise(size)
    bucket.put(bytes, "a b/c")
    let told = Mutex<[Int64]>([])
    let object = try await bucket.store(partSize: 300_000)
      .get("a b/c", to: folder("new/folder/file"), durable: true) { done, _ in
        told.withLock { $0.append(done) }
      }
    #expect(folder.read("new/folder/file") == bytes)
    #expect(object.size == Int64(size))
    #expect(folder.names("new/folder") == ["file"])
    let done = told.withLock { $0 }
    #expect(done == done.sorted())
    #expect(done.last == Int64(size))
    #expect(bucket.complaints.isEmpty)
  }

  @Test(arguments: sizes)
  func aServiceWithoutRangesIsEnough(size: Int) async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(size)
    let bucket = MemoryBucket { _, _ in
      .answer(
        HTTPResponse(
          status: 200,
          headers: [
            "ETag": "\"\(Hexadecimal.text(MD5.digest(of: bytes)))\"", "Content-Length": "\(size)",
          ], body: bytes))
    }
    try await bucket.store(partSize: 300_000).get("k", to: folder("file"))
    #expect(folder.read("file") == bytes)
    #expect(folder.names() == ["file"])
    #expect(bucket.requests.count == 1)
  }

  @Test func aFileIsReplacedWithItsPermissions() async throws {
    let folder = try TemporaryFolder()
    try folder.write([1], "file")
    _ = unsafe chmod(folder("file"), 0o751)
    let bucket = MemoryBucket()
    bucket.put("new", "k")
    try await bucket.store().get("k", to: folder("file"))
    var status = stat()
    #expect(unsafe stat(folder("file"), &status) == 0)
    #expect(status.st_mode & 0o777 == 0o751)
    #expect(folder.read("file") == Array("new".utf8))
  }

  @Test func aLinkIsFollowedWhereTheUserNamedIt() async throws {
    let folder = try TemporaryFolder()
    folder.makeFolder("real")
    try folder.write([1], "real/file")
    _ = unsafe symlink("real/file", folder("link"))
    _ = unsafe symlink("nowhere", folder("dangling"))
    let bucket = MemoryBucket()
    bucket.put("new", "k")
    try await bucket.store().get("k", to: folder("link"))
    #expect(folder.read("real/file") == Array("new".utf8))
    #expect(folder.names() == ["dangling", "link", "real"])
    await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().get("k", to: folder("dangling"))
    }
  }

  @Test func placesThatAreNoFilesAreRefused() async throws {
    let folder = try TemporaryFolder()
    folder.makeFolder("folder")
    try folder.write([1], "file")
    let bucket = MemoryBucket()
    bucket.put("new", "k")
    let cases: [(String, LocalFileFailure)] = [
      (folder("folder"), .isFolder(path: folder("folder"))),
      (folder("new/"), .isFolder(path: folder("new/"))),
      (folder("file/below"), .notFolder(path: folder("file"))),
      ("/dev/null", .notRegular(path: "/dev/null")),
      ("/proc/hpc/file", .system(call: "create", path: "/proc/hpc", errno: ENOENT)),
    ]
    for (path, failure) in cases {
      let error = await #expect(throws: ObjectStoreError.self) {
        try await bucket.store().get("k", to: path)
      }
      #expect(error?.kind == .local(failure))
    }
    #expect(folder.names() == ["file", "folder"])
  }

  @Test func aFullDiskLeavesNothing() async throws {
    let folder = try TemporaryFolder()
    try folder.write([1], "file")
    let bucket = MemoryBucket { request, _ in
      if case .file = request.sink { .lose(.file(errno: ENOSPC)) } else { nil }
    }
    bucket.put(noise(2_000_000), "k")
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().get("k", to: folder("file"))
    }
    guard case .local(.system(_, _, ENOSPC)) = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(error.map(\.description) ?? "")".contains("the disk is full"))
    #expect(folder.names() == ["file"])
    #expect(folder.read("file") == [1])
  }

  @Test(arguments: [100, 2_500_000])
  func wrongContentIsNotKept(size: Int) async throws {
    let folder = try TemporaryFolder()
    try folder.write([1], "file")
    let bucket = MemoryBucket()
    bucket.put(noise(size), "k", etag: "0123456789abcdef0123456789abcdef")
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store(partSize: 300_000).get("k", to: folder("file"))
    }
    guard case .wrongETag = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(folder.names() == ["file"])
    #expect(folder.read("file") == [1])
  }

  @Test func theStoredDigestJudgesObjectsInParts() async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket()
    let bytes = noise(2_500_000)
    let tag = "0123456789abcdef0123456789abcdef-3"
    bucket.put(
      bytes, "good", etag: tag,
      metadata: [("x-amz-meta-hpc-sha256", SHA256.hexadecimal(of: bytes))])
    bucket.put(
      bytes, "bad", etag: tag,
      metadata: [("x-amz-meta-hpc-sha256", SHA256.hexadecimal(of: [1]))])
    let store = bucket.store(partSize: 300_000)
    try await store.get("good", to: folder("good"))
    let error = await #expect(throws: ObjectStoreError.self) {
      try await store.get("bad", to: folder("bad"))
    }
    guard case .wrongDigest = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(folder.names() == ["good"])
  }

  @Test func truncatedAnswersAreGoneOnWith() async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(3_000_000)
    let count = Mutex(0)
    let bucket = MemoryBucket { request, number in
      guard number > 1, number % 2 == 0 else { return nil }
      count.withLock { $0 += 1 }
      return .truncate(70_000)
    }
    bucket.put(bytes, "k")
    try await bucket.store(partSize: 300_000).get("k", to: folder("file"))
    #expect(folder.read("file") == bytes)
    #expect(count.withLock { $0 } > 5)
    // Not from the start again: no byte was asked for twice.
    let starts = bucket.requests.compactMap { $0.headers["Range"] }
    #expect(Set(starts).count == starts.count)
  }

  @Test func anInterruptedDownloadIsGoneOnWith() async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(3_000_000)
    let broken = Mutex(true)
    let bucket = MemoryBucket { request, number in
      broken.withLock { $0 } && number > 5 ? .lose(.reset) : nil
    }
    bucket.put(bytes, "k")
    let store = bucket.store(connections: 1, partSize: 300_000, retry: .none)
    await #expect(throws: ObjectStoreError.self) { try await store.get("k", to: folder("file")) }
    #expect(folder.names() == [".file.hpc-partial"])
    broken.withLock { $0 = false }
    let before = bucket.requests.count
    try await store.get("k", to: folder("file"))
    #expect(folder.read("file") == bytes)
    #expect(folder.names() == ["file"])
    let ranges = bucket.requests.dropFirst(before).compactMap { $0.headers["Range"] }
    #expect(ranges.first == "bytes=0-0")
    // Ten chunks, five of which had come.
    #expect(ranges.count == 1 + 10 - 5)
    #expect(bucket.requests.dropFirst(before).allSatisfy { $0.headers["If-Match"] != nil })
  }

  @Test(arguments: [3_000_000, 2_999_999])
  func aReplacedObjectIsFetchedFromTheStart(size: Int) async throws {
    let folder = try TemporaryFolder()
    let broken = Mutex(true)
    let bucket = MemoryBucket { request, number in
      if broken.withLock({ $0 }) { return number > 5 ? .lose(.reset) : nil }
      return nil
    }
    bucket.put(noise(3_000_000), "k")
    let store = bucket.store(connections: 1, partSize: 300_000, retry: .none)
    await #expect(throws: ObjectStoreError.self) { try await store.get("k", to: folder("file")) }
    broken.withLock { $0 = false }
    let bytes = noise(size, seed: 7)
    bucket.put(bytes, "k")
    try await store.get("k", to: folder("file"))
    #expect(folder.read("file") == bytes)
    #expect(folder.names() == ["file"])
  }

  @Test func anObjectReplacedMeanwhileIsNotMixed() async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket { _, number in
      number == 4 ? .first { $0.put(noise(3_000_000, seed: 2), "k") } : nil
    }
    bucket.put(noise(3_000_000), "k")
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store(partSize: 300_000).get("k", to: folder("file"))
    }
    #expect(error?.kind == .objectChanged)
    #expect(folder.names() == [])
  }

  @Test func garbageLeftByOthersIsNoRecord() async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(1_000_000)
    let bucket = MemoryBucket()
    bucket.put(bytes, "k")
    let tail = Array("0000000000000010hpc-partial v01\n".utf8)
    for garbage in [[], [1, 2, 3], tail, noise(5000) + tail, noise(2_000_000)] {
      try folder.write(garbage, ".file.hpc-partial")
      try await bucket.store(partSize: 300_000).get("k", to: folder("file"))
      #expect(folder.read("file") == bytes)
      #expect(folder.names() == ["file"])
    }
  }

  @Test func twoDownloadsOfOneFileDoNotMeet() async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket()
    let bytes = noise(2_000_000)
    bucket.put(bytes, "k")
    let store = bucket.store(partSize: 100_000)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { try await store.get("k", to: folder("file")) }
      }
      try await group.waitForAll()
    }
    #expect(folder.read("file") == bytes)
    #expect(folder.names() == ["file"])
  }

  @Test func namesOfAnyLengthWork() async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket()
    bucket.put("x", "k")
    let name = String(repeating: "n", count: 255)
    try await bucket.store().get("k", to: folder(name))
    #expect(folder.names() == [name])
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().get("k", to: folder(name + "n"))
    }
    guard case .local(.system(_, _, ENAMETOOLONG)) = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(folder.names() == [name])
  }

  @Test(arguments: [
    HTTPResponse(status: 206, headers: ["ETag": "\"x\""], body: [1]),
    HTTPResponse(status: 206, headers: ["Content-Range": "bytes 5-9/10"], body: [1, 2, 3, 4, 5]),
    HTTPResponse(status: 206, headers: ["Content-Range": "bytes 0-9/99999999"], body: [1]),
    HTTPResponse(status: 200, headers: ["Content-Length": "5"], body: [1, 2, 3]),
    HTTPResponse(status: 200, headers: ["Content-Length": "2"], body: [1, 2, 3]),
  ])
  func answersThatContradictThemselvesAreRefused(response: HTTPResponse) async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket { _, _ in .answer(response) }
    await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().get("k", to: folder("file"))
    }
    #expect(folder.names() == [])
  }

  @Test(arguments: ["9223372036854775807", "1125899906842625", "99999999999999999999", "-5"])
  func absurdTotalsAreRefused(total: String) async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket { request, _ in
      let isHead = request.method == .head
      return .answer(
        HTTPResponse(
          status: isHead ? 200 : 206,
          headers: [
            "ETag": "\"zz\"", "Content-Range": "bytes 0-1048575/\(total)",
            "Content-Length": isHead ? total : "1048576",
          ], body: isHead ? [] : [UInt8](repeating: 1, count: 1 << 20)))
    }
    for pulls in [false, true] {
      let error = await #expect(throws: ObjectStoreError.self) {
        if pulls {
          _ = try await bucket.store().pull("k", to: folder("file"))
        } else {
          try await bucket.store().get("k", to: folder("file"))
        }
      }
      guard case .badAnswer = error?.kind else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(folder.names() == [])
  }

  @Test(arguments: [Int64.max, Int64.max - 40])
  func aForgedRecordIsNoRecord(size: Int64) async throws {
    let folder = try TemporaryFolder()
    let header = "source\netag\n\(size)\n\(size / 2 + 1)\nboot\n"
    let length = String(header.utf8.count, radix: 16)
    let tail = String(repeating: "0", count: 16 - length.count) + length + "hpc-partial v01\n"
    try folder.write(Array(("11" + header + tail).utf8), ".file.hpc-partial")
    let bucket = MemoryBucket()
    bucket.put("content", "k")
    try await bucket.store().get("k", to: folder("file"))
    #expect(folder.names() == ["file"])
  }
}
