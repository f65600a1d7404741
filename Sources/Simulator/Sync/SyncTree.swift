import Glibc

/// The files below a folder of home. Links are neither listed nor followed.
enum SyncTree {
  /// What tells whether a file is still the same.
  struct Stamp: Sendable, Hashable {
    var size: Int64
    var inode: UInt64
    var seconds: Int
    var nanoseconds: Int

    init?(_ path: String) {
      var information = stat()
      guard unsafe lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
        return nil
      }
      size = Int64(information.st_size)
      inode = UInt64(information.st_ino)
      seconds = information.st_mtim.tv_sec
      nanoseconds = information.st_mtim.tv_nsec
    }
  }

  /// Names of all files, relative to the folder, in the order of their bytes.
  ///
  /// - Parameters:
  ///   - folder: whole path.
  ///   - isHome: leaves the simulator's own folder out.
  /// - Returns: with `/` between components.
  static func files(in folder: String, isHome: Bool) -> [String] {
    var found: [String] = []
    walk(folder, "", isHome: isHome, &found)
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func walk(
    _ folder: String, _ prefix: String, isHome: Bool, _ found: inout [String]
  ) {
    // A folder that vanishes while it is read has no files.
    for name in (try? LocalFiles.names(in: folder)) ?? [] {
      if isHome, prefix.isEmpty, name == HomeFolder.privateName { continue }
      switch LocalFiles.kind(folder + "/" + name) {
      case .file: found.append(prefix + name)
      case .folder: walk(folder + "/" + name, prefix + name + "/", isHome: isHome, &found)
      case .other, nil: break
      }
    }
  }

  /// Whether every component of a path below home is a folder, or missing: no link leads out.
  static func isPlain(_ components: [String], below home: String) -> Bool {
    var path = home
    for component in components {
      path += "/" + component
      switch LocalFiles.kind(path) {
      case .folder: continue
      case nil: return true
      case .file, .other: return false
      }
    }
    return true
  }
}
