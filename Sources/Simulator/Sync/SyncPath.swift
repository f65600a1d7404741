/// A folder that is synced: a path below home.
struct SyncPath: Sendable, Hashable {
  /// None for home itself.
  let components: [String]

  /// nil where the path is not below home: absolute, with `..`, or the simulator's own folder.
  init?(_ text: String) {
    guard !text.hasPrefix("/"), let components = Self.components(of: text[...]),
      components.first != HomeFolder.privateName
    else { return nil }
    self.components = components
  }

  /// The path as files and keys have it, with a slash behind each component.
  var prefix: String { components.map { $0 + "/" }.joined() }

  /// Where a file of the other side belongs on this one.
  ///
  /// - Parameter name: below the synced folder, as a key has it.
  /// - Returns: its components; nil where it would not be a file below the folder.
  func place(_ name: Substring) -> [String]? {
    guard !name.isEmpty, !name.contains("//"), !name.hasPrefix("/"), !name.hasSuffix("/"),
      let place = Self.components(of: name), !place.isEmpty,
      name.utf8.count == place.reduce(place.count - 1, { $0 + $1.utf8.count }),
      components.first != nil || place.first != HomeFolder.privateName,
      place.allSatisfy({ $0.utf8.count <= 255 })
    else { return nil }
    return place
  }

  /// Without empty components and `.`; nil with `..` or a zero byte.
  private static func components(of text: Substring) -> [String]? {
    var components: [String] = []
    for part in text.split(separator: "/") where part != "." {
      guard part != "..", !part.utf8.contains(0) else { return nil }
      components.append(String(part))
    }
    return components
  }
}
