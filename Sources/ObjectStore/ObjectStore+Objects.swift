import FoundationEssentials
public import HTTP
import SigV4

extension ObjectStore {
  /// Stores bytes under a key, replacing what is there.
  ///
  /// - Parameters:
  ///   - bytes: the whole content.
  ///   - key: up to 1024 bytes of UTF-8.
  ///   - metadata: stored with it; names and values of printable ASCII.
  /// - Returns: what is stored now.
  /// - Throws: one error with the reason.
  @discardableResult
  public func put(
    _ bytes: [UInt8], key: String, metadata: [String: String] = [:]
  ) async throws(ObjectStoreError) -> StoredObject {
    let context = context(.put, key)
    try check(key: key, context)
    try Self.check(metadata: metadata, context)
    let (md5, sha256) = await DiskWork.run {
      (MD5.digest(of: bytes), SHA256.hexadecimal(of: bytes))
    }
    return try await put(
      Content(
        body: bytes.isEmpty ? .none : .bytes(bytes), md5: md5, sha256: sha256, metadata: metadata),
      key: key, context)
  }

  /// What a single PUT carries.
  struct Content: Sendable {
    var body: HTTPBody
    var md5: [UInt8]
    var sha256: String
    var metadata: [String: String]
    /// Looks whether the file is still what was hashed.
    var recheck: @Sendable () throws(LocalFileFailure) -> Void = {}
  }

  func put(
    _ content: Content, key: String, _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> StoredObject {
    var call = Call(context: context, method: .put, key: key)
    call.body = content.body
    call.bodySHA256 = content.sha256
    call.headers = Self.headers(metadata: content.metadata)
    call.headers["Content-MD5"] = Self.base64(content.md5)
    let response = try await send(call, content)
    do throws(LocalFileFailure) {
      try await DiskWork.run(content.recheck)
    } catch let failure {
      // What was stored may be of no state that the file ever had. Also where this task is cancelled.
      await Task { _ = try? await delete(key) }.value
      throw ObjectStoreError(.local(failure), context)
    }
    var object = StoredObject(key: key, size: content.body.count)
    object.etag = response.headers["ETag"].map { ETag($0) }
    object.metadata = content.metadata
    return object
  }

  /// Sends a body and compares the ETag of the answer with its MD5.
  func send(_ call: Call, _ content: Content) async throws(ObjectStoreError) -> HTTPResponse {
    do throws(ObjectStoreError) {
      return try await perform(call) { response, attempts in
        guard let text = response.headers["ETag"], StoredObject.tagIsDigest(response.headers) else {
          return S3Answer.judgeStored(response, call.context)
        }
        let received = ETag(text)
        let expected = ETag(md5: content.md5)
        guard received.isMD5, received != expected else { return .accepted }
        let error = ObjectStoreError(
          .wrongETag(expected: expected.text, received: received.text), call.context,
          status: response.status, attempts: attempts)
        return attempts < Self.attemptsOnContradiction
          ? .transient(error, retryAfter: nil) : .final(error)
      }
    } catch {
      // A file that changed after it was hashed shows in many ways: as a digest that does not
      // match, a body that ends early, a connection that the service closes.
      do throws(LocalFileFailure) {
        try await DiskWork.run(content.recheck)
      } catch let failure {
        throw ObjectStoreError(.local(failure), call.context, attempts: error.attempts)
      }
      throw error
    }
  }

  /// Reads an object into memory.
  ///
  /// - Parameters:
  ///   - key: the object.
  ///   - limit: most bytes; more are an error.
  /// - Returns: the whole content.
  /// - Throws: one error with the reason.
  public func read(
    _ key: String, limit: Int = HTTPSink.standardLimit
  ) async throws(ObjectStoreError) -> [UInt8] {
    try await readWithDescription(key, limit: limit).bytes
  }

  func readWithDescription(
    _ key: String, limit: Int, operation: ObjectStoreError.Operation = .get
  ) async throws(ObjectStoreError) -> (object: StoredObject, bytes: [UInt8]) {
    let context = context(operation, key)
    try check(key: key, context)
    var call = Call(context: context, method: .get, key: key)
    call.sink = .memory(limit: limit)
    let response = try await perform(call) { response, attempts in
      guard let error = Self.contradiction(in: response, context, attempts: attempts) else {
        return S3Answer.judgeObject(response, context)
      }
      return attempts < Self.attemptsOnContradiction
        ? .transient(error, retryAfter: nil) : .final(error)
    }
    let object = StoredObject(
      key: key, size: Int64(response.body.count), headers: response.headers)
    return (object, response.body)
  }

  /// Compares a body with the length and the digest that came with it.
  private static func contradiction(
    in response: HTTPResponse, _ context: ObjectStoreError.Context, attempts: Int
  ) -> ObjectStoreError? {
    if let length = response.headers["Content-Length"].flatMap({ Int64($0) }),
      length != response.body.count
    {
      return ObjectStoreError(
        .wrongLength(expected: length, received: Int64(response.body.count)), context,
        status: response.status, attempts: attempts)
    }
    guard let text = response.headers["ETag"], StoredObject.tagIsDigest(response.headers) else {
      return nil
    }
    let expected = ETag(text)
    guard expected.isMD5 else { return nil }
    let received = ETag(md5: MD5.digest(of: response.body))
    guard received != expected else { return nil }
    return ObjectStoreError(
      .wrongETag(expected: expected.text, received: received.text), context,
      status: response.status, attempts: attempts)
  }

  /// Describes an object.
  ///
  /// - Throws: `.noSuchKey` where there is none; a missing bucket looks the same, since answers to
  ///   HEAD have no body.
  public func head(_ key: String) async throws(ObjectStoreError) -> StoredObject {
    let context = context(.head, key)
    try check(key: key, context)
    let response = try await perform(Call(context: context, method: .head, key: key))
    guard let size = response.headers["Content-Length"].flatMap({ Int64($0) }),
      (0...StoredObject.largest).contains(size)
    else {
      throw ObjectStoreError(
        .badAnswer("an object without a possible length"), context, status: response.status)
    }
    return StoredObject(key: key, size: size, headers: response.headers)
  }

  /// Deletes an object; one that is not there is no error, as S3 has it.
  public func delete(_ key: String) async throws(ObjectStoreError) {
    let context = context(.delete, key)
    try check(key: key, context)
    do {
      _ = try await perform(Call(context: context, method: .delete, key: key))
    } catch {
      guard case .noSuchKey = error.kind else { throw error }
    }
  }

  static func headers(metadata: [String: String]) -> HTTPHeaders {
    var headers: HTTPHeaders = ["Content-Type": "application/octet-stream"]
    for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
      headers["x-amz-meta-\(name)"] = value
    }
    return headers
  }

  static func check(
    metadata: [String: String], _ context: ObjectStoreError.Context
  ) throws(ObjectStoreError) {
    for (name, value) in metadata {
      guard !name.isEmpty, name.utf8.allSatisfy(isNameByte), value.utf8.allSatisfy(isPrintable)
      else {
        throw ObjectStoreError(
          .invalid("metadata \"\(name)\" is not of printable ASCII"), context)
      }
    }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f, 0x2e: true
    default: false
    }
  }

  private static func isPrintable(_ byte: UInt8) -> Bool {
    (0x20...0x7e).contains(byte)
  }

  static func base64(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString()
  }
}
