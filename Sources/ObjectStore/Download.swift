import Glibc
import HTTP
import SigV4
import Synchronization

/// Fetches one object into a partial file: the beginning first, which tells size and tag, then the
/// rest in chunks, several at a time, each noted in the file when it is there.
struct Download: Sendable {
  let store: ObjectStore
  let key: String
  let file: PartialFile
  let context: ObjectStoreError.Context
  /// What a list or HEAD said of the object.
  let listed: StoredObject?
  let durable: Bool
  let progress: ByteProgress?

  /// What the answer to the first request says.
  private struct Beginning {
    var object: StoredObject
    /// Whether the tag, if of that form, is the content's MD5.
    var tagIsDigest: Bool
    /// Bytes from the start that are there already.
    var received: Int64
  }

  func run() async throws(ObjectStoreError) -> StoredObject {
    do throws(ObjectStoreError) {
      if let record = try await usableRecord(),
        let object = try await resume(record)
      {
        return object
      }
      return try await startAnew()
    } catch {
      if !isWorthKeeping(error) { file.discard() }
      throw error
    }
  }

  /// Whether a later run can go on with what is there.
  private func isWorthKeeping(_ error: ObjectStoreError) -> Bool {
    guard file.isResumable else { return false }
    switch error.kind {
    case .transport, .unavailable, .cancelled, .accessDenied, .badCredentials, .clockSkew:
      // Without a record it would only lie about.
      return ((try? file.loadRecord()) ?? nil) != nil
    default:
      return false
    }
  }

  // MARK: Beginning

  private func usableRecord() async throws(ObjectStoreError) -> DownloadRecord? {
    let (source, boot) = (source, Self.boot)
    let record = try await store.local(context) { () throws(LocalFileFailure) in
      try file.loadRecord()
    }
    guard let record, record.source == source, record.boot == boot, !boot.isEmpty else {
      return nil
    }
    return record
  }

  private var source: String {
    SHA256.hexadecimal(of: Array("\(context.endpoint)\n\(context.bucket)\n\(key)".utf8))
  }

