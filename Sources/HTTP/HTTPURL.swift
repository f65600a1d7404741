/// An absolute `http` or `https` address, kept as it goes on the wire.
///
/// Path and query stay percent-encoded: a signature covers the bytes that are sent, so nothing may
/// decode and encode them again on the way (`api.md`, Signing).
public struct HTTPURL: Sendable, Hashable, CustomStringConvertible {
  /// The two schemes that the API and the bucket speak.
  public enum Scheme: String, Sendable, Hashable {
    case http, https

    /// The port that the scheme implies and that `Host` leaves out.
    public var defaultPort: Int { self == .http ? 80 : 443 }
  }

  /// Why a text is no usable address.
  public enum ParseError: Error, Sendable, Equatable, CustomStringConvertible {
    case scheme(String)
    case host(String)
    case port(String)
    case userInfo
    case characters(String)

    public var description: String {
      switch self {
      case .scheme(let text): "\"\(text)\" does not start with http:// or https://"
      case .host(let text): "\"\(text)\" names no host"
      case .port(let text): "\"\(text)\" is no port (1 to 65535)"
      case .userInfo: "an address must not hold a user name or password"
      case .characters(let text): "\"\(text)\" holds a character that must be percent-encoded"
      }
    }
  }

  public var scheme: Scheme
  /// Name or address; an IPv6 address is in brackets.
  public var host: String
  /// nil for the scheme's own port.
  public var port: Int?
  /// Percent-encoded, with its leading slash.
  public var path: String
  /// Percent-encoded, without the question mark; nil when there is none.
  public var query: String?

  public init(
    scheme: Scheme, host: String, port: Int? = nil, path: String = "/", query: String? = nil
  ) {
    self.scheme = scheme
    self.host = host
    self.port = port == scheme.defaultPort ? nil : port
    self.path = path.isEmpty ? "/" : path
    self.query = query
  }

  /// Reads `scheme://host[:port][/path][?query]`; a fragment is dropped.
  public init(parsing text: String) throws(ParseError) {
    guard let mark = text.firstRange(ofText: "://"),
      let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased())
    else { throw .scheme(text) }
    let noFragment = text[mark.upperBound...].prefix { $0 != "#" }
    let authority = noFragment.prefix { $0 != "/" && $0 != "?" }
    let rest = noFragment[authority.endIndex...]
    guard !authority.contains("@") else { throw .userInfo }
    let (host, port) = try Self.splitAuthority(authority)
    guard Self.isHost(host) else { throw .host(text) }
    guard noFragment.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw .characters(text) }
    let path = rest.prefix { $0 != "?" }
    let query = rest[path.endIndex...].dropFirst()
    self.init(
      scheme: scheme, host: host.lowercased(), port: port, path: String(path),
      query: rest[path.endIndex...].isEmpty ? nil : String(query))
  }

  /// Letters, digits, `-._` and what is not ASCII, which is refused as a character; or an IPv6
  /// address, with its zone, in brackets.
  private static func isHost(_ host: Substring) -> Bool {
    func isLetterOrDigit(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }
    if host.hasPrefix("[") {
      let address = host.dropFirst().dropLast()
      let zone = address.firstRange(ofText: "%25")
      let number = address[..<(zone?.lowerBound ?? address.endIndex)]
      return number.utf8.count { $0 == 0x3a } >= 2
        && number.utf8.allSatisfy {
          $0 == 0x3a || $0 == 0x2e || (0x30...0x39).contains($0)
            || (0x61...0x66).contains($0 | 0x20)
        } && (zone.map { address[$0.upperBound...].utf8.allSatisfy(isLetterOrDigit) } ?? true)
    }
    return !host.isEmpty
      && host.utf8.allSatisfy {
        isLetterOrDigit($0) || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f || $0 >= 0x80
      }
  }

  private static func splitAuthority(_ text: Substring) throws(ParseError) -> (Substring, Int?) {
    var host = text
    var port: Substring?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { throw .host(String(text)) }
      host = text[...close]
      let tail = text[text.index(after: close)...]
      guard tail.isEmpty || tail.hasPrefix(":") else { throw .host(String(text)) }
      port = tail.isEmpty ? nil : tail.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    guard let port else { return (host, nil) }
    guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(port),
      (1...65535).contains(number)
    else { throw .port(String(port)) }
    return (host, number)
  }

  /// What the `Host` header says: the port only where it is not the scheme's own (curl#7966).
  /// The zone of an IPv6 address means something here alone: curl does not send it either.
  public var hostHeader: String {
    let zone = host.utf8.contains(0x25) ? host.firstRange(ofText: "%25")?.lowerBound : nil
    return Self.authority(zone.map { "\(host[..<$0])]" } ?? host, port)
  }

  private static func authority(_ host: String, _ port: Int?) -> String {
    port.map { "\(host):\($0)" } ?? host
  }

  /// Path and query as in a request line.
  public var target: String { query.map { "\(path)?\($0)" } ?? path }

  /// Scheme, host and port: what connections and limits are counted by.
  public var origin: String { "\(scheme.rawValue)://\(Self.authority(host, port))" }

  public var description: String { origin + target }

  /// This address with a path (percent-encoded) appended to its own.
  public func appending(path more: String, query: String? = nil) -> HTTPURL {
    var copy = self
    while copy.path.hasSuffix("/") { copy.path.removeLast() }
    copy.path += more.hasPrefix("/") ? more : "/" + more
    copy.query = query
    return copy
  }
}

extension HTTPURL {
  /// An address that others gave, whole or not, for people to read: without user, password and query,
  /// one line, bounded.
  public static func withoutSecrets(_ text: String) -> String {
    let end = text.firstIndex { $0 == "?" || $0 == "#" } ?? text.endIndex
    var address = text[..<end]
    if let start = address.firstRange(ofText: "//")?.upperBound {
      let authority = address[start...].prefix { $0 != "/" }
      if let at = authority.lastIndex(of: "@") { address.removeSubrange(start...at) }
    }
    let shown = address.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(
      400)
    return String(String.UnicodeScalarView(shown)) + (end == text.endIndex ? "" : "?…")
  }
}

extension StringProtocol {
  fileprivate func firstRange(ofText mark: String) -> Range<Index>? {
    var at = startIndex
    while at < endIndex {
      if self[at...].hasPrefix(mark) { return at..<index(at, offsetBy: mark.count) }
      at = index(after: at)
    }
    return nil
  }
}
