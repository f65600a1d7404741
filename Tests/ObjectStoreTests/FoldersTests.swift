import Glibc
import HTTP
import ObjectStore
import SigV4
import Synchronization
import Testing

@Suite struct FoldersTests {
  private func outcomes(_ report: TransferReport) -> [String: String] {
    report.rows.reduce(into: [:]) { all, row in
      switch row.outcome {
      case .transferred: all[row.path] = "transferred"
      case .unchanged: all[row.path] = "unchanged"
      case .skipped(let reason): all[row.path] = "skipped: \(reason)"
      case .failed(let error): all[row.path] = "failed: \(error.kind)"
      }
    }
  }

  @Test func aFolderGoesThereAndBack() async throws {
    let (here, there) = (try TemporaryFolder(), try TemporaryFolder())
    let bucket = MemoryBucket()
    let files: [(String, [UInt8])] = [
      ("a", noise(10)), ("empty", []), ("sub/b c+d%", noise(2_000_000)), ("sub/日本/x", noise(5)),
      (".hidden", noise(3)), ("sub/large", noise(900_000)),
    ]
    for folder in ["sub", "sub/日本"] { here.makeFolder(folder) }
    for (name, bytes) in files { try here.write(bytes, name) }
    try here.write([1], ".a.hpc-partial")
    let store = bucket.store(threshold: 1_500_000, partSize: 400_000)
    let told = Mutex<[TransferProgress]>([])
    let pushed = try await store.push(
      here.path, to: "run/1",
      options: TransferOptions { step in told.withLock { $0.append(step) } })
    #expect(pushed.rows.map(\.outcome).allSatisfy { $0 == .transferred })
    #expect(
      bucket.keys
        == files.map { "run/1/\($0.0)" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    #expect(pushed.transferred.files == 6)
    #expect(pushed.transferred.bytes == 2_900_018)
    let last = told.withLock { $0.last }
    #expect(last?.files == 6)
    #expect(last?.bytes == 2_900_018)
    #expect(last?.bytesTotal == 2_900_018)
    #expect(told.withLock { $0.map(\.bytes) == $0.map(\.bytes).sorted() })

    let pulled = try await store.pull("run/1", to: there("new/place"))
    #expect(pulled.rows.count == 6)
    for (name, bytes) in files { #expect(there.read("new/place/\(name)") == bytes) }
    #expect(bucket.complaints.isEmpty)
  }

  @Test func whatIsUnchangedIsLeftAlone() async throws {
    let here = try TemporaryFolder()
    let bucket = MemoryBucket()
    let store = bucket.store(threshold: 1_500_000, partSize: 400_000)
    for n in 0..<20 { try here.write(noise(n * 10), "f\(n)") }
    try here.write(noise(1_200_000), "middle")
    try here.write(noise(2_000_000), "parts")
    _ = try await store.push(here.path, to: "x")
    let before = bucket.requests.count
    let again = try await store.push(here.path, to: "x")
    #expect(again.unchanged == 22)
    // Whether "x" is a file, a list, and a look at the object in parts.
    #expect(bucket.log.dropFirst(before).map { $0.prefix(4) } == ["HEAD", "GET ", "HEAD"])
    let pulled = try await store.pull("x", to: here.path)
    #expect(pulled.unchanged == 22)

    try here.write(noise(10, seed: 9), "f1")
    try here.write(noise(2_000_000, seed: 9), "parts")
    let changed = try await store.push(here.path, to: "x")
    #expect(changed.transferred.files == 2)
    #expect(bucket.bytes("x/parts") == noise(2_000_000, seed: 9))
  }

  @Test func partsOfOtherProgramsAreRecognised() async throws {
    let here = try TemporaryFolder()
    let bytes = noise(17 << 20)
    try here.write(bytes, "f")
    func tag(_ sizes: [Int]) -> String {
      var digests: [UInt8] = []
      var at = 0
      for size in sizes {
        digests += MD5.digest(of: Array(bytes[at..<(at + size)]))
        at += size
      }
      return "\(Hexadecimal.text(MD5.digest(of: digests)))-\(sizes.count)"
    }
    let bucket = MemoryBucket()
    let store = bucket.store()
    bucket.put(bytes, "x/f", etag: tag([8 << 20, 8 << 20, 1 << 20]))
    #expect(try await store.pull("x", to: here.path).unchanged == 1)
    bucket.put(bytes, "x/f", etag: tag([7 << 20, 9 << 20, 1 << 20]))
    #expect(try await store.push(here.path, to: "x").transferred.files == 1)
  }

  @Test func keysNeverLeaveTheFolder() async throws {
    let folder = try TemporaryFolder()
    folder.makeFolder("target")
    let bucket = MemoryBucket()
    let bad = [
      "../escape", "a/../../escape", "/etc/escape", "a//b", "./x", "a/./b", "a/..", ".", "..",
      ".x.hpc-partial", "nul\0byte", "dir/",
    ]
    for name in bad { bucket.put("evil", "p/" + name) }
    bucket.put("good", "p/good")
    bucket.put("", "p/marker/")
    bucket.put("", "p/")
    let report = try await bucket.store().pull("p", to: folder("target"))
    #expect(folder.names() == ["target"])
    #expect(folder.names("target") == ["good", "marker"])
    #expect(report.failures.count == bad.count)
    #expect(report.failures.allSatisfy { $0.kind == .unsafeKey })
    #expect(report.transferred.files == 1)
  }

  @Test func linksBelowTheFolderAreNotFollowedOnPull() async throws {
    let folder = try TemporaryFolder()
    for name in ["target", "outside"] { folder.makeFolder(name) }
    try folder.write([1], "outside/file")
    _ = unsafe symlink(folder("outside"), folder("target/folder"))
    _ = unsafe symlink(folder("outside/file"), folder("target/file"))
    _ = unsafe symlink(folder("target"), folder("link"))
    let bucket = MemoryBucket()
    for key in ["folder/new", "file", "good"] { bucket.put("x", "p/\(key)") }
    let report = try await bucket.store().pull("p", to: folder("link"))
    #expect(
      outcomes(report) == [
        "folder/new":
          "failed: \(ObjectStoreError.Kind.local(.symbolicLink(path: folder("link/folder"))))",
        "file": "failed: \(ObjectStoreError.Kind.local(.symbolicLink(path: folder("link/file"))))",
        "good": "transferred",
      ])
    #expect(folder.names("outside") == ["file"])
    #expect(folder.read("outside/file") == [1])
  }

  @Test func linksAndOddFilesOnPush() async throws {
    let folder = try TemporaryFolder()
    for name in ["tree", "tree/sub", "outside"] { folder.makeFolder(name) }
    try folder.write([1, 2], "outside/file")
    _ = unsafe symlink(folder("outside/file"), folder("tree/link"))
    _ = unsafe symlink(folder("tree"), folder("tree/sub/circle"))
    _ = unsafe symlink("nowhere", folder("tree/dangling"))
    _ = unsafe mkfifo(folder("tree/pipe"), 0o644)
    let bucket = MemoryBucket()
    let report = try await bucket.store().push(folder("tree"), to: "")
    #expect(bucket.keys == ["link"])
    #expect(bucket.bytes("link") == [1, 2])
    let all = outcomes(report)
    #expect(all["sub/circle"] == "skipped: symbolic link to a folder")
    #expect(all["pipe"] == "skipped: neither file nor folder")
    #expect(all["dangling"]?.hasPrefix("failed") == true)
    #expect(report.failures.first?.description.contains("does not exist") == true)
  }

  @Test func namesThatAreNotUTF8AreReported() async throws {
    let folder = try TemporaryFolder()
    let name = Array(folder("").utf8) + [0x66, 0xff, 0x66, 0]
    let descriptor = unsafe name.withUnsafeBytes { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { text in
        unsafe text.baseAddress.map { unsafe open($0, O_CREAT | O_WRONLY, 0o644) } ?? -1
      }
    }
    try #require(descriptor >= 0)
    close(descriptor)
    try folder.write([1], "good")
    let bucket = MemoryBucket()
    let report = try await bucket.store().push(folder.path, to: "p")
    #expect(bucket.keys == ["p/good"])
    #expect(report.failures.first?.description.contains("not UTF-8") == true)
    unsafe name.withUnsafeBytes { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { text in
        _ = unsafe text.baseAddress.map { unsafe unlink($0) }
      }
    }
  }

  @Test func onlyWhatIsWantedMoves() async throws {
    let (here, there) = (try TemporaryFolder(), try TemporaryFolder())
    here.makeFolder("sub")
    for name in ["a.dat", "b.txt", "sub/c.dat"] { try here.write([1], name) }
    let bucket = MemoryBucket()
    let store = bucket.store()
    let report = try await store.push(
      here.path, to: "x", options: TransferOptions(only: [try Glob("*.dat")]))
    #expect(report.rows.map(\.path) == ["a.dat", "sub/c.dat"])
    bucket.put("x", "x/d.txt")
    _ = try await store.pull(
      "x", to: there.path, options: TransferOptions(only: [try Glob("sub/*"), try Glob("d.*")]))
    #expect(there.names() == ["d.txt", "sub"])
  }

  @Test func singleFilesGoWhereTheyShould() async throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], "f")
    folder.makeFolder("dir")
    let bucket = MemoryBucket()
    let store = bucket.store()
    #expect(try await store.push(folder("f"), to: "x/g").rows.map(\.key) == ["x/g"])
    #expect(try await store.push(folder("f"), to: "x/").rows.map(\.key) == ["x/f"])
    #expect(try await store.push(folder("f"), to: "").rows.map(\.key) == ["f"])
    #expect(try await store.push(folder("f"), to: "x/g").unchanged == 1)
    _ = try await store.pull("x/g", to: folder("h"))
    _ = try await store.pull("x/g", to: folder("dir"))
    _ = try await store.pull("x/g", to: folder("new/"))
    #expect(folder.read("h") == [1, 2, 3])
    #expect(folder.read("dir/g") == [1, 2, 3])
    #expect(folder.read("new/g") == [1, 2, 3])
    #expect(try await store.pull("x/g", to: folder("h")).unchanged == 1)
  }

  @Test func whatIsNotThereIsAnError() async throws {
    let folder = try TemporaryFolder()
    let store = MemoryBucket().store()
    let pulled = await #expect(throws: ObjectStoreError.self) {
      try await store.pull("nothing", to: folder("x"))
    }
    #expect(pulled?.kind == .noSuchKey)
    #expect(folder.names() == [])
    let pushed = await #expect(throws: ObjectStoreError.self) {
      try await store.push(folder("nothing"), to: "x")
    }
    #expect(pushed?.kind == .local(.system(call: "read", path: folder("nothing"), errno: ENOENT)))
  }

  @Test func oneBadFileDoesNotStopTheOthers() async throws {
    let here = try TemporaryFolder()
    for n in 0..<30 { try here.write(noise(n), "f\(n)") }
    let bucket = MemoryBucket { request, _ in
      request.url.path.hasSuffix("/f7") ? .answer(MemoryBucket.refuse(403, "AccessDenied")) : nil
    }
    let report = try await bucket.store().push(here.path, to: "x")
    #expect(report.failures.map(\.key) == ["x/f7"])
    #expect(report.transferred.files == 29)
  }

  @Test func whatConcernsAllStopsAtOnce() async throws {
    let here = try TemporaryFolder()
    for n in 0..<200 { try here.write(noise(n), "f\(n)") }
    let bucket = MemoryBucket { request, _ in
      request.method == .put ? .answer(MemoryBucket.refuse(404, "NoSuchBucket")) : nil
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().push(here.path, to: "x")
    }
    #expect(error?.kind == .noSuchBucket)
    #expect(bucket.requests.count < 50)
  }

  @Test func aFileInTheWayOfAFolderIsOneFailure() async throws {
    let folder = try TemporaryFolder()
    try folder.write([1], "a")
    let bucket = MemoryBucket()
    bucket.put("x", "p/a/b")
    bucket.put("x", "p/c")
    let report = try await bucket.store().pull("p", to: folder.path)
    #expect(report.failures.map(\.kind) == [.local(.notFolder(path: folder("a")))])
    #expect(folder.read("a") == [1])
    #expect(folder.read("c") == Array("x".utf8))
  }

  @Test func anInterruptedPushMovesOnlyWhatIsMissing() async throws {
    let here = try TemporaryFolder()
    for n in 0..<100 { try here.write(noise(100 + n), "f\(n)") }
    let broken = Mutex(true)
    let bucket = MemoryBucket { _, number in
      broken.withLock { $0 } && number > 40 ? .lose(.reset) : nil
    }
    let store = bucket.store(retry: .none)
    await #expect(throws: ObjectStoreError.self) { try await store.push(here.path, to: "x") }
    let there = bucket.keys.count
    #expect(there >= 30)
    broken.withLock { $0 = false }
    let report = try await store.push(here.path, to: "x")
    #expect(report.unchanged == there)
    #expect(report.transferred.files == 100 - there)
  }

  /// Lists, or else HEAD, say that `p/k`, of 3 bytes, has `size`.
  private func claims(_ size: String, inList: Bool) -> MemoryBucket {
    MemoryBucket { request, _ in
      if request.url.query?.contains("list-type") == true {
        return .change { response in
          guard inList else { return }
          let text = String(decoding: response.body, as: UTF8.self)
          response.body = Array(text.replacing("<Size>3<", with: "<Size>\(size)<").utf8)
        }
      }
      return request.method == .head && !inList
        ? .change { if $0.status == 200 { $0.headers["Content-Length"] = size } } : nil
    }
  }

  @Test(arguments: ["2", "2000000"], [true, false])
  func anotherLengthThanWasListedIsNoSuccess(size: String, inList: Bool) async throws {
    let folder = try TemporaryFolder()
    let bucket = claims(size, inList: inList)
    bucket.put("abc", "p/k")
    let wrong = ObjectStoreError.Kind.wrongLength(expected: Int64(size) ?? 0, received: 3)
    if inList {
      let report = try await bucket.store().pull("p", to: folder.path)
      #expect(report.failures.map(\.kind) == [wrong])
    } else {
      let error = await #expect(throws: ObjectStoreError.self) {
        try await bucket.store().pull("p/k", to: folder("k"))
      }
      #expect(error?.kind == wrong)
    }
    #expect(folder.names() == [])
  }

  @Test func whatWasReplacedSinceItWasListedComes() async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket { request, _ in
      request.method == .get && request.url.path.hasSuffix("/k")
        ? .first { $0.put("longer than before", "p/k") } : nil
    }
    bucket.put("abc", "p/k")
    let report = try await bucket.store().pull("p", to: folder.path)
    #expect(report.transferred.bytes == 18)
    #expect(folder.read("k") == Array("longer than before".utf8))
  }

  @Test func sizesThatCannotBeAddedUpAreTheLargestNumber() {
    let rows = ["a", "b"].map {
      TransferRow(path: $0, key: $0, size: .max, outcome: .transferred)
    }
    #expect(TransferReport(rows: rows).transferred == (2, .max))
  }

  @Test(arguments: [
    // What is there; whether a folder (of "x/f" and "a") or a file is pushed; and where to.
    (["d/k"], false, "d", ObjectStoreError.Kind.isFolder("d")),
    (["d/"], false, "d", .isFolder("d")),
    (["d"], false, "d/k", .isFile("d")), (["a/d"], false, "a/d/b/c", .isFile("a/d")),
    (["d"], true, "d", .isFile("d")), (["d"], true, "d/e", .isFile("d")),
    (["d/x"], true, "d", .isFile("d/x")), (["d/a/1"], true, "d", .isFolder("d/a")),
  ])
  func aNameIsNotFileAndFolderAtATime(
    present: [String], isFolder: Bool, key: String, kind: ObjectStoreError.Kind
  ) async throws {
    let here = try TemporaryFolder()
    here.makeFolder("x")
    try here.write([1], "x/f")
    try here.write([1], "a")
    let bucket = MemoryBucket()
    for name in present { bucket.put("old", name) }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store().push(isFolder ? here.path : here("a"), to: key)
    }
    #expect(error?.kind == kind)
    #expect(bucket.keys == present)
  }

  @Test func aSingleFileThatIsNotWantedIsSkipped() async throws {
    let here = try TemporaryFolder()
    try here.write([1], "a.dat")
    let bucket = MemoryBucket()
    bucket.put("x", "p/b.dat")
    let options = TransferOptions(only: [try Glob("*.txt")])
    let pushed = try await bucket.store().push(here("a.dat"), to: "p/", options: options)
    let pulled = try await bucket.store().pull("p/b.dat", to: here("new/"), options: options)
    #expect(outcomes(pushed) == ["a.dat": "skipped: fits none of the patterns"])
    #expect(outcomes(pulled) == ["b.dat": "skipped: fits none of the patterns"])
    #expect(bucket.keys == ["p/b.dat"])
    #expect(here.names() == ["a.dat"])
  }
}
