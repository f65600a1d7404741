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
    let known = try await known(place)
    // What looks like a file's name is looked for as one first, but where that would copy all of home:
    // a sync of a folder that is none only costs time.
    if place.looksLikeFile, !place.parent.isHome, known != .folder {
      return try await pullFile(place, local, nil, options)
    }
    do throws(HPCError) {
      return try await pullFolder(place, local, options)
    } catch {
      guard error.code == "SyncFailed" || error.code == "NoSuchKey" else { throw error }
      // A folder stays one when copying it fails: more than it is not copied then.
      if known == .folder { throw error }
      if place.parent.isHome, known != .file, !place.looksLikeFile {
        throw notAsFolder(place, error)
      }
      return try await pullFile(place, local, error, options)
    }
  }

  /// What the bucket has under a name.
  private enum Known { case nothing, file, folder }

  private func known(_ place: HomePath) async throws(HPCError) -> Known {
    try await inBucket { () throws(ObjectStoreError) in
      if try await store.lookUp(key(place)) != nil { return .file }
      return try await store.firstKey(prefix: prefix + place.prefix, besides: []) == nil
        ? .nothing : .folder
    }
  }

  /// For a name that could be a file directly in home, or nothing: all of home is not copied on the
  /// off chance.
  private func notAsFolder(_ place: HomePath, _ error: HPCError) -> HPCError {
    let name = "\"\(place)\""
    var failure = error
    guard error.code != "NoSuchKey" else {
      failure.message = "the folder \(name) in your home on the machine has no files in it"
      failure.hint = "Names there are case-sensitive."
      return failure
    }
    failure.message = "\(name) could not be copied as a folder: \(error.message)"
    failure.hint =
      "Try again. Names there are case-sensitive. Where it is a file directly in your home, copy all "
      + "of that: hpc.pull(\".\", \"here\", {only = \"/\(place)\"})."
    return failure
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
  ///
  /// - Parameter first: why it could not be had as a folder, where that was tried.
  private func pullFile(
    _ place: HomePath, _ local: String, _ first: HPCError?, _ options: Options
  ) async throws(HPCError) -> HomeReport {
    let parent = place.parent
    if parent.isHome { try await checkHome(place, options) }
    return try await claiming(parent, .toOnline) { claim throws(HPCError) in
      let id: SyncID
      do throws(HPCError) {
        id = try await sync(claim, .toOnline, options)
      } catch {
        guard error.code == "SyncFailed" else { throw error }
        throw missing(place, first, error)
      }
      do throws(HPCError) {
        let (isFile, report) = try await inBucket { () throws(ObjectStoreError) in
          let isFile = try await store.lookUp(key(place)) != nil
          return (isFile, try await store.pull(key(place), to: local, options: options.transfer))
        }
        if !isFile {
          options.tell?(
            .notice(
              "\"\(place)\" is a folder: all of \"\(parent)\" was copied into the bucket for it. "
                + "\"\(place)/\" takes it alone."))
        }
        return HomeReport(remote: place.description, local: local, sync: id, transfer: report)
      } catch {
        guard error.code == "NoSuchKey" else { throw error }
        var missing = HPCError(
          code: error.code,
          message:
            "\"\(place)\" is no file in your home on the machine, nor a folder with files in it",
          hint:
            "Names there are case-sensitive. hpc.pull(\"\(parent)/\", …) fetches the folder "
            + "around it.")
        if let first, first.code == "SyncFailed" { missing.message += " (\(first.message))" }
        missing.status = error.status
        throw missing
      }
    }
  }

  /// Neither the name itself nor what it lies in could be copied.
  private func missing(_ place: HomePath, _ first: HPCError?, _ error: HPCError) -> HPCError {
    var failure = error
    let both = first.map { "\($0.message), and " } ?? ""
    failure.message =
      "\"\(place)\": no such file in your home on the machine, or it could not be copied: "
      + "\(both)\(error.message)"
    failure.hint =
      "Names there are case-sensitive. Where it is there, try again; files beside it that cannot be "
      + "read are a usual reason."
    return failure
  }

  /// A file directly in home takes a sync of all of home along: told, and not where that would copy
  /// the trees of sweeps, which are synced one way only (`exactly-once.md`, Places).
  private func checkHome(_ place: HomePath, _ options: Options) async throws(HPCError) {
    let sweeps = prefix + HomePath.sweeps.prefix
    let stranger = try await inBucket { () throws(ObjectStoreError) in
      try await store.firstKey(prefix: sweeps, besides: [])
    }
    let name = "\"\(place)\""
    if let stranger {
      throw HPCError(
        .invalidArgument,
        "\(name) as a file directly in your home takes a sync of the whole home along, and sweeps have "
          + "files there and in the bucket (\"\(stranger)\") that must not be copied",
        hint: "Move it into a folder: hpc.pull(\"results/\(place)\"). "
          + "Let jobs write into one: #PJM -o results/out.")
    }
    options.tell?(
      .notice(
        "\(name) lies directly in your home: all of that is copied into the bucket, since the service "
          + "copies whole folders. In a folder of its own it would come faster."))
  }
}

extension HomePath {
  /// Names with a dot inside are mostly files'.
  fileprivate var looksLikeFile: Bool { name.dropFirst().contains(".") }
}
