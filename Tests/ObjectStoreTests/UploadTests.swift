import Glibc
import HTTP
import ObjectStore
import SigV4
import Synchronization
import Testing

@Suite struct UploadTests {
  @Test(arguments: [0, 1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
  func aFileIsStoredInOneRequest(size: Int) async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(size)
    try folder.write(bytes, "file")
    let bucket = MemoryBucket()
    let stored = try await bucket.store().put(file: folder("file"), key: "a/file")
    #expect(bucket.bytes("a/file") == bytes)
    #expect(bucket.log == ["PUT /home/a/file"])
    #expect(stored.size == Int64(size))
    #expect(stored.storedSHA256 == SHA256.hexadecimal(of: bytes))
    #expect(bucket.complaints.isEmpty)
  }

  @Test func aLargeFileIsStoredInParts() async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(2_500_000)
    try folder.write(bytes, "file")
    let bucket = MemoryBucket()
    let told = Mutex<[Int64]>([])
    let store = bucket.store(connections: 3, threshold: 1_000_000, partSize: 300_000)
    let stored = try await store.put(file: folder("file"), key: "big") { done, total in
      told.withLock { $0.append(done) }
      #expect(total == 2_500_000)
    }
    #expect(bucket.bytes("big") == bytes)
    #expect(bucket.openUploads == 0)
    #expect(stored.etag?.text.hasSuffix("-9") == true)
    let described = try await store.head("big")
    #expect(described.etag == stored.etag)
    #expect(described.storedSHA256 == SHA256.hexadecimal(of: bytes))
    let done = told.withLock { $0 }
    #expect(done.count == 9)
    #expect(done == done.sorted())
    #expect(done.last == 2_500_000)
    #expect(bucket.peak <= 3)
  }

  @Test func aPartThatFailsForGoodTakesTheUploadBack() async throws {
    let folder = try TemporaryFolder()
    try folder.write(noise(1_000_000), "file")
    let bucket = MemoryBucket { request, _ in
      request.url.query?.contains("partNumber=3") == true
        ? .answer(MemoryBucket.refuse(403, "AccessDenied")) : nil
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store(threshold: 1000, partSize: 200_000)
        .put(file: folder("file"), key: "big")
    }
    #expect(error?.kind == .accessDenied)
    #expect(bucket.openUploads == 0)
    #expect(bucket.keys.isEmpty)
  }

