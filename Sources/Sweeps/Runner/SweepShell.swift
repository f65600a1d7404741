import HPCClient
import ObjectStore

/// What the machine's effects come to: requests to the API and to the bucket. Knows the service and
/// the sweep's root, and decides nothing.
struct SweepShell: Sendable {
  let service: SweepService
  let timing: SweepTiming
  /// Told of what failed, in words for people; the protocol goes on by itself.
  let trouble: @Sendable (Trouble) -> Void

  /// What failed, and whether trying again is in vain.
  struct Trouble: Sendable {
    var message: String
    var isFinal: Bool
  }

  /// For what the machine repeats by itself.
  private let quickStore: ObjectStore

  init(
    service: SweepService, timing: SweepTiming, trouble: @escaping @Sendable (Trouble) -> Void
  ) {
    self.service = service
    self.timing = timing
    self.trouble = trouble
    quickStore = service.store.retrying(for: .seconds(5))
  }

  var client: HPCClient { service.client }
  var store: ObjectStore { service.store }
  var time: any TimeSource { service.client.configuration.time }

  /// A request is tried again for a moment; what lasts is the machine's to repeat.
  private var options: CallOptions { CallOptions(retryDeadline: .seconds(5)) }

  /// The key of a path below home.
  func key(_ path: String) -> String { service.storagePrefix + path }

  private func note(_ error: HPCError) {
    let isFinal = [401, 403, 405].contains(error.status ?? 0)
    trouble(Trouble(message: error.description, isFinal: isFinal))
  }

  func note(_ error: ObjectStoreError) {
    let isFinal =
      switch error.kind {
      case .noSuchBucket, .accessDenied, .badCredentials: true
      default: false
      }
    trouble(Trouble(message: error.description, isFinal: isFinal))
  }

  // MARK: Jobs

  @concurrent
  func post(jobfile: String) async -> PostOutcome {
    switch await client.submitOnce(jobfile: jobfile) {
    case .accepted(let id): return .accepted(job: id.number)
    case .notSent(let error):
      note(error)
      return .notSent
    case .expired: return .expired
    case .denied(let error): return .denied(error.description)
    case .refused(let error): return .refused(error.message)
    case .unaccepted(let error): return .unaccepted(error.message)
    case .unclear: return .unclear
    }
  }

  /// Nil for a list that failed or in which a job has no id.
  @concurrent
  func list() async -> JobList? {
    do throws(HPCError) {
      let list = try await client.listJobs(options)
      var jobs: [ListedJob] = []
      jobs.reserveCapacity(list.jobs.count)
      for job in list.jobs {
        guard let id = job.id else { return nil }
        jobs.append(
          ListedJob(
            id: id.number, name: job.name ?? "", state: job.status,
            end: JobEnd(
              exitCode: job.exitCode, pjmCode: job.pjmCode, signal: job.signal,
              elapsed: job.elapsed)))
      }
      return JobList(jobs: jobs, serverTime: list.serverTime)
    } catch {
      note(error)
      return nil
    }
  }

  /// True for an accepted DELETE, and for a job that is not there.
  @concurrent
  func delete(job: Int64) async -> Bool {
    do throws(HPCError) {
      try await client.cancel(JobID(job), options)
      return true
    } catch {
      return error.saysJobIsMissing
    }
  }

  // MARK: Syncs

  @concurrent
  func postSync(path: String, direction: SyncDirection) async -> SyncPostOutcome {
    do throws(HPCError) {
      let id = try await client.startSync(path: path, direction: direction, delete: false, options)
      return .accepted(request: id.number)
    } catch {
      note(error)
      return .failed(error.message)
    }
  }

  /// Looks after a pause.
  @concurrent
  func pollSync(_ request: Int64) async -> SyncState {
    guard (try? await time.sleep(for: timing.pollInterval)) != nil else { return .unseen }
    return await lookAtSync(request)
  }

  private func lookAtSync(_ request: Int64) async -> SyncState {
    do throws(HPCError) {
      switch try await client.syncStatus(SyncID(request), options) {
      case .waiting, .other: return .waiting
      case .complete(let result): return .complete(result: result ?? "")
      case .error(let message): return .gone(message)
      }
    } catch {
      if error.status == 404 { return .gone(error.message) }
      note(error)
      return .unseen
    }
  }

