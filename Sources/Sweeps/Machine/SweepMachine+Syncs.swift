extension SweepMachine {
  private func lane(_ tree: SyncTree) -> WritableKeyPath<SweepMachine, SyncLane> {
    switch tree {
    case .inputs: \.inputs
    case .locks: \.locks
    case .outputs: \.outputs
    }
  }

  /// A lost answer to a sync's POST is answered by another POST: without `delete` it is harmless.
  mutating func syncPosted(_ tree: SyncTree, _ outcome: SyncPostOutcome) {
    let lane = lane(tree)
    guard self[keyPath: lane].phase == .posting else { return }
    switch outcome {
    case .accepted(let request):
      self[keyPath: lane].requestFailures = 0
      self[keyPath: lane].phase = .polling(request: request, since: now)
      if tree == .locks { locksAccepted(request) }
      gate.add(.pollSync(tree, request: request))
    case .failed(let message):
      self[keyPath: lane].requestFailures += 1
      self[keyPath: lane].lastMessage = message
      self[keyPath: lane].phase = .pausing(until: now + pause(self[keyPath: lane].requestFailures))
      stopIfHopeless(tree)
    }
  }

  mutating func syncSeen(_ tree: SyncTree, _ request: Int64, _ state: SyncState) {
    let lane = lane(tree)
    guard case .polling(request, let since) = self[keyPath: lane].phase else { return }
    switch state {
    case .waiting, .unseen:
      if now - since >= settings.timing.syncPatience {
        failed(tree, request, "still waiting after \(settings.timing.syncPatience)")
      } else {
        gate.add(.pollSync(tree, request: request))
      }
    case .complete("0"):
      self[keyPath: lane].failures = 0
      switch tree {
      case .inputs: inputsComplete()
      case .locks: locksComplete(request)
      case .outputs: outputsComplete()
      }
    case .complete(let result):
      failed(tree, request, "result \(result)")
    case .gone(let message):
      failed(tree, request, message)
    }
  }

  private mutating func failed(_ tree: SyncTree, _ request: Int64, _ message: String) {
    let lane = lane(tree)
    self[keyPath: lane].failures += 1
    self[keyPath: lane].lastMessage = message
    let until = now + pause(self[keyPath: lane].failures)
    switch tree {
    case .inputs: inputs.phase = .pausing(until: until)
    case .locks:
      locksFailed(request)
      sealsPausedUntil = until
    case .outputs: outputsFailed()
    }
    stopIfHopeless(tree)
  }

  /// Grows from the pause before a retry to the interval of syncs back.
  func pause(_ failures: Int) -> Duration {
    min(settings.timing.retryPause * (1 << min(failures - 1, 6)), settings.timing.syncInterval)
  }

  private mutating func stopIfHopeless(_ tree: SyncTree) {
    let lane = self[keyPath: lane(tree)]
    // A wiped home fails every sync back, and is told from a passing trouble only once its jobs
    // have been absent for long enough to be sealed.
    if lane.failures >= (tree == .outputs ? 60 : 20) || lane.requestFailures >= 20 {
      stop(.sync(tree, lane.lastMessage))
    }
  }
}
