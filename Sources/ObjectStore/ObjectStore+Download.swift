import HTTP

extension ObjectStore {
  /// Fetches an object into a file.
  ///
  /// The file appears whole or not at all, and only when length and digest are right. Large objects
  /// come in parts, several at a time; where that is interrupted, kill -9 included, the next call
  /// goes on with what is there, unless the object was replaced. A file that exists is replaced and
  /// its permissions are kept; where `path` is a symbolic link, the file behind it is meant. Missing
  /// folders are made.
  ///
  /// - Parameters:
  ///   - key: the object.
  ///   - path: the file.
  ///   - durable: whether the file must survive a crash of the machine when this returns.
  ///   - progress: told after each part.
  /// - Returns: what was fetched.
  /// - Throws: one error with the reason; the file is as it was.
  @discardableResult
  public func get(
    _ key: String, to path: String, durable: Bool = false, progress: ByteProgress? = nil
  ) async throws(ObjectStoreError) -> StoredObject {
    let context = context(.get, key)
    try check(key: key, context)
    let target = try await local(context) { () throws(LocalFileFailure) in
      try TargetFile(path: path)
    }
    return try await get(
      key, to: target, listed: nil, context, durable: durable, progress: progress)
  }

  /// Fetches into a place; small objects whose size is known from a list take one request and no
  /// record. What was listed must be what comes, unless it was replaced since.
  func get(
    _ key: String, to target: TargetFile, listed: StoredObject?,
    _ context: ObjectStoreError.Context,
    durable: Bool, progress: ByteProgress?
  ) async throws(ObjectStoreError) -> StoredObject {
    if let listed, listed.size <= Self.smallFile {
      do throws(ObjectStoreError) {
        let (object, bytes) = try await readWithDescription(
          key, limit: Int(Self.smallFile), operation: context.operation)
        try Self.check(object, listed, context)
        try await local(context) { () throws(LocalFileFailure) in
          try Self.place(bytes, at: target, durable: durable)
        }
        progress?(object.size, object.size)
        return object
      } catch {
        // It grew since it was listed.
        guard case .transport(.bodyTooLarge, _) = error.kind else { throw error }
      }
    }
    let file = try await local(context) { () throws(LocalFileFailure) in try PartialFile(target) }
    let download = Download(
      store: self, key: key, file: file, context: context, listed: listed, durable: durable,
      progress: progress)
    return try await download.run()
  }

  /// Refuses an object of another length than a list or HEAD gave to the same content.
  static func check(
    _ object: StoredObject, _ listed: StoredObject?, _ context: ObjectStoreError.Context
  ) throws(ObjectStoreError) {
    guard let listed, listed.size != object.size else { return }
    if let before = listed.etag, let now = object.etag, before != now { return }
    throw ObjectStoreError(
      .wrongLength(expected: listed.size, received: object.size), context)
  }

  /// Writes a file in one step.
  static func place(
    _ bytes: [UInt8], at target: TargetFile, durable: Bool
  ) throws(LocalFileFailure) {
    let file = try PartialFile(target)
    do throws(LocalFileFailure) {
      try file.write(bytes)
      try file.commit(size: Int64(bytes.count), durable: durable)
    } catch {
      file.discard()
      throw error
    }
  }
}
