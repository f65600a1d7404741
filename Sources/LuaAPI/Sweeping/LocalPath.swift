import FoundationEssentials

/// Files of this computer.
enum LocalPath {
  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
