import Glibc

/// Finds the files below a folder.
///
/// Symbolic links to files count as the files; those to folders are not entered, since they may
/// lead in circles. Unfinished downloads are left out.
package struct FolderWalk {
  /// Something below the folder.
  package struct Entry: Sendable {
    package enum Kind: Sendable {
      case file(size: Int64)
      /// Left out on purpose, with the reason.
      case skipped(String)
      case failed(LocalFileFailure)
    }

    /// Parts separated by slashes.
    package var relative: String
    package var kind: Kind
  }

  private let root: String
  package private(set) var entries: [Entry] = []

  /// - Parameter root: the folder; may be a symbolic link to one.
  package init(_ root: String) throws(LocalFileFailure) {
    self.root = root
    var waiting = [""]
    while let folder = waiting.popLast() {
      do throws(LocalFileFailure) {
        try read(folder, &waiting)
      } catch {
        if folder.isEmpty { throw error }
        entries.append(Entry(relative: folder, kind: .failed(error)))
      }
    }
    // Keys are in this order too.
    entries.sort { $0.relative.utf8.lexicographicallyPrecedes($1.relative.utf8) }
  }

  private mutating func read(
    _ folder: String, _ waiting: inout [String]
  ) throws(LocalFileFailure) {
    let path = folder.isEmpty ? root : "\(root)/\(folder)"
    guard let stream = unsafe opendir(path) else {
      if errno == ENOTDIR { throw .notFolder(path: path) }
      throw .system(call: "read", path: path, errno: errno)
    }
    defer { unsafe closedir(stream) }
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw .system(call: "read", path: path, errno: errno) }
        return
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { text in
          unsafe (String(validatingCString: text), String(cString: text))
        }
      }
      guard let valid = name.0 else {
        let relative = folder.isEmpty ? name.1 : "\(folder)/\(name.1)"
        entries.append(
          Entry(relative: relative, kind: .failed(.name(path: "\(root)/\(relative)"))))
        continue
      }
      guard valid != ".", valid != "..", !PartialName.isOne(valid) else { continue }
      let descriptor = unsafe dirfd(stream)
      look(at: folder.isEmpty ? valid : "\(folder)/\(valid)", descriptor, valid, &waiting)
    }
  }

  private mutating func look(
    at relative: String, _ folder: Int32, _ name: String, _ waiting: inout [String]
  ) {
    let path = "\(root)/\(relative)"
    var status = stat()
    guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      return add(relative, .failed(.system(call: "read", path: path, errno: errno)))
    }
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    if isLink, unsafe fstatat(folder, name, &status, 0) != 0 {
      return add(relative, .failed(.system(call: "read", path: path, errno: errno)))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: add(relative, .file(size: Int64(status.st_size)))
    case S_IFDIR where isLink: add(relative, .skipped("symbolic link to a folder"))
    case S_IFDIR: waiting.append(relative)
    default: add(relative, .skipped("neither file nor folder"))
    }
  }

  private mutating func add(_ relative: String, _ kind: Entry.Kind) {
    entries.append(Entry(relative: relative, kind: kind))
  }
}
