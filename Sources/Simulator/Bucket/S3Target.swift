/// What a request to the bucket is about: `/bucket/key?query`, decoded once.
struct S3Target: Sendable {
  /// nil for the service itself.
  var bucket: String?
  /// nil for the bucket itself.
  var key: ObjectKey?
  /// Parameters by name; of repeated ones the first.
  var parameters: [String: String] = [:]

  init(_ request: ServerRequest) throws(S3Error) {
    let path = request.path.drop { $0 == "/" }
    let name = path.prefix { $0 != "/" }
    if !name.isEmpty {
      guard let text = PercentDecoding.text(name) else { throw Self.badAddress }
      bucket = text
    }
    let rest = path[name.endIndex...].dropFirst()
    if !rest.isEmpty {
      guard let text = PercentDecoding.text(rest) else { throw Self.badAddress }
      guard text.utf8.count <= ObjectKey.longest else { throw .keyTooLong }
      key = ObjectKey(text)
    }
    for part in (request.query ?? "").split(separator: "&") {
      let name = part.prefix { $0 != "=" }
      let value = part[name.endIndex...].dropFirst()
      guard let name = PercentDecoding.text(name),
        let value = PercentDecoding.text(value.map { $0 == "+" ? " " : String($0) }.joined())
      else { throw Self.badAddress }
      if parameters[name] == nil { parameters[name] = value }
    }
  }

  private static let badAddress = S3Error(
    status: 400, code: "InvalidURI", message: "Couldn't parse the specified URI.")

  func has(_ name: String) -> Bool { parameters[name] != nil }

  func number(_ name: String, _ range: ClosedRange<Int>) throws(S3Error) -> Int? {
    guard let text = parameters[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .invalidArgument(
        "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}
