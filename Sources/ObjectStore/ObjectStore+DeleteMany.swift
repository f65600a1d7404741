import HTTP
import SigV4
import XML

extension ObjectStore {
  /// Keys of one request to delete many (S3 API, DeleteObjects).
  static let deletionBatch = 1000

  /// Deletes many objects, a thousand a request; goes on where single ones cannot be deleted.
  ///
  /// - Returns: an error for each key that is still there, in the order given.
  /// - Throws: what failed as a whole; earlier thousands are deleted then.
  public func delete(_ keys: [String]) async throws(ObjectStoreError) -> [ObjectStoreError] {
    for key in keys { try check(key: key, context(.delete, key)) }
    var failures: [ObjectStoreError] = []
    for start in stride(from: 0, to: keys.count, by: Self.deletionBatch) {
      let batch = keys[start..<min(start + Self.deletionBatch, keys.count)]
      failures += try await deleteBatch(batch)
    }
    return failures
  }

  private func deleteBatch(
    _ keys: ArraySlice<String>
  ) async throws(ObjectStoreError) -> [ObjectStoreError] {
    let context = context(.delete)
    // XML cannot hold control characters: such keys go one by one.
    let (odd, plain) = keys.reduce(into: ([String](), [String]())) { groups, key in
      if key.unicodeScalars.contains(where: {
        $0.value < 0x20 || (0xfffe...0xffff).contains($0.value)
      }) {
        groups.0.append(key)
      } else {
        groups.1.append(key)
      }
    }
    var failures: [ObjectStoreError] = []
    for key in odd {
      do {
        try await delete(key)
      } catch {
        failures.append(error)
      }
    }
    guard !plain.isEmpty else { return failures }
    let objects = plain.map { XMLElement("Object", children: [XMLElement("Key", text: $0)]) }
    let root = XMLElement("Delete", children: [XMLElement("Quiet", text: "true")] + objects)
    let body = Array(root.encoded.utf8)
    var call = Call(context: context, method: .post)
    call.query = [("delete", "")]
    call.body = .bytes(body)
    call.headers = [
      "Content-Type": "application/xml", "Content-MD5": Self.base64(MD5.digest(of: body)),
    ]
    let response = try await perform(call)
    return failures + (try Self.failures(in: response, context))
  }

  /// Reads `DeleteResult`; quiet, it lists failures only.
  private static func failures(
    in response: HTTPResponse, _ context: ObjectStoreError.Context
  ) throws(ObjectStoreError) -> [ObjectStoreError] {
    let root: XMLElement
    do {
      root = try XMLElement(parsing: response.body)
    } catch {
      throw ObjectStoreError(
        .badAnswer(error.description), context, status: response.status)
    }
    guard root.name == "DeleteResult" else {
      throw ObjectStoreError(
        .badAnswer("<\(root.name)> instead of a result"), context, status: response.status)
    }
    return root[all: "Error"].compactMap { element in
      let code = element["Code"]?.text
      guard code != "NoSuchKey" else { return nil }
      var context = context
      context.key = element["Key"]?.text
      return ObjectStoreError(
        code == "AccessDenied" ? .accessDenied : code == "InternalError" ? .unavailable : .refused,
        context, code: code, serverMessage: element["Message"]?.text)
    }
  }
}
