public import HTTP

/// What a transport tells of its work. Holds no header and no body, so no secret can be in it;
/// signatures in a query are masked.
public enum TransportTrace: Sendable, Hashable, CustomStringConvertible {
  case request(Exchange)
  /// The connection limit of an endpoint went down after a 500, or up again.
  case limit(origin: String, from: Int, to: Int)
  case slotTaken(origin: String, slot: Int)
  case slotGivenBack(origin: String, slot: Int)

  /// One request, ended.
  public struct Exchange: Sendable, Hashable {
    public enum Outcome: Sendable, Hashable {
      case status(Int)
      case failed(TransportError)
    }

    public var method: HTTPMethod
    /// The address with secrets in its query masked.
    public var url: String
    public var outcome: Outcome
    /// Bytes of the bodies.
    public var sent: Int64
    public var received: Int64
    /// Connection slot; nil where the request never got one.
    public var slot: Int?
    /// Whether a kept-alive connection was used.
    public var reusedConnection: Bool
    /// Time spent waiting for a slot.
    public var queued: Duration
    /// From the slot to the end, and of it until the connection stood.
    public var took: Duration
    public var connect: Duration
  }

  public var description: String {
    switch self {
    case .request(let exchange): exchange.description
    case .limit(let origin, let from, let to):
      "\(origin): connection limit \(from) -> \(to)"
    case .slotTaken(let origin, let slot): "\(origin): slot \(slot) taken"
    case .slotGivenBack(let origin, let slot): "\(origin): slot \(slot) given back"
    }
  }
}

extension TransportTrace.Exchange: CustomStringConvertible {
  public var description: String {
    let result =
      switch outcome {
      case .status(let status): "\(status)"
      case .failed(let error): "\(error.kind)"
      }
    let place = slot.map { "slot \($0)\(reusedConnection ? "" : ", new connection")" } ?? "no slot"
    return "\(method.rawValue) \(url) -> \(result), \(sent) B out, \(received) B in, "
      + "\(took.milliseconds) ms (queued \(queued.milliseconds), connect \(connect.milliseconds)), "
      + place
  }
}

extension HTTPURL {
  /// The address with the values of query parameters that authenticate masked.
  var masked: String {
    guard let query else { return description }
    let parameters = query.split(separator: "&", omittingEmptySubsequences: false).map { pair in
      let name = pair.prefix { $0 != "=" }
      return Self.secretParameters.contains(name.lowercased()) ? "\(name)=…" : String(pair)
    }
    return origin + path + "?" + parameters.joined(separator: "&")
  }

  /// Names by which presigned addresses and common APIs carry secrets in a query.
  private static let secretParameters: Set<String> = [
    "x-amz-signature", "x-amz-credential", "x-amz-security-token", "signature", "awsaccesskeyid",
    "accesskeyid", "access_key", "secret", "token", "password",
  ]
}

extension Duration {
  /// Whole milliseconds, rounded up, so that a positive time never becomes none.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let rest = attoseconds / 1_000_000_000_000_000
    let partial: Int64 = attoseconds % 1_000_000_000_000_000 > 0 ? 1 : 0
    return seconds.multipliedReportingOverflow(by: 1000).overflow
      ? Int64.max / 4 : seconds * 1000 + rest + partial
  }
}
