import Glibc
import SigV4

extension ObjectStore {
  /// Files handled at a time for each connection: while one is on its way, others are read.
  static let filesPerConnection = 2

  /// Sends a file or a folder.
  ///
  /// What the bucket has already, by size and content, is left alone; nothing there is deleted. A
  /// file goes to `key` itself, or below it where that ends with a slash; the files of a folder go
  /// to `key/…`, in the bucket's root where `key` is empty. Symbolic links to files are sent as the
  /// files; those to folders, and empty folders, are not sent.
  ///
  /// - Parameters:
  ///   - path: file or folder.
  ///   - key: where it goes.
  ///   - options: which files, and who is told.
  /// - Returns: a row for each file; single files that could not be sent are among them.
  /// - Throws: what would fail alike for every file; where a name would be a file and a folder at a
  ///   time, before anything is sent. What was sent until then stays, and the next
  ///   run goes on from there.
  public func push(
    _ path: String, to key: String, options: TransferOptions = TransferOptions()
  ) async throws(ObjectStoreError) -> TransferReport {
    let context = context(.push, key)
    let isFolder = try await local(context) { () throws(LocalFileFailure) in
      try Self.isFolder(path)
    }
    guard isFolder else { return try await pushFile(path, to: key, options) }
    let prefix = Self.folderPrefix(key)
    let entries = try await local(context) { () throws(LocalFileFailure) in
      try FolderWalk(path).entries
    }.filter { options.wants($0.relative) }
    if !prefix.isEmpty { try await checkPlace(of: String(prefix.dropLast()), isFolder: true) }
    let present = try await objects(below: prefix, for: entries.count)
    try checkPlaces(of: entries.map { prefix + $0.relative }, among: present.keys)
    let total = entries.reduce(into: Int64(0)) { sum, entry in
      if case .file(let size) = entry.kind { sum = sum.addingSaturated(size) }
    }
    let tally = TransferTally(files: entries.count, bytes: total, tell: options.progress)
    let rows = try await BoundedGroup.map(entries, width: fileWidth) {
      entry throws(ObjectStoreError) in
      let key = prefix + entry.relative
      var row = TransferRow(path: entry.relative, key: key, size: 0, outcome: .transferred)
      switch entry.kind {
      case .skipped(let reason):
        row.outcome = .skipped(reason)
        tally.file(entry.relative, size: 0).settled()
      case .failed(let failure):
        row.outcome = .failed(ObjectStoreError(.local(failure), self.context(.push, key)))
        tally.file(entry.relative, size: 0).settled()
      case .file(let size):
        row.size = size
        row.outcome = try await self.push(
          "\(path)/\(entry.relative)", key, present[Array(key.utf8)],
          tally.file(entry.relative, size: size))
      }
      return row
    }
    return TransferReport(rows: rows)
  }

  private func pushFile(
    _ path: String, to key: String, _ options: TransferOptions
  ) async throws(ObjectStoreError) -> TransferReport {
    let name = Self.name(of: path)
    let key = key.isEmpty || key.utf8.last == UInt8(ascii: "/") ? key + name : key
    let context = context(.push, key)
    try check(key: key, context)
    let source = try await local(context) { () throws(LocalFileFailure) in
      try LocalSource(path: path)
    }
    guard options.wants(name) else {
      return TransferReport(rows: [
        TransferRow(
          path: name, key: key, size: source.size, outcome: TransferOptions.unwanted)
      ])
    }
    try await checkPlace(of: key, isFolder: false)
    let present = try await lookUp(key)
    let tally = TransferTally(files: 1, bytes: source.size, tell: options.progress)
    let outcome = try await push(path, key, present, tally.file(name, size: source.size))
    if case .failed(let error) = outcome { throw error }
    return TransferReport(rows: [
      TransferRow(path: name, key: key, size: source.size, outcome: outcome)
    ])
  }

  private func push(
    _ path: String, _ key: String, _ present: StoredObject?, _ file: TransferTally.File
  ) async throws(ObjectStoreError) -> TransferRow.Outcome {
    let context = context(.push, key)
    defer { file.settled() }
    do throws(ObjectStoreError) {
      try check(key: key, context)
      let source = try await local(context) { () throws(LocalFileFailure) in
        try LocalSource(path: path)
      }
      if source.size <= Self.smallFile {
        let bytes = try await local(context) { () throws(LocalFileFailure) in try source.bytes() }
        let content = Self.content(of: bytes, metadata: [:])
        if let present, present.size == source.size, present.etag == ETag(md5: content.md5) {
          return .unchanged
        }
        _ = try await put(content, key: key, context)
        return .transferred
      }
      if let present, try await isSame(source, as: present, context) { return .unchanged }
      _ = try await put(source, key: key, metadata: [:], context) { done, _ in file.moved(done) }
      return .transferred
    } catch {
      if error.concernsAll { throw error }
      return .failed(error)
    }
  }

