import ObjectStore
import SigV4

/// A file or folder of this computer that is an input, as it is now.
struct InputTree: Sendable {
  struct File: Sendable {
    var path: String
    /// Path in the work folder.
    var name: String
    var size: Int64
    var sha256: String
    var isExecutable: Bool
  }

  let files: [File]
  /// Of names, contents and what can be executed.
  let digest: String

  /// Reads all of it; throws ``SweepError``.
  init(path: String, name: String) throws {
    let name = try Self.checked(name)
    do {
      var files: [File] = []
      if try LocalFile.status(path).isFolder {
        for entry in try FolderWalk(path).entries {
          switch entry.kind {
          case .file:
            files.append(
              try Self.file("\(path)/\(entry.relative)", "\(name)/\(entry.relative)"))
          case .skipped: continue
          case .failed(let failure): throw SweepError(.definition, "input \(failure)")
          }
        }
      } else {
        files.append(try Self.file(path, name))
      }
      let text = files.map {
        "\($0.isExecutable ? "x" : "-") \($0.size) \($0.sha256) \($0.name)\n"
      }
      self.files = files
      digest = SHA256.hexadecimal(of: Array(text.joined().utf8))
    } catch let error as LocalFile.Failure {
      throw SweepError(.definition, "the input \(error)")
    } catch let error as LocalFileFailure {
      throw SweepError(.definition, "the input \(error)")
    }
  }

  private static func file(_ path: String, _ name: String) throws -> File {
    let status = try LocalFile.status(path)
    guard status.isRegular else { throw neither(path) }
    guard !name.utf8.contains(0x0a) else {
      throw SweepError(.definition, "the name of the input \"\(path)\" has a line break")
    }
    return File(
      path: path, name: name, size: status.size,
      sha256: try FileDigest.sha256(path: path, length: status.size),
      isExecutable: status.isExecutable)
  }

  /// The name without slashes at its end.
  private static func checked(_ name: String) throws(SweepError) -> String {
    var bare = name[...]
    while bare.last == "/" { bare.removeLast() }
    guard OutputName.isInside(bare) else {
      throw SweepError(
        .definition, "the input \"\(name)\" has no name within the work folder",
        hint: "Give it one: [\"name\"] = \"path\"")
    }
    return String(bare)
  }

  /// What identifies some inputs by their ``SweepInput/identity(tree:)``: empty for none.
  static func digest(of lines: [String]) -> String {
    lines.isEmpty ? "" : SHA256.hexadecimal(of: Array(lines.joined().utf8))
  }

  /// Throws what can be seen to be wrong with some inputs without reading them.
  ///
  /// - Parameter known: what was found to be sound.
  static func check(_ inputs: [SweepInput], known: inout Set<SweepInput>) throws(SweepError) {
    var names: Set<String> = []
    for input in inputs {
      let name: String
      switch input {
      case .local(_, let own): name = try checked(own)
      case .linked(let output): name = output.name
      }
      guard names.insert(name).inserted else {
        throw SweepError(
          .definition, "two inputs are called \"\(name)\" in the work folder",
          hint: "Name one of them [\"name\"] = \"path\"")
      }
      guard known.insert(input).inserted else { continue }
      switch input {
      case .local(let path, _):
        let status: LocalFile.Status
        do {
          status = try LocalFile.status(path)
        } catch {
          throw SweepError(.definition, "the input \(error)")
        }
        guard status.isFolder || status.isRegular else { throw Self.neither(path) }
      case .linked(let output):
        guard OutputName.isInside(output.path), OutputName.isInside(output.name) else {
          throw SweepError(.definition, "\"\(output.name)\" is no name of an input")
        }
      }
    }
  }

  private static func neither(_ path: String) -> SweepError {
    SweepError(.definition, "the input \"\(path)\" is neither file nor folder")
  }
}

extension SweepInput {
  /// What it is, in a line.
  ///
  /// - Parameter tree: digest of a local one.
  func identity(tree: String) -> String {
    switch self {
    case .local: "tree \(tree)\n"
    case .linked(let output): "link \(output.path) \(output.name)\n"
    }
  }
}
