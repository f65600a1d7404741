import HTTP
import SigV4
import XML

/// Every request to the bucket but uploads: a small body, then an answer.
final class S3Call: ServerExchange {
  let service: S3Service
  let request: ServerRequest
  let target: S3Target
  private var payload: S3Payload
  private var hash = SHA256()
  private var md5 = MD5()
  private var body: [UInt8] = []
  private var failure: S3Error?

  /// Largest list of parts or keys.
  private static let bodyLimit = 4 << 20

  init(
    _ service: S3Service, _ request: ServerRequest, _ target: S3Target, _ payload: S3Payload
  ) {
    self.service = service
    self.request = request
    self.target = target
    self.payload = payload
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    guard failure == nil else { return }
    do throws(S3Error) {
      unsafe try payload.feed(bytes) { (part) throws(S3Error) in
        guard body.count + part.count <= Self.bodyLimit else { throw .malformedXML }
        unsafe hash.update(part)
        unsafe md5.update(part)
        unsafe body.append(contentsOf: part)
      }
    } catch {
      failure = error
    }
  }

  func finish() -> ServerReply {
    do throws(S3Error) {
      if let failure { throw failure }
      try payload.check(
        size: UInt64(body.count), sha256: Hexadecimal.text(hash.digest()), md5: md5.digest())
      guard target.bucket != nil else { return try atService() }
      guard let key = target.key else { return try atBucket() }
      return try atObject(key)
    } catch {
      return service.reply(error, request)
    }
  }

  // MARK: Where

  private func atService() throws(S3Error) -> ServerReply {
    guard request.method == "GET" else { throw .methodNotAllowed }
    let bucket = XMLElement(
      "Bucket",
      children: [
        XMLElement("Name", text: service.parts.bucket),
        XMLElement("CreationDate", text: "2021-04-12T00:00:00.000Z"),
      ])
    return .xml(
      200,
      XMLElement(
        "ListAllMyBucketsResult",
        children: [
          XMLElement("Owner", children: [XMLElement("ID", text: "simulator")]),
          XMLElement("Buckets", children: [bucket]),
        ]))
  }

  private func atBucket() throws(S3Error) -> ServerReply {
    switch request.method {
    case "HEAD": return ServerReply(status: 200)
    case "PUT":
      // One bucket, which is always there: "predefined fixed value".
      guard target.parameters.isEmpty else { throw .notImplemented }
      guard target.bucket == service.parts.bucket else { throw .accessDenied }
      return ServerReply(status: 200, headers: ["Location": "/\(service.parts.bucket)"])
    case "DELETE":
      guard target.parameters.isEmpty else { throw .notImplemented }
      throw service.parts.folder.isEmpty ? .accessDenied : .bucketNotEmpty
    case "POST" where target.has("delete"): return try deleteMany()
    case "GET" where target.has("location"):
      return .xml(200, XMLElement("LocationConstraint", text: service.parts.region))
    case "GET" where target.has("versioning"):
      return .xml(200, XMLElement("VersioningConfiguration"))
    case "GET" where target.has("uploads"): return try listUploads()
    case "GET":
      let known: Set<String> = [
        "list-type", "prefix", "delimiter", "marker", "max-keys", "continuation-token",
        "start-after", "encoding-type", "fetch-owner", "x-id",
      ]
      guard target.parameters.keys.allSatisfy({ known.contains($0) }) else {
        throw .notImplemented
      }
      return try list()
    default: throw .methodNotAllowed
    }
  }

  private func atObject(_ key: ObjectKey) throws(S3Error) -> ServerReply {
    let sub = Set(target.parameters.keys).subtracting(["x-id"])
    switch (request.method, sub) {
    case ("GET", []), ("HEAD", []): return try read(key)
    case ("PUT", []): return try copy(to: key)
    case ("DELETE", []):
      service.parts.folder.delete(key)
      return ServerReply(status: 204)
    case ("POST", ["uploads"]): return beginUpload(key)
    case ("POST", ["uploadId"]): return try completeUpload(key)
    case ("DELETE", ["uploadId"]):
      service.parts.uploads.removeFiles(of: try service.parts.uploads.take(uploadID, key))
      return ServerReply(status: 204)
    case ("GET", _) where sub.contains("uploadId"): return try listParts(key)
    default:
      throw sub.isEmpty ? .methodNotAllowed : .notImplemented
    }
  }