  /// One sync from its POST to its end; true for `complete` with `"0"`.
  func sync(path: String, direction: SyncDirection) async -> Bool {
    guard case .accepted(let request) = await postSync(path: path, direction: direction) else {
      return false
    }
    let start = time.uptime()
    while time.uptime() - start < timing.syncPatience, !Task.isCancelled {
      switch await pollSync(request) {
      case .complete(let result): return result == "0"
      case .gone: return false
      case .waiting, .unseen: continue
      }
    }
    return false
  }

  // MARK: Root

  /// Makes the root on both sides: folders with a `.keep`, and the canary, which then goes from the
  /// bucket (`exactly-once.md`, Places).
  @concurrent
  func makeRoot(_ path: String) async -> Bool {
    let folders = [
      "in", "lock", "out/claim", "out/refused", "out/exit", "out/files", "log", "work",
    ]
    let keys = folders.map { key("\(path)/\($0)/.keep") } + [key("\(path)/out/CANARY")]
    guard await putEmpty(keys) else { return false }
    guard await sync(path: path, direction: .fromOnline) else { return false }
    return await removeCanary(root: path)
  }

  func putEmpty(_ keys: [String]) async -> Bool {
    await each(keys) { key in
      do throws(ObjectStoreError) {
        try await quickStore.put([UInt8]("hpc\n".utf8), key: key)
        return true
      } catch {
        note(error)
        return false
      }
    }
  }

  /// Deletes the bucket's canary and sees it gone.
  @concurrent
  func removeCanary(root: String) async -> Bool {
    let key = key("\(root)/out/CANARY")
    do throws(ObjectStoreError) {
      try await quickStore.delete(key)
    } catch {
      note(error)
      return false
    }
    return await exists(key) == false
  }

  /// Nil where it cannot be known.
  func exists(_ key: String) async -> Bool? {
    do throws(ObjectStoreError) {
      _ = try await quickStore.head(key)
      return true
    } catch {
      if case .noSuchKey = error.kind { return false }
      note(error)
      return nil
    }
  }

  // MARK: Seals

  @concurrent
  func putSeals(_ attempts: [AttemptName], root: String) async -> Bool {
    await putEmpty(attempts.map { sealKey($0, root) })
  }

  private func sealKey(_ attempt: AttemptName, _ root: String) -> String {
    key("\(root)/lock/\(attempt)/sealed")
  }

  /// Those of some seals that are in the bucket; nil where that cannot be known.
  @concurrent
  func presentSeals(_ attempts: [AttemptName], root: String) async -> Set<AttemptName>? {
    if attempts.count > 8 { return await listedSeals(attempts, root: root) }
    var present: Set<AttemptName> = []
    for attempt in attempts {
      guard let isThere = await exists(sealKey(attempt, root)) else { return nil }
      if isThere { present.insert(attempt) }
    }
    return present
  }

  private func listedSeals(_ attempts: [AttemptName], root: String) async -> Set<AttemptName>? {
    guard let keys = await keys(below: "\(root)/lock/") else { return nil }
    let wanted = Set(attempts)
    return Set(
      keys.compactMap { name in
        name.hasSuffix("/sealed") ? AttemptName(name.dropLast("/sealed".count)) : nil
      }.filter(wanted.contains))
  }

  /// Names below a folder of the bucket; nil where it cannot be listed whole.
  func keys(below folder: String) async -> [Substring]? {
    let prefix = key(folder)
    var names: [Substring] = []
    do throws(ObjectStoreError) {
      var pages = quickStore.list(prefix: prefix).makeAsyncIterator()
      while let page = try await pages.next() {
        for object in page.objects where object.key.hasPrefix(prefix) {
          names.append(object.key.dropFirst(prefix.count))
        }
      }
      return names
    } catch {
      note(error)
      return nil
    }
  }

  // MARK: Many at a time

  /// Runs a body for each item, some at a time; true where all gave true.
  func each<Item: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) async -> Bool
  ) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      var next = 0
      var isWhole = true
      while next < min(items.count, 16) {
        let item = items[next]
        group.addTask { await body(item) }
        next += 1
      }
      while let isDone = await group.next() {
        isWhole = isWhole && isDone
        if isWhole, next < items.count {
          let item = items[next]
          group.addTask { await body(item) }
          next += 1
        }
      }
      return isWhole
    }
  }
}
