import JSON

/// The body of POST /jobs.
struct SubmitBody: Sendable, Hashable {
  var jobfile: String
  /// Reserved for future extension: read, and ignored.
  var qopt: String?

  init(_ value: JSONValue) throws(BodyErrors) {
    var reader = try BodyReader(value)
    jobfile = reader.string("jobfile") ?? ""
    qopt = reader.optionalString("qopt")
    try reader.finish()
  }
}

/// The body of POST /files/sync.
struct SyncBody: Sendable, Hashable {
  enum Direction: String, Sendable, Hashable {
    case toOnline = "to_online"
    case fromOnline = "from_online"
  }

  var path: String
  var direction = Direction.fromOnline
  var delete = false

  init(_ value: JSONValue) throws(BodyErrors) {
    var reader = try BodyReader(value)
    path = reader.string("path") ?? ""
    if let text = reader.optionalString("direction") {
      if let known = Direction(rawValue: text) {
        direction = known
      } else {
        reader.complain(
          "direction",
          "value is not a valid enumeration member; permitted: 'to_online', 'from_online'",
          "type_error.enum")
      }
    }
    delete = reader.optionalBool("delete") ?? false
    try reader.finish()
  }
}

/// Everything that is wrong with a body.
struct BodyErrors: Error, Sendable, Hashable {
  var errors: [ValidationError]
}

/// Reads members and collects what is wrong with them.
private struct BodyReader {
  private let value: JSONValue
  private var errors: [ValidationError] = []

  init(_ value: JSONValue) throws(BodyErrors) {
    guard value.object != nil else {
      throw BodyErrors(errors: [
        ValidationError(
          location: ["body"], message: "value is not a valid dict", type: "type_error.dict")
      ])
    }
    self.value = value
  }

  mutating func string(_ name: String) -> String? {
    guard value[name] != nil else {
      complain(name, "field required", "value_error.missing")
      return nil
    }
    if value[name] == .null {
      complain(name, "none is not an allowed value", "type_error.none.not_allowed")
      return nil
    }
    return optionalString(name)
  }

  mutating func optionalString(_ name: String) -> String? {
    guard let member = value[name], member != .null else { return nil }
    if member.string == nil { complain(name, "str type expected", "type_error.str") }
    return member.string
  }

  mutating func optionalBool(_ name: String) -> Bool? {
    guard let member = value[name], member != .null else { return nil }
    if member.bool == nil {
      complain(name, "value could not be parsed to a boolean", "type_error.bool")
    }
    return member.bool
  }

  mutating func complain(_ name: String, _ message: String, _ type: String) {
    errors.append(ValidationError(location: ["body", name], message: message, type: type))
  }

  func finish() throws(BodyErrors) {
    if !errors.isEmpty { throw BodyErrors(errors: errors) }
  }
}
