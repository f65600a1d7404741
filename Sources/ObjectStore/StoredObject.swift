import HTTP

/// An object of the bucket, as a list or an answer describes it.
public struct StoredObject: Sendable, Hashable {
  public var key: String
  /// In bytes.
  public var size: Int64
  public var etag: ETag?
  /// Seconds since 1970.
  public var modified: Int?
  /// What was stored with it under `x-amz-meta-…`, names in lower case; empty in lists.
  public var metadata: [String: String]

  public init(
    key: String, size: Int64, etag: ETag? = nil, modified: Int? = nil,
    metadata: [String: String] = [:]
  ) {
    self.key = key
    self.size = size
    self.etag = etag
    self.modified = modified
    self.metadata = metadata
  }

  /// Name under which the SHA-256 of an object's content is stored with it, in hexadecimal.
  public static let digestName = "hpc-sha256"

  /// The stored SHA-256 of the content; nil where there is none of that form.
  public var storedSHA256: String? {
    guard let text = metadata[Self.digestName], text.utf8.count == 64 else { return nil }
    return text
  }

  /// More bytes than any service keeps in one object: 1 PiB. Sizes beyond make no sense.
  static let largest: Int64 = 1 << 50

  /// Reads the headers of an answer to HEAD or GET.
  init(key: String, size: Int64, headers: HTTPHeaders) {
    self.init(key: key, size: size)
    etag = headers["ETag"].map { ETag($0) }
    modified = headers["Last-Modified"].flatMap(HTTPDate.epochSeconds(parsing:))
    let prefix = "x-amz-meta-"
    for field in headers.fields {
      let name = field.name.lowercased()
      if name.hasPrefix(prefix) { metadata[String(name.dropFirst(prefix.count))] = field.value }
    }
  }

  /// Whether the ETag says something about the content: not where the service encrypts with keys
  /// of its own (S3 API, "Common response headers", ETag).
  static func tagIsDigest(_ headers: HTTPHeaders) -> Bool {
    headers["x-amz-server-side-encryption"].map { $0 == "AES256" } ?? true
      && headers["x-amz-server-side-encryption-customer-algorithm"] == nil
  }
}
