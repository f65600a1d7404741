import HTTP
import SigV4

/// PutObject and UploadPart: the body goes to the disk as it comes.
final class S3Upload: ServerExchange {
  private let service: S3Service
  private let request: ServerRequest
  private let target: S3Target
  private var payload: S3Payload
  private let writer: ObjectWriter
  private var failure: S3Error?

  /// S3's bound on one upload: 5 GiB.
  private static let largest: UInt64 = 5 << 30

  init(
    _ service: S3Service, _ request: ServerRequest, _ target: S3Target, _ payload: S3Payload
  ) throws(S3Error) {
    if let length = payload.decodedLength, length > Self.largest { throw .entityTooLarge }
    self.service = service
    self.request = request
    self.target = target
    self.payload = payload
    do {
      writer = try service.parts.folder.newWriter(hashed: payload.sha256 != nil)
    } catch {
      throw .internalError("\(error)")
    }
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    guard failure == nil else { return }
    do throws(S3Error) {
      unsafe try payload.feed(bytes) { (part) throws(S3Error) in
        do {
          unsafe try writer.write(part)
        } catch {
          throw .internalError("\(error)")
        }
        if writer.size > Self.largest { throw .entityTooLarge }
      }
    } catch {
      failure = error
    }
  }

  func finish() -> ServerReply {
    do throws(S3Error) {
      if let failure { throw failure }
      try payload.check(size: writer.size, sha256: writer.sha256Text, md5: writer.md5Digest)
      return try keep()
    } catch {
      return service.reply(error, request)
    }
  }

  private func keep() throws(S3Error) -> ServerReply {
    guard let key = target.key else { throw .methodNotAllowed }
    let parts = service.parts
    let etag: String
    if let id = target.parameters["uploadId"] {
      guard let number = try target.number("partNumber", 1...MultipartUploads.mostParts) else {
        throw .invalidArgument("partNumber is missing")
      }
      _ = try parts.uploads.upload(id, key)
      etag = try parts.uploads.put(writer, number: number, of: id, at: service.now).etag
    } else {
      guard target.parameters.keys.allSatisfy({ $0 == "x-id" }) else { throw .notImplemented }
      if request.headers["If-None-Match"] == "*", parts.folder.info(key) != nil {
        throw .preconditionFailed
      }
      do {
        etag = try parts.folder.put(
          key, writer, headers: ObjectInfo.kept(request.headers), modified: service.now
        ).etag
      } catch {
        throw .internalError("\(error)")
      }
    }
    return ServerReply(status: 200, headers: ["ETag": "\"\(etag)\""])
  }
}

extension ObjectInfo {
  private static let keptNames: Set<String> = [
    "content-type", "cache-control", "content-disposition", "content-encoding",
    "content-language", "expires",
  ]

  /// The headers of an upload that are given back with the object.
  static func kept(_ headers: HTTPHeaders) -> [Header] {
    headers.fields.compactMap { field in
      let name = field.name.lowercased()
      guard keptNames.contains(name) || name.hasPrefix("x-amz-meta-") else { return nil }
      guard name == "content-encoding" else { return Header(name: name, value: field.value) }
      // The frames are the transfer's, not the object's.
      let encodings = field.value.split(separator: ",")
        .map { $0.drop { $0 == " " } }.filter { $0 != "aws-chunked" }
      return encodings.isEmpty
        ? nil : Header(name: name, value: encodings.joined(separator: ","))
    }
  }
}
