import HTTP
import SigV4

extension ObjectStore {
  /// Whether a local file of the same size has an object's content: by the ETag where it is an MD5,
  /// else by the stored SHA-256, else by the ETag of the usual part sizes. Where nothing tells, it
  /// counts as changed.
  func isSame(
    _ source: LocalSource, as object: StoredObject, _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> Bool {
    guard source.size == object.size, let etag = object.etag else { return false }
    if etag.isMD5 {
      let md5 = try await local(context) { () throws(LocalFileFailure) in try source.md5() }
      return ETag(md5: md5) == etag
    }
    var described = object
    if described.storedSHA256 == nil {
      do throws(ObjectStoreError) {
        let response = try await perform(
          Call(context: context, method: .head, key: object.key))
        described = StoredObject(key: object.key, size: object.size, headers: response.headers)
      } catch {
        // Deleted since it was listed.
        guard case .noSuchKey = error.kind else { throw error }
        return false
      }
    }
    guard described.etag == etag else { return false }
    if let stored = described.storedSHA256 {
      return try await local(context) { () throws(LocalFileFailure) in
        try source.sha256() == stored
      }
    }
    return try await fitsParts(source, etag, context)
  }

  /// Part sizes of common programs, in MiB: those who store in parts seldom say how they cut.
  private static let usualPartSizes: [Int64] = [
    5, 8, 10, 15, 16, 25, 32, 50, 64, 100, 128, 256, 512,
  ]
  /// Each costs a reading of the file.
  private static let partSizesTried = 3

  private func fitsParts(
    _ source: LocalSource, _ etag: ETag, _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> Bool {
    guard let count = etag.partCount else { return false }
    let own = MultipartPlan(size: source.size, partSize: configuration.partSize).partSize
    let plans = ([own] + Self.usualPartSizes.map { $0 << 20 }.filter { $0 != own })
      .map { MultipartPlan(size: source.size, partSize: $0) }
      .filter { $0.count == count }
    for plan in plans.prefix(Self.partSizesTried) {
      let fits = try await local(context) { () throws(LocalFileFailure) in
        var digests: [[UInt8]] = []
        for part in 0..<plan.count {
          let range = plan.range(of: part)
          digests.append(
            try source.digests(offset: range.lowerBound, length: Int64(range.count)).md5)
        }
        return ETag(partMD5s: digests) == etag
      }
      if fits { return true }
    }
    return false
  }
}
