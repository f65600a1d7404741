import Glibc

extension ObjectStore {
  /// Fetches an object or everything below a prefix.
  ///
  /// What is here already, by size and content, is left alone; nothing here is deleted. An object
  /// goes to `path` itself, or into it where that is a folder; what is below `key/` goes below the
  /// folder `path`, and never out of it: keys with `..`, a leading slash or empty parts become
  /// failed rows, and so does what symbolic links below the folder would lead elsewhere.
  ///
  /// - Parameters:
  ///   - key: an object, or a prefix with or without its slash; everything where it is empty.
  ///   - path: file or folder; missing folders are made.
  ///   - options: which files, and who is told.
  /// - Returns: a row for each object; single ones that could not be fetched are among them.
  /// - Throws: `.noSuchKey` where there is neither object nor prefix, and what would fail alike for
  ///   every file. What was fetched until then stays, and the next run goes on from there.
  public func pull(
    _ key: String, to path: String, options: TransferOptions = TransferOptions()
  ) async throws(ObjectStoreError) -> TransferReport {
    if !key.isEmpty, key.utf8.last != UInt8(ascii: "/"), let object = try await lookUp(key) {
      return try await pullObject(object, to: path, options)
    }
    let context = context(.pull, key)
    let prefix = Self.folderPrefix(key)
    var found = 0
    var objects: [StoredObject] = []
    var pages = list(prefix: prefix).makeAsyncIterator()
    while let page = try await pages.next() {
      found += page.objects.count
      objects += page.objects.filter { options.wants(Self.relative($0.key, prefix)) }
    }
    guard found > 0 || key.isEmpty else { throw ObjectStoreError(.noSuchKey, context) }
    let root = try await local(context) { () throws(LocalFileFailure) in
      try TargetFolder(path: path)
    }
    let tally = TransferTally(
      files: objects.count, bytes: objects.reduce(0) { $0.addingSaturated($1.size) },
      tell: options.progress)
    let rows = try await BoundedGroup.map(objects, width: fileWidth) {
      object throws(ObjectStoreError) in
      try await self.pull(object, below: root, prefix, tally, options)
    }
    return TransferReport(rows: rows.compactMap { $0 })
  }

  /// nil where there is no such object.
  package func lookUp(_ key: String) async throws(ObjectStoreError) -> StoredObject? {
    do throws(ObjectStoreError) {
      return try await head(key)
    } catch {
      guard case .noSuchKey = error.kind else { throw error }
      return nil
    }
  }

  private func pullObject(
    _ object: StoredObject, to path: String, _ options: TransferOptions
  ) async throws(ObjectStoreError) -> TransferReport {
    let context = context(.pull, object.key)
    let name = Self.name(of: object.key)
    guard options.wants(name) else {
      return TransferReport(rows: [
        TransferRow(
          path: name, key: object.key, size: object.size, outcome: TransferOptions.unwanted)
      ])
    }
    let target = try await local(context) { () throws(LocalFileFailure) in
      var status = stat()
      let isFolder =
        path.utf8.last == UInt8(ascii: "/")
        || (unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR)
      guard isFolder else { return try TargetFile(path: path) }
      guard let place = RelativePath(key: name) else { throw .isFolder(path: path) }
      return TargetFile(folder: try TargetFolder(path: path), name: place.name)
    }
    let tally = TransferTally(files: 1, bytes: object.size, tell: options.progress)
    let file = tally.file(target.name, size: object.size)
    defer { file.settled() }
    let (outcome, size) = try await fetch(object, to: target, context, file, options)
    return TransferReport(rows: [
      TransferRow(path: target.name, key: object.key, size: size, outcome: outcome)
    ])
  }

  /// - Returns: nil for what only stands for a folder.
  private func pull(
    _ object: StoredObject, below root: TargetFolder, _ prefix: String, _ tally: TransferTally,
    _ options: TransferOptions
  ) async throws(ObjectStoreError) -> TransferRow? {
    let relative = Self.relative(object.key, prefix)
    let file = tally.file(relative, size: object.size)
    defer { file.settled() }
    var row = TransferRow(
      path: relative, key: object.key, size: object.size, outcome: .transferred)
    let context = context(.pull, object.key)
    do throws(ObjectStoreError) {
      if object.size == 0, relative.isEmpty { return nil }
      let isMarker = object.size == 0 && relative.utf8.last == UInt8(ascii: "/")
      guard let place = RelativePath(key: isMarker ? String(relative.dropLast()) : relative) else {
        throw ObjectStoreError(.unsafeKey, context)
      }
      let target = try await local(context) { () throws(LocalFileFailure) in
        let names = isMarker ? place.components[...] : place.folders
        return TargetFile(folder: try root.descend(names), name: place.name)
      }
      if isMarker { return nil }
      (row.outcome, row.size) = try await fetch(object, to: target, context, file, options)
    } catch {
      if error.concernsAll { throw error }
      row.outcome = .failed(error)
    }
    return row
  }

  /// - Returns: what became of it, and the size it has now.
  private func fetch(
    _ object: StoredObject, to target: TargetFile, _ context: ObjectStoreError.Context,
    _ file: TransferTally.File, _ options: TransferOptions
  ) async throws(ObjectStoreError) -> (TransferRow.Outcome, size: Int64) {
    let present: LocalSource? = try await local(context) { () throws(LocalFileFailure) in
      try target.check()
      guard let status = target.folder.status(of: target.name), status.st_size == object.size else {
        return nil
      }
      // A file that cannot be read is as good as none: it is replaced.
      return try? LocalSource(path: target.path)
    }
    if let present, try await isSame(present, as: object, context) {
      return (.unchanged, object.size)
    }
    let fetched = try await get(
      object.key, to: target, listed: object, context, durable: options.durable
    ) { done, _ in file.moved(done) }
    return (.transferred, fetched.size)
  }

  private static func relative(_ key: String, _ prefix: String) -> String {
    String(decoding: key.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
  }
}
