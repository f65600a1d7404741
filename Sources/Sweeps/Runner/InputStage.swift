import ObjectStore
import SigV4

/// Inputs of this computer by their content: `in/<digest>/files/…` with the list of those that can
/// be executed (`exactly-once.md`, Places).
///
/// Each path is read once a run, and each content is uploaded once a sweep.
actor InputStage {
  /// A file or folder as it is now.
  private struct Tree: Sendable {
    struct File: Sendable {
      var path: String
      /// Path in the work folder.
      var name: String
      var size: Int64
      var sha256: String
      var isExecutable: Bool
    }

    var files: [File]
    var digest: String
  }

  private let shell: SweepShell
  private var trees: [SweepInput: Task<Tree, any Error>] = [:]
  private var uploads: [String: Task<Void, any Error>] = [:]

  init(shell: SweepShell) {
    self.shell = shell
  }

  /// What identifies some inputs: empty for none.
  func digest(of inputs: [SweepInput]) async throws -> String {
    guard !inputs.isEmpty else { return "" }
    var text = ""
    for input in inputs {
      switch input {
      case .local: text += "tree \(try await tree(input).digest)\n"
      case .linked(let output): text += "link \(output.path) \(output.name)\n"
      }
    }
    return SHA256.hexadecimal(of: Array(text.utf8))
  }

  /// A line `DIGEST NAME` for each, to show which have changed.
  func lines(of inputs: [SweepInput]) async throws -> String {
    var lines = ""
    for input in inputs {
      switch input {
      case .local(_, let name): lines += "\(try await tree(input).digest) \(name)\n"
      case .linked(let output):
        lines += "\(SHA256.hexadecimal(of: Array(output.path.utf8))) \(output.name)\n"
      }
    }
    return lines
  }

  /// Uploads what is not there yet.
  func upload(_ inputs: [SweepInput], root: String) async throws {
    for input in inputs {
      if case .local = input { try await upload(try await tree(input), root: root) }
    }
  }

  /// What a job script says of the inputs.
  func places(of inputs: [SweepInput]) async throws -> [JobScript.Input] {
    var places: [JobScript.Input] = []
    for input in inputs {
      switch input {
      case .local:
        places.append(.tree(digest: try await tree(input).digest))
      case .linked(let output):
        guard OutputName.isInside(output.path), OutputName.isInside(output.name) else {
          throw SweepError(.definition, "\"\(output.name)\" is no name of an input")
        }
        places.append(.link(path: output.path, name: output.name))
      }
    }
    return places
  }

  // MARK: Reading

  private func tree(_ input: SweepInput) async throws -> Tree {
    guard case .local(let path, let name) = input else { return Tree(files: [], digest: "") }
    if let known = trees[input] { return try await known.value }
    let task = Task { try await DiskWork.run { try Self.read(path, name) } }
    trees[input] = task
    return try await task.value
  }

  private static func read(_ path: String, _ name: String) throws -> Tree {
    var name = name[...]
    while name.last == "/" { name.removeLast() }
    guard OutputName.isInside(name) else {
      throw SweepError(
        .definition, "the input \"\(name)\" is not below the folder of the sweep",
        hint: "Name it [\"name\"] = \"path\"")
    }
    do {
      var files: [Tree.File] = []
      let status = try LocalFile.status(path)
      if status.isFolder {
        for entry in try FolderWalk(path).entries {
          switch entry.kind {
          case .file:
            files.append(try file("\(path)/\(entry.relative)", "\(name)/\(entry.relative)"))
          case .skipped: continue
          case .failed(let failure): throw SweepError(.definition, "input \(failure)")
          }
        }
      } else {
        files.append(try file(path, String(name)))
      }
      let text = files.map {
        "\($0.isExecutable ? "x" : "-") \($0.size) \($0.sha256) \($0.name)\n"
      }
      return Tree(files: files, digest: SHA256.hexadecimal(of: Array(text.joined().utf8)))
    } catch let error as LocalFile.Failure {
      throw SweepError(.definition, "the input \(error)")
    } catch let error as LocalFileFailure {
      throw SweepError(.definition, "the input \(error)")
    }
  }

  private static func file(_ path: String, _ name: String) throws -> Tree.File {
    let status = try LocalFile.status(path)
    guard status.isRegular else {
      throw SweepError(.definition, "the input \"\(path)\" is neither file nor folder")
    }
    guard !name.utf8.contains(0x0a) else {
      throw SweepError(.definition, "the name of the input \"\(path)\" has a line break")
    }
    return Tree.File(
      path: path, name: name, size: status.size,
      sha256: try FileDigest.sha256(path: path, length: status.size),
      isExecutable: status.isExecutable)
  }

  // MARK: Uploading

  private func upload(_ tree: Tree, root: String) async throws {
    if let known = uploads[tree.digest] { return try await known.value }
    let shell = shell
    let task = Task { try await Self.upload(tree, root: root, shell) }
    uploads[tree.digest] = task
    do {
      try await task.value
    } catch {
      uploads[tree.digest] = nil
      throw error
    }
  }

  private static func upload(_ tree: Tree, root: String, _ shell: SweepShell) async throws {
    let folder = shell.key("\(root)/in/\(tree.digest)")
    if await shell.exists("\(folder)/complete") == true { return }
    for file in tree.files {
      let object = try await shell.store.put(file: file.path, key: "\(folder)/files/\(file.name)")
      guard object.storedSHA256 == file.sha256 else {
        throw SweepError(
          .definition, "the input \"\(file.path)\" changed while the sweep was running",
          hint: "Run it again when nothing writes to it any more")
      }
    }
    let executable = tree.files.filter(\.isExecutable).map { "\($0.name)\n" }.joined()
    if !executable.isEmpty {
      try await shell.store.put(Array(executable.utf8), key: "\(folder)/executable")
    }
    // Last: where it is, everything is.
    try await shell.store.put(Array("hpc\n".utf8), key: "\(folder)/complete")
  }
}
