public import HPCClient
import ObjectStore

extension HomeFiles {
  /// Brings a file or a folder to the machine: what the bucket lacks goes there, then a sync of the
  /// folder copies it into home.
  ///
  /// Where the bucket holds other files of that folder, older than those in home perhaps, these are
  /// first brought up to date by a sync the other way, so that the second one changes nothing but
  /// what is sent. Nothing is deleted.
  ///
  /// - Parameters:
  ///   - local: file or folder here; the files of a folder go below `remote`.
  ///   - remote: relative to home; with a slash at its end, or `.`, a folder that a file goes into.
  ///   - options: which files, and who is told.
  /// - Returns: a row for each file; single ones that could not be sent are among them.
  /// - Throws: why nothing could be sent, or was not copied into home.
  public func push(
    _ local: String, to remote: String, _ options: Options = Options()
  ) async throws(HPCError) -> HomeReport {
    let isFolder = try await inBucket { () throws(ObjectStoreError) in
      try await store.isFolder(local)
    }
    let place = try target(of: local, remote, isFolder: isFolder)
    let folder = isFolder ? place : place.parent
    if folder.isOfSweeps, !options.force {
      throw HPCError(
        .invalidArgument, "\"\(folder)\" is where sweeps keep what they know about their jobs",
        hint: "Choose another folder, or say force = true.")
    }
    try await checkPlace(place, isFolder: isFolder)
    let own = try await keys(of: local, below: place, isFolder: isFolder, options)
    guard !own.isEmpty else { return try await nothing(local, place, options) }
    if !options.force, let stranger = try await strangers(in: folder, besides: own) {
      return try await claiming(folder, .both) { claim throws(HPCError) in
        try check(stranger, folder)
        try await refresh(claim, stranger, options)
        return try await push(local, place, claim, options)
      }
    }
    return try await claiming(folder, .fromOnline) { claim throws(HPCError) in
      try await push(local, place, claim, options)
    }
  }

  private func push(
    _ local: String, _ place: HomePath, _ claim: SyncClaim, _ options: Options
  ) async throws(HPCError) -> HomeReport {
    let report = try await inBucket { () throws(ObjectStoreError) in
      try await store.push(local, to: key(place), options: options.transfer)
    }
    let id = try await sync(claim, .fromOnline, options)
    return HomeReport(remote: place.description, local: local, sync: id, transfer: report)
  }

  /// Where a file or folder goes.
  private func target(
    of local: String, _ remote: String, isFolder: Bool
  ) throws(HPCError) -> HomePath {
    let place = try HomePath(remote)
    guard !isFolder, place.isHome || remote.hasSuffix("/") || remote.hasSuffix("/.") else {
      return place
    }
    return place.appending(ObjectStore.name(of: local))
  }

  /// Refuses a file where the bucket has a folder, and the other way round.
  private func checkPlace(_ place: HomePath, isFolder: Bool) async throws(HPCError) {
    guard !place.isHome else { return }
    do throws(ObjectStoreError) {
      try await store.checkPlace(of: key(place), isFolder: isFolder)
    } catch {
      switch error.kind {
      case .isFolder:
        throw HPCError(
          .invalidArgument, "\"\(place)\" is a folder in your home",
          hint: "Write \"\(place)/\" to put the file inside.")
      case .isFile(let file):
        let name = file.dropFirst(prefix.count)
        throw HPCError(
          .invalidArgument, "\"\(name)\" is a file in your home, so that nothing can lie below it",
          hint: "Choose another name. Where it is none any more, remove it from the bucket: "
            + "hpc.store.delete(\"\(file)\").")
      default: throw HPCError(error)
      }
    }
  }

  /// A push that sends nothing needs no sync.
  private func nothing(
    _ local: String, _ place: HomePath, _ options: Options
  ) async throws(HPCError) -> HomeReport {
    let report = try await inBucket { () throws(ObjectStoreError) in
      try await store.push(local, to: key(place), options: options.transfer)
    }
    guard !options.only.isEmpty || !report.rows.isEmpty else {
      throw HPCError(
        .invalidArgument, "there is nothing to push: \"\(local)\" has no files in it",
        hint: "A bucket holds no empty folders. Jobs make their own: mkdir -p.")
    }
    return HomeReport(remote: place.description, local: local, sync: nil, transfer: report)
  }

  /// The keys that a push means.
  private func keys(
    of local: String, below place: HomePath, isFolder: Bool, _ options: Options
  ) async throws(HPCError) -> Set<[UInt8]> {
    guard isFolder else {
      return options.transfer.wants(ObjectStore.name(of: local)) ? [Array(key(place).utf8)] : []
    }
    let base = prefix + place.prefix
    let names = try await inBucket { () throws(ObjectStoreError) in
      try await store.files(below: local, only: options.only)
    }
    return Set(names.map { Array((base + $0).utf8) })
  }

  /// Something else that a sync of the folder would carry into home; for home itself rather
  /// something of a sweep.
  private func strangers(
    in folder: HomePath, besides own: Set<[UInt8]>
  ) async throws(HPCError) -> String? {
    try await inBucket { () throws(ObjectStoreError) in
      if folder.isHome {
        let sweeps = prefix + HomePath.sweeps.prefix
        if let first = try await store.firstKey(prefix: sweeps, besides: []) { return first }
      }
      return try await store.firstKey(prefix: prefix + folder.prefix, besides: own)
    }
  }

  /// Sweeps rely on trees that are synced one way only (`exactly-once.md`, Places).
  private func check(_ stranger: String, _ folder: HomePath) throws(HPCError) {
    guard folder.isHome, stranger.hasPrefix(prefix + HomePath.sweeps.prefix) else { return }
    throw HPCError(
      .invalidArgument,
      "a file directly in your home takes a sync of the whole home along, and the bucket holds files "
        + "of sweeps (\"\(stranger)\") that must not be copied",
      hint:
        "Put it into a folder: hpc.push(\"run.sh\", \"jobs/run.sh\"), then submit \"jobs/run.sh\".")
  }

  private func refresh(
    _ claim: SyncClaim, _ stranger: String, _ options: Options
  ) async throws(HPCError) {
    do throws(HPCError) {
      _ = try await sync(claim, .toOnline, options)
    } catch {
      guard error.code == "SyncFailed" else { throw error }
      var failure = error
      failure.message =
        "the bucket holds other files for \"\(claim.path)\" (\"\(stranger)\"), and bringing them up to "
        + "date from the machine failed: \(error.message)"
      failure.hint =
        "Try again. Where that folder is not on the machine yet, or its files there may be "
        + "overwritten by the bucket's, say force = true."
      throw failure
    }
  }
}