  private static let boot: String = {
    let descriptor = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 36)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe Glibc.read(descriptor, $0.baseAddress, 36)
    }
    return count == 36 ? String(decoding: bytes, as: UTF8.self) : ""
  }()

  private func startAnew() async throws(ObjectStoreError) -> StoredObject {
    try await store.local(context) { () throws(LocalFileFailure) in try file.resize(to: 0) }
    let beginning = try await fetchBeginning()
    let object = beginning.object
    try ObjectStore.check(object, listed, context)
    let plan = MultipartPlan(size: object.size, partSize: store.configuration.partSize)
    var record = DownloadRecord(
      source: source, etag: object.etag?.text ?? "", size: object.size, chunkSize: plan.partSize,
      boot: Self.boot)
    if beginning.received == object.size {
      record.isDone = record.isDone.map { _ in true }
    } else {
      guard object.etag != nil else {
        throw ObjectStoreError(.badAnswer("an object without an ETag"), context)
      }
      let begun = record
      try await store.local(context) { () throws(LocalFileFailure) in try file.begin(begun) }
    }
    return try await finish(
      object, record, head: beginning.received, tagIsDigest: beginning.tagIsDigest)
  }

  /// Goes on with an earlier run's work.
  ///
  /// - Returns: nil where the object is another one by now.
  private func resume(_ record: DownloadRecord) async throws(ObjectStoreError) -> StoredObject? {
    var call = Call(context: context, method: .get, key: key)
    call.sink = .memory(limit: 64 << 10)
    call.headers = ["Range": "bytes=0-0", "If-Match": ETag(record.etag).quoted]
    let response: HTTPResponse
    do throws(ObjectStoreError) {
      response = try await store.perform(call)
    } catch {
      switch error.kind {
      case .objectChanged, .refused, .transport(.bodyTooLarge, _): return nil
      default: throw error
      }
    }
    guard Self.isPart(response), response.headers["ETag"].map({ ETag($0).text }) == record.etag,
      response.headers["Content-Range"].flatMap(ContentRange.init(parsing:))
        == ContentRange(0..<1, total: record.size)
    else { return nil }
    let object = StoredObject(key: key, size: record.size, headers: response.headers)
    try ObjectStore.check(object, listed, context)
    return try await finish(
      object, record, head: 0, tagIsDigest: StoredObject.tagIsDigest(response.headers))
  }

  private typealias Call = ObjectStore.Call

  /// Fetches the first bytes, or all where that is all or the service knows no ranges.
  private func fetchBeginning() async throws(ObjectStoreError) -> Beginning {
    let descriptor = try await store.local(context) { () throws(LocalFileFailure) in
      try file.openForWriting(at: 0)
    }
    defer { close(descriptor) }
    let wanted = min(ObjectStore.smallFile, store.configuration.partSize)
    var call = Call(context: context, method: .get, key: key)
    call.headers = ["Range": "bytes=0-\(wanted - 1)"]
    do throws(ObjectStoreError) {
      return try await fetchBeginning(call, descriptor, upTo: wanted)
    } catch {
      // Nothing has a first byte in an empty object.
      guard error.status == 416 else { throw error }
      call.headers = [:]
      return try await fetchBeginning(call, descriptor, upTo: wanted)
    }
  }

  private func fetchBeginning(
    _ call: Call, _ descriptor: Int32, upTo wanted: Int64
  ) async throws(ObjectStoreError) -> Beginning {
    var call = call
    call.sink = .file(descriptor: descriptor, errorLimit: 64 << 10)
    call.sinkPath = file.path
    let response = try await store.perform(
      call,
      judge: { [context] response, attempts in
        let verdict = S3Answer.judgeObject(response, context)
        guard case .accepted = verdict else { return verdict }
        let received = Int64(lseek(descriptor, 0, SEEK_CUR))
        guard let expected = Self.announced(response, upTo: wanted) else {
          return .final(
            ObjectStoreError(
              .badAnswer("a part that does not say which"), context, status: response.status))
        }
        return Self.compare(expected.count, received, context, response, attempts)
      },
      prepare: { _ throws(LocalFileFailure) in
        // An earlier attempt may have written the beginning of another object.
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
          throw .system(call: "write", path: file.path, errno: errno)
        }
      })
    let received = Int64(lseek(descriptor, 0, SEEK_CUR))
    let total = Self.announced(response, upTo: wanted)?.total ?? received
    return Beginning(
      object: StoredObject(key: key, size: total, headers: response.headers),
      tagIsDigest: StoredObject.tagIsDigest(response.headers), received: received)
  }

  /// How many bytes an answer to the first request must bring, and how many there are.
  private static func announced(
    _ response: HTTPResponse, upTo wanted: Int64
  ) -> (count: Int64?, total: Int64?)? {
    let length = response.headers["Content-Length"].flatMap { Int64($0) }
    guard isPart(response) else { return (length, length) }
    guard let range = response.headers["Content-Range"].flatMap(ContentRange.init(parsing:)),
      range.range == 0..<min(wanted, range.total)
    else { return nil }
    return (Int64(range.range.count), range.total)
  }

  /// Whether an answer brings a part only; `rclone serve s3` says 200 then as well.
  private static func isPart(_ response: HTTPResponse) -> Bool {
    response.status == 206 || (response.status == 200 && response.headers["Content-Range"] != nil)
  }

  private static func compare(
    _ expected: Int64?, _ received: Int64, _ context: ObjectStoreError.Context,
    _ response: HTTPResponse, _ attempts: Int
  ) -> S3Answer.Verdict {
    guard let expected, expected != received else { return .accepted }
    let error = ObjectStoreError(
      .wrongLength(expected: expected, received: received), context, status: response.status,
      attempts: attempts)
    return attempts < ObjectStore.attemptsOnContradiction
      ? .transient(error, retryAfter: nil) : .final(error)
  }

  // MARK: Chunks

  /// Fetches what is missing, looks whether the content is right, and gives the file its name.
  ///
  /// `head` bytes from the start are there besides whole chunks.
  private func finish(
    _ object: StoredObject, _ record: DownloadRecord, head: Int64, tagIsDigest: Bool
  ) async throws(ObjectStoreError) -> StoredObject {
    let check = ContentCheck(object, tagIsDigest: tagIsDigest)
    let (chunks, announce) = AsyncStream.makeStream(of: Int.self)
    for chunk in record.isDone.indices where record.isDone[chunk] { announce.yield(chunk) }
    async let verdict = verify(check, record, chunks)
    let fetched: Result<Void, ObjectStoreError>
    do throws(ObjectStoreError) {
      try await fetchMissing(record, head: head, announce)
      fetched = .success(())
    } catch {
      fetched = .failure(error)
    }
    announce.finish()
    let failure = await verdict
    try fetched.get()
    if let failure { throw failure }
    try await store.local(context) { () throws(LocalFileFailure) in
      try file.commit(size: object.size, durable: durable)
    }
    return object
  }

  private func fetchMissing(
    _ record: DownloadRecord, head: Int64, _ announce: AsyncStream<Int>.Continuation
  ) async throws(ObjectStoreError) {
    let missing = record.isDone.indices.filter { !record.isDone[$0] }
    let present = record.isDone.indices.reduce(into: Int64(0)) { sum, chunk in
      if record.isDone[chunk] { sum += Int64(record.range(of: chunk).count) }
    }
    let done = Mutex(present)
    progress?(present, record.size)
    _ = try await BoundedGroup.map(missing, width: store.configuration.connections) {
      chunk throws(ObjectStoreError) in
      try await fetch(chunk, of: record, head: head)
      announce.yield(chunk)
      done.withLock { done in
        done += Int64(record.range(of: chunk).count)
        progress?(done, record.size)
      }
    }
  }

  /// Fetches one chunk, but what is there of it already.
  private func fetch(
    _ chunk: Int, of record: DownloadRecord, head: Int64
  ) async throws(ObjectStoreError) {
    let whole = record.range(of: chunk)
    let range = whole.clamped(to: max(head, whole.lowerBound)..<max(head, whole.upperBound))
    if !range.isEmpty { try await fetch(range, of: record) }
    try await store.local(context) { () throws(LocalFileFailure) in
      try file.mark(chunk, of: record)
    }
  }

  /// Fetches a part; an attempt goes on where the one before ended.
  private func fetch(
    _ range: Range<Int64>, of record: DownloadRecord
  ) async throws(ObjectStoreError) {
    let descriptor = try await store.local(context) { () throws(LocalFileFailure) in
      try file.openForWriting(at: range.lowerBound)
    }
    defer { close(descriptor) }
    var call = Call(context: context, method: .get, key: key)
    call.sink = .file(descriptor: descriptor, errorLimit: 64 << 10)
    call.sinkPath = file.path
    let from = Mutex(range.lowerBound)
    _ = try await store.perform(
      call,
      judge: { [context] response, attempts in
        let start = from.withLock { $0 }
        guard response.headers["ETag"].map({ ETag($0).text }) == record.etag else {
          return .final(ObjectStoreError(.objectChanged, context, status: response.status))
        }
        guard Self.isPart(response),
          response.headers["Content-Range"].flatMap(ContentRange.init(parsing:))
            == ContentRange(start..<range.upperBound, total: record.size)
        else {
          return .final(
            ObjectStoreError(
              .badAnswer("another part than was asked for"), context, status: response.status))
        }
        let end = Int64(lseek(descriptor, 0, SEEK_CUR))
        guard end <= range.upperBound else {
          return .final(
            ObjectStoreError(
              .wrongLength(expected: range.upperBound - start, received: end - start), context,
              status: response.status))
        }
        return Self.compare(range.upperBound, end, context, response, attempts)
      },
      prepare: { request throws(LocalFileFailure) in
        var position = Int64(lseek(descriptor, 0, SEEK_CUR))
        if position >= range.upperBound || position < range.lowerBound {
          position = Int64(lseek(descriptor, off_t(range.lowerBound), SEEK_SET))
        }
        guard position >= 0 else { throw .system(call: "write", path: file.path, errno: errno) }
        from.withLock { $0 = position }
        request.headers["Range"] = "bytes=\(position)-\(range.upperBound - 1)"
        request.headers["If-Match"] = ETag(record.etag).quoted
      })
  }

  // MARK: Content

  /// Hashes the chunks in order while others are still on their way.
  ///
  /// - Returns: what is wrong; nil also where the chunks end before they are complete.
  private func verify(
    _ check: ContentCheck, _ record: DownloadRecord, _ chunks: AsyncStream<Int>
  ) async -> ObjectStoreError? {
    guard check.isPossible else { return nil }
    var check = check
    var waiting: Set<Int> = []
    var next = 0
    for await chunk in chunks {
      waiting.insert(chunk)
      while waiting.remove(next) != nil {
        do throws(ObjectStoreError) {
          let (before, range) = (check, record.range(of: next))
          check = try await store.local(context) { () throws(LocalFileFailure) in
            var after = before
            unsafe try file.read(offset: range.lowerBound, length: Int64(range.count)) {
              unsafe after.update($0)
            }
            return after
          }
        } catch {
          return error
        }
        next += 1
      }
    }
    guard next == record.isDone.count, let kind = check.contradiction else { return nil }
    return ObjectStoreError(kind, context)
  }
}

