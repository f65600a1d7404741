import HTTP
import SigV4
import Synchronization
import XML

/// Told how many bytes of how many have been moved, one call at a time; must not block.
public typealias ByteProgress = @Sendable (_ done: Int64, _ total: Int64) -> Void

extension ObjectStore {
  /// Files up to this size are read into memory, which makes them one consistent state.
  static let smallFile: Int64 = 1 << 20

  /// Stores a file, in parts where it is large (``Configuration/multipartThreshold``). Its SHA-256
  /// is stored with it under ``StoredObject/digestName``.
  ///
  /// The object appears whole or not at all; an upload in parts that fails is taken back. The file
  /// may be a symbolic link to one.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - key: up to 1024 bytes of UTF-8.
  ///   - metadata: stored with it; names and values of printable ASCII.
  ///   - progress: told after each part.
  /// - Returns: what is stored now.
  /// - Throws: one error with the reason; the bucket is as it was, but that a file that changed while
  ///   it was sent in one request leaves no object.
  @discardableResult
  public func put(
    file path: String, key: String, metadata: [String: String] = [:], progress: ByteProgress? = nil
  ) async throws(ObjectStoreError) -> StoredObject {
    let context = context(.put, key)
    try check(key: key, context)
    try Self.check(metadata: metadata, context)
    let source = try await local(context) { () throws(LocalFileFailure) in
      try LocalSource(path: path)
    }
    return try await put(source, key: key, metadata: metadata, context, progress: progress)
  }

  func put(
    _ source: LocalSource, key: String, metadata: [String: String],
    _ context: ObjectStoreError.Context, progress: ByteProgress?
  ) async throws(ObjectStoreError) -> StoredObject {
    if source.size > configuration.multipartThreshold {
      return try await putParts(source, key: key, metadata: metadata, context, progress: progress)
    }
    let content: Content
    if source.size <= Self.smallFile {
      let bytes = try await local(context) { () throws(LocalFileFailure) in try source.bytes() }
      content = Self.content(of: bytes, metadata: metadata)
    } else {
      let digests = try await local(context) { () throws(LocalFileFailure) in
        try source.digests(offset: 0, length: source.size)
      }
      content = Content(
        body: .file(path: source.path, offset: 0, length: source.size), md5: digests.md5,
        sha256: digests.sha256, metadata: Self.adding(digests.sha256, to: metadata),
        recheck: source.recheck)
    }
    let object = try await put(content, key: key, context)
    progress?(source.size, source.size)
    return object
  }

  /// A small file's content, its digest in the metadata.
  static func content(of bytes: [UInt8], metadata: [String: String]) -> Content {
    let sha256 = SHA256.hexadecimal(of: bytes)
    return Content(
      body: bytes.isEmpty ? .none : .bytes(bytes), md5: MD5.digest(of: bytes), sha256: sha256,
      metadata: adding(sha256, to: metadata))
  }

  private static func adding(_ sha256: String, to metadata: [String: String]) -> [String: String] {
    metadata.merging([StoredObject.digestName: sha256]) { given, _ in given }
  }

  /// Runs work with local files beside the shared threads.
  func local<T: Sendable>(
    _ context: ObjectStoreError.Context,
    _ body: @escaping @Sendable () throws(LocalFileFailure) -> T
  ) async throws(ObjectStoreError) -> T {
    do throws(LocalFileFailure) {
      return try await DiskWork.run(body)
    } catch {
      throw ObjectStoreError(.local(error), context)
    }
  }

  // MARK: In parts

  private struct Part: Sendable {
    var number: Int
    var md5: [UInt8]
    /// As the service wrote it: it wants it back.
    var etag: String
  }

  private func putParts(
    _ source: LocalSource, key: String, metadata: [String: String],
    _ context: ObjectStoreError.Context, progress: ByteProgress?
  ) async throws(ObjectStoreError) -> StoredObject {
    let plan = MultipartPlan(size: source.size, partSize: configuration.partSize)
    let sha256 = try await local(context) { () throws(LocalFileFailure) in try source.sha256() }
    let metadata = Self.adding(sha256, to: metadata)
    let id = try await createUpload(key: key, metadata: metadata, context)
    do throws(ObjectStoreError) {
      let done = Mutex<Int64>(0)
      let parts = try await BoundedGroup.map(0..<plan.count, width: configuration.connections) {
        index throws(ObjectStoreError) in
        let part = try await self.putPart(index, of: source, plan, key: key, id: id, context)
        done.withLock { done in
          done += Int64(plan.range(of: index).count)
          progress?(done, plan.size)
        }
        return part
      }
      try await local(context) { () throws(LocalFileFailure) in try source.recheck() }
      let object = StoredObject(
        key: key, size: source.size, etag: ETag(partMD5s: parts.map(\.md5)), metadata: metadata)
      return try await completeUpload(object, parts, id: id, context)
    } catch {
      await abortUpload(key: key, id: id, context)
      throw error
    }
  }