  var uploadID: String { target.parameters["uploadId"] ?? "" }

  // MARK: Objects

  private func read(_ key: ObjectKey) throws(S3Error) -> ServerReply {
    guard let object = service.parts.folder.open(key) else { throw .noSuchKey }
    let info = object.info
    let etag = "\"\(info.etag)\""
    if let wanted = request.headers["If-Match"], wanted != "*", wanted != etag {
      throw .preconditionFailed
    }
    if let known = request.headers["If-None-Match"], known == "*" || known == etag {
      return ServerReply(status: 304, headers: ["ETag": etag])
    }
    var reply = ServerReply(status: 200, headers: ["ETag": etag, "Accept-Ranges": "bytes"])
    reply.headers["Last-Modified"] = info.httpDate
    reply.headers["Content-Type"] = "binary/octet-stream"
    for header in info.headers { reply.headers[header.name] = header.value }
    let range = try ByteRange.parse(request.headers["Range"], size: info.size)
    if let range {
      reply.status = 206
      reply.headers["Content-Range"] =
        "bytes \(range.offset)-\(range.offset + range.length - 1)/\(info.size)"
    }
    if info.size > 0 {
      reply.body = .file(
        descriptor: object.release(), offset: range?.offset ?? 0,
        length: range?.length ?? info.size)
    }
    return reply
  }

  private func copy(to key: ObjectKey) throws(S3Error) -> ServerReply {
    let source = (request.headers["x-amz-copy-source"] ?? "").drop { $0 == "/" }
    let bucket = source.prefix { $0 != "/" }
    guard PercentDecoding.text(bucket) == service.parts.bucket else { throw .noSuchBucket }
    let name = source[bucket.endIndex...].dropFirst().prefix { $0 != "?" }
    guard let name = PercentDecoding.text(name),
      let object = service.parts.folder.open(ObjectKey(name))
    else { throw .noSuchKey }
    let replaces = request.headers["x-amz-metadata-directive"]?.uppercased() == "REPLACE"
    let info = object.info
    do {
      let writer = try service.parts.folder.newWriter(hashed: false)
      try writer.append(contentsOf: object.file, length: info.size)
      let copied = try service.parts.folder.put(
        key, writer, etag: info.etag,
        headers: replaces ? ObjectInfo.kept(request.headers) : info.headers,
        modified: service.now)
      return .xml(
        200,
        XMLElement(
          "CopyObjectResult",
          children: [
            XMLElement("LastModified", text: copied.isoDate),
            XMLElement("ETag", text: "\"\(copied.etag)\""),
          ]))
    } catch {
      throw .internalError("\(error)")
    }
  }

  private func deleteMany() throws(S3Error) -> ServerReply {
    let root = try document("Delete")
    let isQuiet = root["Quiet"]?.text == "true"
    let keys = root[all: "Object"].map { $0["Key"]?.text ?? "" }
    guard (1...1_000).contains(keys.count) else { throw .malformedXML }
    var deleted: [XMLElement] = []
    for key in keys {
      service.parts.folder.delete(ObjectKey(key))
      if !isQuiet {
        deleted.append(XMLElement("Deleted", children: [XMLElement("Key", text: key)]))
      }
    }
    return .xml(200, XMLElement("DeleteResult", children: deleted))
  }

  /// The body as XML with the outermost element that is expected.
  func document(_ name: String) throws(S3Error) -> XMLElement {
    do {
      let root = try XMLElement(parsing: body)
      guard root.name == name else { throw S3Error.malformedXML }
      return root
    } catch {
      throw .malformedXML
    }
  }
}
