import Sweeps

/// The service's operations as the client meets them: each gives its answer later.
extension World {
  // MARK: Submission

  private func accept(_ name: String) {
    nextJob += 1
    let job = WorldJob(world: self, id: nextJob, name: name)
    jobs[job.id] = job
    if chance(faults.hidden) { hiddenUntil[job.id] = clock.now + between(1, 30) }
  }

  func post(_ name: String, reply: @escaping (PostOutcome) -> Void) {
    if chance(faults.notSent) { return clock.after(1) { reply(.notSent) } }
    clock.after(between(0.1, 2)) {
      guard self.home.scripts.contains(name) else { return reply(.unaccepted("400")) }
      if self.chance(self.faults.failsWithReason) {
        return reply(.refused("Invalid jobfile."))
      }
      self.posts[name, default: 0] += 1
      if self.countsPosts, self.posts[name] != 1 {
        self.violate("\(name) was posted \(self.posts[name] ?? 0) times")
      }
      if self.chance(self.faults.lostRequest) { return self.clock.after(60) { reply(.unclear) } }
      if self.chance(self.faults.failsUnaccepted) { return reply(.unaccepted("400")) }
      if self.chance(self.faults.acceptedLate) {
        let wait = self.chance(0.5) ? self.between(0, 10) : self.between(0, 300)
        self.clock.after(wait + self.between(10, self.faults.lateness)) { self.accept(name) }
        return self.clock.after(wait) { reply(.unclear) }
      }
      self.accept(name)
      let id = self.nextJob
      if self.chance(self.faults.acceptedTwice) {
        self.clock.after(self.between(0, 200)) { self.accept(name) }
      }
      if self.chance(self.faults.failsAccepted) { return reply(.unaccepted("400")) }
      if self.chance(self.faults.lostReply) { return self.clock.after(60) { reply(.unclear) } }
      reply(.accepted(job: id))
    }
  }

  func list(reply: @escaping (JobList?) -> Void) {
    clock.after(between(0.1, 3)) {
      if self.chance(self.faults.listFails) { return reply(nil) }
      let time = self.epoch
      if self.chance(self.faults.listIsEmpty) { return reply(JobList(jobs: [], serverTime: time)) }
      var rows: [ListedJob] = []
      for job in self.jobs.values.sorted(by: { $0.id < $1.id }) {
        if job.state == .ended, job.shownUntil <= self.clock.now { continue }
        if let until = self.hiddenUntil[job.id], until > self.clock.now { continue }
        if self.chance(self.faults.hidden * 0.1) {
          self.hiddenUntil[job.id] = self.clock.now + self.between(1, 30)
        }
        if self.chance(self.faults.listIsShort * 0.3) { continue }
        rows.append(ListedJob(id: job.id, name: job.name, state: job.text, end: job.end))
      }
      self.clock.after(self.between(0, 2)) { reply(JobList(jobs: rows, serverTime: time)) }
    }
  }

  func delete(_ id: Int64, reply: @escaping (Bool) -> Void) {
    clock.after(between(0.1, 1)) {
      if self.chance(self.faults.listFails) { return reply(false) }
      self.jobs[id]?.delete()
      reply(true)
    }
  }

  // MARK: Sync

  func sync(_ tree: SyncTree, reply: @escaping (SyncPostOutcome) -> Void) {
    clock.after(between(0.1, 1)) {
      self.nextRequest += 1
      let request = self.nextRequest
      self.syncs[request] = .waiting
      let length =
        self.chance(self.faults.syncSlow)
        ? self.between(20, self.faults.slowestSync) : self.between(0.5, 15)
      let fails = self.chance(self.faults.syncFails)
      self.copy(tree, over: length, until: fails ? self.between(0, length) : length)
      self.clock.after(length) {
        self.syncs[request] =
          fails
          ? (self.chance(0.5) ? .complete(result: "1") : .gone("error: parameter error"))
          : .complete(result: tree == .outputs && !self.home.hasOut ? "1" : "0")
      }
      if self.chance(self.faults.syncReplyLost) {
        self.clock.after(30) { reply(.failed("no reply")) }
      } else {
        reply(.accepted(request: request))
      }
    }
  }

  func look(at request: Int64, reply: @escaping (SyncState) -> Void) {
    clock.after(2) {
      if self.chance(self.faults.listFails) { return reply(.unseen) }
      reply(self.syncs[request] ?? .gone("error: no such ID"))
    }
  }

  /// Copies file by file over a while; what appears meanwhile may or may not be carried.
  private func copy(_ tree: SyncTree, over length: Double, until cut: Double) {
    func soon(_ body: @escaping () -> Void) {
      let time = between(0, length)
      if time <= cut { clock.after(time, body) }
    }
    switch tree {
    case .inputs:
      for script in bucket.scripts.sorted() {
        soon {
          guard self.bucket.scripts.contains(script) else { return }
          self.home.hasRoot = true
          self.home.scripts.insert(script)
        }
      }
    case .locks:
      for seal in bucket.seals.sorted() {
        soon {
          guard self.bucket.seals.contains(seal) else { return }
          // In a wiped home the sync makes the folders anew.
          self.home.hasRoot = true
          self.home.hasLocks = true
          self.home.locks.insert(seal)
          self.home.seals.insert(seal)
        }
      }
    case .outputs:
      if home.hasCanary { soon { if self.home.hasCanary { self.bucket.hasCanary = true } } }
      copyRecords(soon)
      // A second look, for what appeared since.
      let again = between(0, length)
      if again <= cut {
        clock.after(again) {
          self.copyRecords { body in if self.chance(0.5) { body() } }
        }
      }
    }
  }

  private func copyRecords(_ soon: (@escaping () -> Void) -> Void) {
    for (name, _) in home.claims.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      soon { if let claim = self.home.claims[name] { self.bucket.claims[name] = claim } }
    }
    for name in home.refusals.sorted(by: { "\($0)" < "\($1)" }) {
      soon { if self.home.refusals.contains(name) { self.bucket.refusals.insert(name) } }
    }
    for (name, _) in home.exits.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      soon { if let exit = self.home.exits[name] { self.bucket.exits[name] = exit } }
    }
    for (id, _) in home.files.sorted(by: { $0.key < $1.key }) {
      soon { if let data = self.home.files[id] { self.bucket.files[id] = data } }
    }
  }
}
