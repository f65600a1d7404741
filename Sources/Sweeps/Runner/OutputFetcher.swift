import HTTP
import ObjectStore
import SigV4

/// Gets a point's outputs: under a temporary name, size and hash compared, then renamed in one step
/// (`exactly-once.md`, ENDED).
struct OutputFetcher: Sendable {
  let shell: SweepShell
  /// `NAME.out`
  let folder: String

  /// Files up to this size come in one request, through memory.
  private static let small: Int64 = 1 << 20

  @concurrent
  func fetch(_ id: AttemptName, _ exit: ExitRecord, to name: String, root: String) async
    -> FetchOutcome?
  {
    let temporary = "\(folder)/.fetch-\(id)"
    let final = "\(folder)/\(name)"
    do {
      try await DiskWork.run { () throws(LocalFile.Failure) in
        try LocalFileTree.remove(temporary)
        try LocalFile.makeFolder(temporary)
      }
      for file in exit.files {
        let key = shell.key("\(root)/out/files/\(id)/\(file.name)")
        if let problem = try await get(file, key: key, into: temporary) {
          try? await DiskWork.run { () throws(LocalFile.Failure) in
            try LocalFileTree.remove(temporary)
          }
          return .mismatch(problem)
        }
      }
      try await DiskWork.run { () throws(LocalFile.Failure) in
        // A point that runs anew: the outputs of its earlier success go.
        try LocalFileTree.remove(final)
        try LocalFile.move(temporary, to: final)
      }
      return nil
    } catch {
      // Nobody has heard of the temporary folder.
      let text = "\(error)".replacing(temporary, with: final)
      var isLocal = error is LocalFile.Failure
      if let error = error as? ObjectStoreError {
        guard case .local = error.kind else {
          shell.note(error)
          return .failed(text)
        }
        isLocal = true
      }
      // What this computer refuses once it refuses again: the run stops, and nothing is lost.
      shell.trouble(.init(message: "outputs of \(name): \(text)", isFinal: isLocal))
      return .failed(text)
    }
  }

  /// Nil where the file is whole; else what is wrong with it.
  private func get(_ file: OutputFile, key: String, into folder: String) async throws -> String? {
    let path = "\(folder)/\(file.name)"
    var small: [UInt8]?
    if let slash = file.name.lastIndex(of: "/") {
      let parent = "\(folder)/\(file.name[..<slash])"
      try await DiskWork.run { () throws(LocalFile.Failure) in try LocalFile.makeFolder(parent) }
    }
    do throws(ObjectStoreError) {
      if file.size > Self.small {
        let object = try await shell.store.get(key, to: path)
        guard object.size == file.size else { return "\(file.name) is not what the job left" }
      } else {
        let bytes = try await shell.store.read(key, limit: Int(Self.small))
        guard bytes.count == file.size, SHA256.hexadecimal(of: bytes) == file.sha256 else {
          return "\(file.name) is not what the job left"
        }
        small = bytes
      }
    } catch {
      switch error.kind {
      case .noSuchKey: return "\(file.name) is not in the bucket"
      case .transport(.bodyTooLarge, _): return "\(file.name) is not what the job left"
      case .wrongLength, .wrongETag, .wrongDigest: return "\(file.name) came damaged"
      default: throw error
      }
    }
    if let bytes = small {
      try await DiskWork.run { () throws(LocalFile.Failure) in
        try LocalFile.write(bytes, to: path)
      }
      return nil
    }
    let size = file.size
    let digest = try await DiskWork.run { try FileDigest.sha256(path: path, length: size) }
    return digest == file.sha256 ? nil : "\(file.name) is not what the job left"
  }
}