  /// Refuses a place that is no file there, or no folder, already: the bucket could hold both, a file
  /// system cannot, and every sync of them would fail.
  package func checkPlace(of key: String, isFolder: Bool) async throws(ObjectStoreError) {
    let context = context(.push, key)
    let slash = UInt8(ascii: "/")
    let ends = key.utf8.indices.filter { key.utf8[$0] == slash && $0 > key.startIndex }
    for above in ends.map({ String(key[..<$0]) }) + (isFolder ? [key] : [])
    where !above.isEmpty && above.utf8.last != slash {
      if try await lookUp(above) != nil {
        throw ObjectStoreError(.isFile(above), context)
      }
    }
    if !isFolder, try await firstKey(prefix: key + "/", besides: []) != nil {
      throw ObjectStoreError(.isFolder(key), context)
    }
  }

  /// The same for the files of a folder, among the keys of what is below it there.
  private func checkPlaces(
    of keys: [String], among present: some Collection<[UInt8]>
  ) throws(ObjectStoreError) {
    let slash = UInt8(ascii: "/")
    func folders(_ key: [UInt8]) -> [ArraySlice<UInt8>] {
      key.indices.filter { key[$0] == slash }.map { key[..<$0] }
    }
    let objects = Set(present.map { $0[...] })
    let above = present.reduce(into: Set<ArraySlice<UInt8>>()) { $0.formUnion(folders($1)) }
    for key in keys {
      let bytes = Array(key.utf8)
      if above.contains(bytes[...]) {
        throw ObjectStoreError(.isFolder(key), context(.push, key))
      }
      if let file = folders(bytes).first(where: objects.contains) {
        throw ObjectStoreError(
          .isFile(String(decoding: file, as: UTF8.self)), context(.push, key))
      }
    }
  }

  /// What the bucket has, by the bytes of the keys: strings that only look alike are equal, keys
  /// are not.
  private func objects(
    below prefix: String, for files: Int
  ) async throws(ObjectStoreError) -> [[UInt8]: StoredObject] {
    var objects: [[UInt8]: StoredObject] = [:]
    guard files > 0 else { return objects }
    var pages = list(prefix: prefix).makeAsyncIterator()
    while let page = try await pages.next() {
      for object in page.objects { objects[Array(object.key.utf8)] = object }
    }
    return objects
  }

  var fileWidth: Int { configuration.connections * Self.filesPerConnection }

  static func folderPrefix(_ key: String) -> String {
    key.isEmpty || key.utf8.last == UInt8(ascii: "/") ? key : key + "/"
  }

  /// The last part of a path.
  package static func name(of path: String) -> String {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"))
    return parts.last.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Whether a path here is a folder, symbolic links followed.
  package func isFolder(_ path: String) async throws(ObjectStoreError) -> Bool {
    try await local(context(.push)) { () throws(LocalFileFailure) in try Self.isFolder(path) }
  }

  /// The files of a folder here that a push would send, relative to it.
  package func files(
    below path: String, only: [Glob]
  ) async throws(ObjectStoreError) -> [String] {
    let options = TransferOptions(only: only)
    return try await local(context(.push)) { () throws(LocalFileFailure) in
      try FolderWalk(path).entries
    }.map(\.relative).filter { options.wants($0) }
  }

  /// The first key below a prefix that is not among some; at most one page is held.
  package func firstKey(
    prefix: String, besides known: Set<[UInt8]>
  ) async throws(ObjectStoreError) -> String? {
    var pages = list(prefix: prefix).makeAsyncIterator()
    while let page = try await pages.next() {
      if let object = page.objects.first(where: { !known.contains(Array($0.key.utf8)) }) {
        return object.key
      }
    }
    return nil
  }

  static func isFolder(_ path: String) throws(LocalFileFailure) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw .system(call: "read", path: path, errno: errno)
    }
    return status.st_mode & S_IFMT == S_IFDIR
  }
}

extension ObjectStoreError {
  /// Whether other files of the same run would fail in the same way.
  var concernsAll: Bool {
    switch kind {
    case .noSuchBucket, .badCredentials, .clockSkew, .redirected, .unavailable, .transport,
      .cancelled:
      return true
    case .local(.system(_, _, let code)):
      return code == ENOSPC || code == EDQUOT || code == EROFS || code == EMFILE || code == ENFILE
    default:
      return false
    }
  }
}
