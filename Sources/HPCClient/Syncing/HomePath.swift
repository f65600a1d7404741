/// A path on the machine, relative to the account's home there.
public struct HomePath: Sendable, Hashable, CustomStringConvertible {
  /// None for home itself.
  public let components: [String]

  /// Reads a path as people write it: empty parts and `.` go.
  ///
  /// - Parameter text: relative, without `..`; empty, `.` or `./` for home itself.
  /// - Throws: what is wrong with it and what is meant instead.
  public init(_ text: String) throws(HPCError) {
    func refuse(_ reason: String, _ hint: String) -> HPCError {
      HPCError(
        .invalidArgument, "the remote path \(ErrorText.quoted(text)) \(reason)", hint: hint)
    }
    let form = "Remote paths are relative to your home on the machine, such as \"work/run.sh\"."
    if text.hasPrefix("/") { throw refuse("is absolute", form) }
    if text == "~" || text.hasPrefix("~/") {
      throw refuse("starts with ~", "\(form) Leave the ~ out.")
    }
    if text.contains("\\"), !text.contains("/") {
      throw refuse("has backslashes", "\(form) Parts are separated by slashes.")
    }
    var components: [String] = []
    for part in text.split(separator: "/") where part != "." {
      if part == ".." { throw refuse("has \"..\" in it", form) }
      guard part.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
        throw refuse("has control characters in it", form)
      }
      guard part.utf8.count <= 255 else {
        throw refuse("has a part of more than 255 bytes", form)
      }
      components.append(String(part))
    }
    self.components = components
  }

  init(components: [String]) {
    self.components = components
  }

  /// The folder that sweeps live in (`exactly-once.md`, Places).
  public static let sweeps = HomePath(components: ["hpc"])

  public var isHome: Bool { components.isEmpty }
  /// The folder that it lies in; home for home itself.
  public var parent: HomePath { HomePath(components: Array(components.dropLast())) }
  /// The last part; empty for home.
  public var name: String { components.last ?? "" }

  /// A path below this one.
  public func appending(_ name: String) -> HomePath {
    HomePath(components: components + [name])
  }

  /// With slashes; `.` for home.
  public var description: String { isHome ? "." : components.joined(separator: "/") }

  /// How keys of what is below it begin: with a slash behind each part, empty for home.
  public var prefix: String { components.map { $0 + "/" }.joined() }

  /// Whether one of the two contains the other.
  func overlaps(_ other: HomePath) -> Bool {
    zip(components, other.components).allSatisfy { $0 == $1 }
  }

  /// Whether it lies where sweeps live.
  public var isOfSweeps: Bool { components.first == Self.sweeps.name }
}
