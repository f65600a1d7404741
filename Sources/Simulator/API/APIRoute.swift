/// The six operations, as method and path name them.
enum APIRoute: Sendable, Hashable {
  case list
  case submit
  case get(id: Int)
  case cancel(id: Int)
  case sync
  case syncStatus(id: Int)

  /// Reads method and path; a slash at the end is upstream's spelling of the same path.
  init(method: String, path: String) throws(APIError) {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if parts.count > 1, parts.last == "" { parts.removeLast() }
    let words = Array(parts)
    switch words.count {
    case 1 where words[0] == "jobs":
      self = try Self.pick(method, ["GET": .list, "POST": .submit])
    case 2 where words[0] == "jobs":
      let id = try Self.number(words[1])
      self = try Self.pick(method, ["GET": .get(id: id), "DELETE": .cancel(id: id)])
    case 2 where words[0] == "files" && words[1] == "sync":
      self = try Self.pick(method, ["POST": .sync])
    case 3 where words[0] == "files" && words[1] == "sync":
      self = try Self.pick(method, ["GET": .syncStatus(id: Self.number(words[2]))])
    default: throw .urlNotFound
    }
  }

  private static func pick(
    _ method: String, _ routes: [String: APIRoute]
  ) throws(APIError) -> APIRoute {
    guard let route = routes[method] else { throw .methodNotAllowed }
    return route
  }

  private static func number(_ text: Substring) throws(APIError) -> Int {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int(text)
    else { throw .urlNotFound }
    return number
  }

  /// How the state report counts it.
  var countedAs: String {
    switch self {
    case .list: "GET /jobs"
    case .submit: "POST /jobs"
    case .get: "GET /jobs/{jobid}"
    case .cancel: "DELETE /jobs/{jobid}"
    case .sync: "POST /files/sync"
    case .syncStatus: "GET /files/sync/{requestid}"
    }
  }

  /// What a fault plan calls it.
  var target: FaultPlan.Target {
    switch self {
    case .list: .list
    case .submit: .submit
    case .get: .get
    case .cancel: .cancel
    case .sync: .sync
    case .syncStatus: .syncStatus
    }
  }

  var hasBody: Bool { self == .submit || self == .sync }
}
