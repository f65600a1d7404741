import ObjectStore
import SigV4

/// Inputs of this computer by their content: `in/<digest>/files/…` with the list of those that can
/// be executed (`exactly-once.md`, Places).
///
/// Each path is read once a run, and each content is uploaded once a sweep.
actor InputStage {
  private let shell: SweepShell
  private var trees: [SweepInput: Task<InputTree, any Error>] = [:]
  private var uploads: [String: Task<Void, any Error>] = [:]

  init(shell: SweepShell) {
    self.shell = shell
  }

  /// What identifies some inputs: empty for none.
  func digest(of inputs: [SweepInput]) async throws -> String {
    var lines: [String] = []
    for input in inputs {
      var tree = ""
      if case .local(let path, let name) = input { tree = try await self.tree(path, name).digest }
      lines.append(input.identity(tree: tree))
    }
    return InputTree.digest(of: lines)
  }

  /// A line `DIGEST NAME` for each, to show which have changed.
  func lines(of inputs: [SweepInput]) async throws -> String {
    var lines = ""
    for input in inputs {
      switch input {
      case .local(let path, let name):
        lines += "\(try await tree(path, name).digest) \(name)\n"
      case .linked(let output):
        lines += "\(SHA256.hexadecimal(of: Array(output.path.utf8))) \(output.name)\n"
      }
    }
    return lines
  }

  /// Uploads what is not there yet.
  func upload(_ inputs: [SweepInput], root: String) async throws {
    for input in inputs {
      if case .local(let path, let name) = input {
        try await upload(try await tree(path, name), root: root)
      }
    }
  }

  /// What a job script says of the inputs.
  func places(of inputs: [SweepInput]) async throws -> [JobScript.Input] {
    var places: [JobScript.Input] = []
    for input in inputs {
      switch input {
      case .local(let path, let name):
        places.append(.tree(digest: try await tree(path, name).digest))
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

  private func tree(_ path: String, _ name: String) async throws -> InputTree {
    let input = SweepInput.local(path: path, name: name)
    if let known = trees[input] { return try await known.value }
    let task = Task { try await DiskWork.run { try InputTree(path: path, name: name) } }
    trees[input] = task
    return try await task.value
  }

  // MARK: Uploading

  private func upload(_ tree: InputTree, root: String) async throws {
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

  private static func upload(_ tree: InputTree, root: String, _ shell: SweepShell) async throws {
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
