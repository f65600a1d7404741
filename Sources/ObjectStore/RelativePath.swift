/// Where the object of a key goes below a folder: never out of it.
struct RelativePath: Sendable, Hashable {
  /// Folders, then the file's name.
  let components: [String]

  var folders: ArraySlice<String> { components.dropLast() }
  var name: String { components[components.count - 1] }

  /// nil where that is no file below the folder: empty, absolute, with empty parts, `.` or `..`, a
  /// null byte, or the name of an unfinished download.
  ///
  /// - Parameter key: what is left of a key behind the prefix that stands for the folder.
  init?(key: String) {
    guard !key.isEmpty, !key.utf8.contains(0) else { return nil }
    let parts = key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    components = parts.map { String(decoding: $0, as: UTF8.self) }
    guard components.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
      !PartialName.isOne(components[components.count - 1])
    else { return nil }
  }
}

/// Names of unfinished downloads, which lie beside the final one.
enum PartialName {
  private static let suffix = ".hpc-partial"
  /// Longest name of Linux file systems, in bytes.
  private static let longest = 255

  /// The name under which a download to `name` is resumed.
  ///
  /// - Parameters:
  ///   - name: the final name.
  ///   - digest: hexadecimal digest of the name, for long ones.
  ///   - mark: tells downloads apart that run at a time.
  /// - Returns: a name that file systems take.
  static func of(_ name: String, digest: (String) -> String, mark: String = "") -> String {
    let plain = ".\(name)\(mark)\(suffix)"
    return plain.utf8.count <= longest ? plain : ".\(digest(name))\(mark)\(suffix)"
  }

  /// Whether a name is that of an unfinished download.
  static func isOne(_ name: String) -> Bool {
    name.utf8.first == UInt8(ascii: ".") && name.hasSuffix(suffix)
  }
}
