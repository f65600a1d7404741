import HTTP
import SigV4
import XML

/// Uploads in parts.
extension S3Call {
  func beginUpload(_ key: ObjectKey) -> ServerReply {
    let id = service.parts.uploads.begin(
      key, headers: ObjectInfo.kept(request.headers), at: service.now)
    return .xml(
      200,
      XMLElement(
        "InitiateMultipartUploadResult",
        children: names(key) + [XMLElement("UploadId", text: id)]))
  }

  func completeUpload(_ key: ObjectKey) throws(S3Error) -> ServerReply {
    let uploads = service.parts.uploads
    let wanted = try parts(
      of: try document("CompleteMultipartUpload"), try uploads.upload(uploadID, key))
    let upload = try uploads.take(uploadID, key)
    do {
      let writer = try service.parts.folder.newWriter(hashed: false)
      var digests = MD5()
      for part in wanted {
        let file = try LocalFiles.Descriptor(part.path, 0)
        try writer.append(contentsOf: file, length: part.size)
        digests.update(part.digest)
      }
      let info = try service.parts.folder.put(
        key, writer, etag: "\(Hexadecimal.text(digests.digest()))-\(wanted.count)",
        headers: upload.headers, modified: service.now)
      uploads.removeFiles(of: upload)
      return .xml(
        200,
        XMLElement(
          "CompleteMultipartUploadResult",
          children: [XMLElement("Location", text: request.path)] + names(key)
            + [XMLElement("ETag", text: "\"\(info.etag)\"")]))
    } catch {
      uploads.restore(upload)
      throw .internalError("\(error)")
    }
  }

  /// The parts that a client lists, checked against those that came.
  private func parts(
    of root: XMLElement, _ upload: MultipartUploads.Upload
  ) throws(S3Error) -> [MultipartUploads.Part] {
    var parts: [MultipartUploads.Part] = []
    for element in root[all: "Part"] {
      guard let number = element["PartNumber"].flatMap({ Int($0.text) }) else {
        throw .malformedXML
      }
      let etag = (element["ETag"]?.text ?? "").filter { $0 != "\"" }
      guard let part = upload.parts[number], part.etag == etag else { throw .invalidPart }
      if let last = parts.last {
        guard last.number < number else { throw .invalidPartOrder }
        guard last.size >= MultipartUploads.smallestPart else { throw .entityTooSmall }
      }
      parts.append(part)
    }
    guard !parts.isEmpty else { throw .malformedXML }
    return parts
  }

  func listParts(_ key: ObjectKey) throws(S3Error) -> ServerReply {
    let upload = try service.parts.uploads.upload(uploadID, key)
    let limit = try target.number("max-parts", 0...1_000_000) ?? 1_000
    let after = try target.number("part-number-marker", 0...1_000_000) ?? 0
    let rest = upload.sortedParts.filter { $0.number > after }
    let page = rest.prefix(min(limit, 1_000))
    var children = names(key)
    children.append(XMLElement("UploadId", text: upload.id))
    children.append(XMLElement("PartNumberMarker", text: "\(after)"))
    if let last = page.last {
      children.append(XMLElement("NextPartNumberMarker", text: "\(last.number)"))
    }
    children.append(XMLElement("MaxParts", text: "\(limit)"))
    children.append(XMLElement("IsTruncated", text: "\(page.count < rest.count)"))
    for part in page {
      children.append(
        XMLElement(
          "Part",
          children: [
            XMLElement("PartNumber", text: "\(part.number)"),
            XMLElement("LastModified", text: isoDate(part.modified)),
            XMLElement("ETag", text: "\"\(part.etag)\""),
            XMLElement("Size", text: "\(part.size)"),
          ]))
    }
    return .xml(200, XMLElement("ListPartsResult", children: children))
  }

  func listUploads() throws(S3Error) -> ServerReply {
    let prefix = target.parameters["prefix"] ?? ""
    var children = [
      XMLElement("Bucket", text: service.parts.bucket), XMLElement("Prefix", text: prefix),
      XMLElement("MaxUploads", text: "1000"), XMLElement("IsTruncated", text: "false"),
    ]
    for upload in service.parts.uploads.all(prefix: Array(prefix.utf8)) {
      children.append(
        XMLElement(
          "Upload",
          children: [
            XMLElement("Key", text: upload.key.text), XMLElement("UploadId", text: upload.id),
            XMLElement("Initiated", text: isoDate(upload.started)),
          ]))
    }
    return .xml(200, XMLElement("ListMultipartUploadsResult", children: children))
  }

  private func names(_ key: ObjectKey) -> [XMLElement] {
    [XMLElement("Bucket", text: service.parts.bucket), XMLElement("Key", text: key.text)]
  }

  private func isoDate(_ milliseconds: Int64) -> String {
    CivilDate(epochSeconds: Int(milliseconds / 1_000)).isoDate
  }
}