  @Test func partsAreSentAgainUntilTheyArrive() async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(1_000_000)
    try folder.write(bytes, "file")
    let bucket = MemoryBucket { _, number in
      switch number % 4 {
      case 1: .answer(HTTPResponse(status: 503))
      case 2: .lose(.reset)
      default: nil
      }
    }
    let store = bucket.store(threshold: 1000, partSize: 100_000)
    try await store.put(file: folder("file"), key: "big")
    #expect(bucket.bytes("big") == bytes)
    #expect(bucket.openUploads == 0)
  }

  @Test func aCompletionWhoseAnswerIsLostIsFoundOut() async throws {
    let folder = try TemporaryFolder()
    let bytes = noise(500_000)
    try folder.write(bytes, "file")
    let isFirst = Mutex(true)
    let bucket = MemoryBucket { request, _ in
      guard request.method == .post, request.url.query?.hasPrefix("uploadId") == true else {
        return nil
      }
      return isFirst.withLock { first in
        defer { first = false }
        return first ? .loseReply(.reset) : nil
      }
    }
    let stored = try await bucket.store(threshold: 1000, partSize: 100_000)
      .put(file: folder("file"), key: "big")
    #expect(bucket.bytes("big") == bytes)
    #expect(stored.etag?.text.hasSuffix("-5") == true)
  }

  @Test func anErrorInAnAnswer200IsOne() async throws {
    let folder = try TemporaryFolder()
    try folder.write(noise(500_000), "file")
    let bucket = MemoryBucket { request, _ in
      guard request.method == .post, request.url.query?.hasPrefix("uploadId") == true else {
        return nil
      }
      return .answer(
        HTTPResponse(
          status: 200, body: Array("<Error><Code>InternalError</Code></Error>".utf8)))
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store(threshold: 1000, partSize: 100_000)
        .put(file: folder("file"), key: "big")
    }
    #expect(error?.kind == .unavailable)
    #expect(error?.code == "InternalError")
    #expect(bucket.keys.isEmpty)
    #expect(bucket.openUploads == 0)
  }

  @Test(arguments: [500, 1_500_000, 3_000_000])
  func aFileThatChangesMeanwhileIsNotStored(size: Int) async throws {
    let folder = try TemporaryFolder()
    try folder.write(noise(size), "file")
    let changed = noise(size + 1, seed: 2)
    let bucket = MemoryBucket { request, number in
      guard number == (size > 2_000_000 ? 2 : 1) else { return nil }
      return .first { _ in try? folder.write(changed, "file") }
    }
    let store = bucket.store(threshold: 2_000_000, partSize: 500_000)
    if size == 500 {
      // Small files are read before anything is sent: one consistent state.
      try await store.put(file: folder("file"), key: "k")
      #expect(bucket.bytes("k") == noise(size))
      return
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await store.put(file: folder("file"), key: "k")
    }
    #expect(error?.kind == .local(.changed(path: folder("file"))))
    #expect(bucket.keys.isEmpty)
    #expect(bucket.openUploads == 0)
  }

  @Test func aWrongETagIsAnError() async throws {
    let bucket = MemoryBucket { _, _ in
      .change { $0.headers["ETag"] = "\"00000000000000000000000000000000\"" }
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().put([1, 2, 3], key: "k")
    }
    guard case .wrongETag = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.attempts == 3)
  }

  @Test(arguments: ["\"not-a-digest\"", "\"0123\"", nil])
  func otherTagsSayNothing(tag: String?) async throws {
    let bucket = MemoryBucket { _, _ in .change { $0.headers["ETag"] = tag } }
    try await bucket.store().put([1, 2, 3], key: "k")
  }

  @Test func tagsOfEncryptedObjectsSayNothing() async throws {
    let bucket = MemoryBucket { _, _ in
      .change {
        $0.headers["ETag"] = "\"00000000000000000000000000000000\""
        $0.headers["x-amz-server-side-encryption"] = "aws:kms"
      }
    }
    try await bucket.store().put([1, 2, 3], key: "k")
    #expect(try await bucket.store().read("k") == [1, 2, 3])
  }

  @Test func whatIsNoFileIsRefusedHere() async throws {
    let folder = try TemporaryFolder()
    folder.makeFolder("folder")
    _ = unsafe mkfifo(folder("pipe"), 0o644)
    let bucket = MemoryBucket()
    let cases: [(String, ObjectStoreError.Kind)] = [
      ("missing", .local(.system(call: "read", path: folder("missing"), errno: ENOENT))),
      ("folder", .local(.isFolder(path: folder("folder")))),
      ("pipe", .local(.notRegular(path: folder("pipe")))),
    ]
    for (name, kind) in cases {
      let error = await #expect(throws: ObjectStoreError.self) {
        try await bucket.store().put(file: folder(name), key: "k")
      }
      #expect(error?.kind == kind)
    }
    #expect(bucket.requests.isEmpty)
  }

  @Test func cancellingTakesTheUploadBack() async throws {
    let folder = try TemporaryFolder()
    try folder.write(noise(1_000_000), "file")
    let (parts, announce) = AsyncStream.makeStream(of: Void.self)
    let bucket = MemoryBucket { request, _ in
      guard request.url.query?.contains("partNumber=4") == true else { return nil }
      announce.yield()
      return .answer(HTTPResponse(status: 503))
    }
    let store = bucket.store(
      threshold: 1000, partSize: 100_000,
      retry: .init(base: .seconds(3600), cap: .seconds(3600), deadline: .seconds(1 << 30)),
      clock: ContinuousClock())
    let upload = Task { () -> ObjectStoreError.Kind? in
      do throws(ObjectStoreError) {
        try await store.put(file: folder("file"), key: "big")
        return nil
      } catch {
        return error.kind
      }
    }
    for await _ in parts { break }
    upload.cancel()
    #expect(await upload.value == .cancelled)
    #expect(bucket.openUploads == 0)
    #expect(bucket.keys.isEmpty)
  }

  @Test func aFileThatChangesWhileItIsSentLeavesNoObject() async throws {
    let folder = try TemporaryFolder()
    try folder.write(noise(3 << 20), "file")
    let path = folder("file")
    let bucket = MemoryBucket { request, _ in
      guard request.method == .put else { return nil }
      // As if the service had read all of it before the change.
      return .change { _ in
        let descriptor = unsafe open(path, O_WRONLY | O_APPEND)
        _ = unsafe write(descriptor, "more", 4)
        close(descriptor)
      }
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().put(file: path, key: "k")
    }
    #expect(error?.kind == .local(.changed(path: path)))
    #expect(bucket.keys.isEmpty)
    let report = try await bucket.store().push(folder.path, to: "p")
    #expect(report.failures.map(\.kind) == [.local(.changed(path: "\(folder.path)/file"))])
    #expect(bucket.keys.isEmpty)
  }
}