/// Compares content with what is known of it: MD5 where the tag is one, else the SHA-256 that was
/// stored with it.
struct ContentCheck: Sendable {
  private enum Hash {
    case none
    case md5(MD5, expected: ETag)
    case sha256(SHA256, expected: String)
  }

  private var hash: Hash

  init(_ object: StoredObject, tagIsDigest: Bool) {
    if let etag = object.etag, etag.isMD5, tagIsDigest {
      hash = .md5(MD5(), expected: etag)
    } else if let expected = object.storedSHA256 {
      hash = .sha256(SHA256(), expected: expected)
    } else {
      hash = .none
    }
  }

  var isPossible: Bool {
    if case .none = hash { false } else { true }
  }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch hash {
    case .none:
      break
    case .md5(var state, let expected):
      unsafe state.update(bytes)
      hash = .md5(state, expected: expected)
    case .sha256(var state, let expected):
      unsafe state.update(bytes)
      hash = .sha256(state, expected: expected)
    }
  }

  /// What is wrong with the content.
  var contradiction: ObjectStoreError.Kind? {
    switch hash {
    case .none:
      return nil
    case .md5(let state, let expected):
      let received = ETag(md5: state.digest())
      return received == expected
        ? nil : .wrongETag(expected: expected.text, received: received.text)
    case .sha256(let state, let expected):
      let received = Hexadecimal.text(state.digest())
      return received == expected ? nil : .wrongDigest(expected: expected, received: received)
    }
  }
}