  private func createUpload(
    key: String, metadata: [String: String], _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> String {
    var call = Call(context: context, method: .post, key: key, query: [("uploads", "")])
    call.headers = Self.headers(metadata: metadata)
    let response = try await perform(call)
    guard let root = try? XMLElement(parsing: response.body),
      let id = root["UploadId"]?.text, !id.isEmpty
    else {
      throw ObjectStoreError(
        .badAnswer("an upload without an id"), context, status: response.status)
    }
    return id
  }

  private func putPart(
    _ index: Int, of source: LocalSource, _ plan: MultipartPlan, key: String, id: String,
    _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> Part {
    let range = plan.range(of: index)
    let length = Int64(range.count)
    let digests = try await local(context) { () throws(LocalFileFailure) in
      try source.digests(offset: range.lowerBound, length: length)
    }
    let content = Content(
      body: .file(path: source.path, offset: range.lowerBound, length: length), md5: digests.md5,
      sha256: digests.sha256, metadata: [:], recheck: source.recheck)
    var call = Call(context: context, method: .put, key: key)
    call.query = [("partNumber", "\(index + 1)"), ("uploadId", id)]
    call.body = content.body
    call.bodySHA256 = content.sha256
    call.headers = ["Content-MD5": Self.base64(content.md5)]
    let response = try await send(call, content)
    guard let etag = response.headers["ETag"], !etag.isEmpty else {
      throw ObjectStoreError(
        .badAnswer("a part without an ETag"), context, status: response.status)
    }
    return Part(number: index + 1, md5: digests.md5, etag: etag)
  }

  /// Makes an object of the parts and looks whether it is the file.
  private func completeUpload(
    _ object: StoredObject, _ parts: [Part], id: String, _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> StoredObject {
    let list = XMLElement(
      "CompleteMultipartUpload",
      children: parts.map { part in
        XMLElement(
          "Part",
          children: [
            XMLElement("PartNumber", text: "\(part.number)"), XMLElement("ETag", text: part.etag),
          ])
      })
    var call = Call(context: context, method: .post, key: object.key, query: [("uploadId", id)])
    call.headers = ["Content-Type": "application/xml"]
    call.body = .bytes(Array(list.encoded.utf8))
    call.idle = .seconds(300)
    do throws(ObjectStoreError) {
      let response = try await perform(
        call,
        judge: { response, _ in
          S3Answer.judgeBody(response, context)
        })
      if let root = try? XMLElement(parsing: response.body), let text = root["ETag"]?.text,
        ETag(text) == object.etag
      {
        return object
      }
    } catch {
      // The answer to an earlier attempt may have been lost: then the upload is gone because it is
      // complete.
      guard case .uploadGone = error.kind, error.attempts > 1 else { throw error }
    }
    return try await checkComplete(object, context)
  }

  /// Looks at the object itself, where the answer did not say that it is the file.
  private func checkComplete(
    _ object: StoredObject, _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> StoredObject {
    let response = try await perform(Call(context: context, method: .head, key: object.key))
    let size = response.headers["Content-Length"].flatMap { Int64($0) } ?? -1
    var stored = StoredObject(key: object.key, size: size, headers: response.headers)
    guard size == object.size else {
      throw ObjectStoreError(
        .wrongLength(expected: object.size, received: size), context, status: response.status)
    }
    // Services may tag such objects in their own way; a tag of the usual form must fit.
    if let etag = stored.etag, etag.partCount != nil, let expected = object.etag, etag != expected,
      StoredObject.tagIsDigest(response.headers)
    {
      throw ObjectStoreError(
        .wrongETag(expected: expected.text, received: etag.text), context, status: response.status)
    }
    if let received = stored.storedSHA256, let expected = object.storedSHA256, received != expected
    {
      throw ObjectStoreError(
        .wrongDigest(expected: expected, received: received), context, status: response.status)
    }
    stored.metadata = object.metadata
    return stored
  }

  /// Takes an upload back, also where this task is cancelled: its parts would be kept, and charged
  /// for. What the failure was matters more than whether this succeeds.
  private func abortUpload(key: String, id: String, _ context: ObjectStoreError.Context) async {
    var call = Call(context: context, method: .delete, key: key, query: [("uploadId", id)])
    call.idle = .seconds(10)
    call.patience = .seconds(10)
    await Task { [call] in _ = try? await perform(call) }.value
  }
}
