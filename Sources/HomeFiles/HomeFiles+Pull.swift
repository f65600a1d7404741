public import HPCClient
import ObjectStore

extension HomeFiles {
  /// Brings a file or a folder from the machine: a sync copies its folder into the bucket, then what
  /// is missing or different here is fetched.
  ///
  /// - Parameters:
  ///   - remote: relative to home; with a slash at its end it can only be a folder.
  ///   - local: file or folder here; the files of a folder go below it, a file goes into it where
  ///     it is a folder. Missing folders are made.
  ///   - options: which files, and who is told.
  /// - Returns: a row for each file; single ones that could not be fetched are among them.
  /// - Throws: why nothing could be fetched.
  public func pull(
    _ remote: String, to local: String, _ options: Options = Options()
  ) async throws(HPCError) -> HomeReport {
    let place = try HomePath(remote)
    if place.isHome || remote.hasSuffix("/") || remote.hasSuffix("/.") {
      return try await pullFolder(place, local, options)
    }
    // What looks like a file's name is looked for as one first: a sync of a folder that is none
    // would only cost time.
    if place.name.dropFirst().contains(".") {
      return try await pullFile(place, local, options)
    }
    do throws(HPCError) {
      return try await pullFolder(place, local, options)
    } catch {
      guard error.code == "SyncFailed" || error.code == "NoSuchKey" else { throw error }
      return try await pullFile(place, local, options)
    }
  }

  private func pullFolder(
    _ place: HomePath, _ local: String, _ options: Options
  ) async throws(HPCError) -> HomeReport {
    try await claiming(place, .toOnline) { claim throws(HPCError) in
      let id = try await sync(claim, .toOnline, options)
      let report = try await inBucket { () throws(ObjectStoreError) in
        try await store.pull(prefix + place.prefix, to: local, options: options.transfer)
      }
      return HomeReport(remote: place.description, local: local, sync: id, transfer: report)
    }
  }

  /// Fetches what has this name in its folder: a file, or a folder all the same.
  private func pullFile(
    _ place: HomePath, _ local: String, _ options: Options
  ) async throws(HPCError) -> HomeReport {
    try await claiming(place.parent, .toOnline) { claim throws(HPCError) in
      let id = try await sync(claim, .toOnline, options)
      do throws(HPCError) {
        let report = try await inBucket { () throws(ObjectStoreError) in
          try await store.pull(key(place), to: local, options: options.transfer)
        }
        return HomeReport(remote: place.description, local: local, sync: id, transfer: report)
      } catch {
        guard error.code == "NoSuchKey" else { throw error }
        var missing = HPCError(
          code: error.code,
          message:
            "\"\(place)\" is no file in your home on the machine, nor a folder with files in it",
          hint:
            "Names there are case-sensitive. hpc.pull(\"\(place.parent)/\", …) fetches the folder "
            + "around it.")
        missing.status = error.status
        throw missing
      }
    }
  }
}
