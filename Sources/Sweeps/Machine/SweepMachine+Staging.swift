extension SweepMachine {
  /// How many submissions may be ready before there is room for them.
  private var stageAhead: Int { min(max(2 * settings.maxQueued, 20), 2000) }

  /// NEW → PREPARED: a submission with a number and a name, durable before its files are put.
  mutating func prepare() {
    while uploading.count + uploaded.count + staging.count + staged.count < stageAhead {
      var attempts: [AttemptID] = []
      while attempts.count < settings.pack, let point = queue.pop() {
        if let id = openAttempt(of: point) { attempts.append(id) }
      }
      guard !attempts.isEmpty else { return }
      let number = record.submissions.count + 1
      record.submissions.append(SubmissionRecord(name: newName(), attempts: attempts))
      changed.submissions.insert(number)
      for id in attempts {
        update(attempt: id) {
          $0.phase = .submitted
          $0.submission = number
        }
      }
      uploading.insert(number)
      gate.add(.upload(submission: number))
    }
  }

  /// The attempt of a point that wants a submission; nil where it has got its verdict or its record
  /// in the meantime.
  private mutating func openAttempt(of point: Int) -> AttemptID? {
    guard record.points[point - 1].verdict == nil else { return nil }
    if record.points[point - 1].attempts.isEmpty {
      record.points[point - 1].attempts.append(AttemptRecord())
      changed.attempts.insert(AttemptID(point: point, number: 1))
    }
    let id = AttemptID(point: point, number: record.points[point - 1].attempts.count)
    guard record[attempt: id].phase == .new, evidence[id]?.exit == nil else { return nil }
    return id
  }

  /// A job name: ten characters, all that the list shows; unique in the journal and absent from the
  /// last list.
  private mutating func newName() -> String {
    let prefix = settings.namePrefix.prefix(3)
    while true {
      let name = prefix + random(10 - prefix.count)
      let isTaken = lastList?.values.contains { $0.name == name } ?? false
      if !isTaken, names.insert(String(name)).inserted { return String(name) }
    }
  }

  mutating func uploaded(_ number: Int, _ outcome: UploadOutcome) {
    guard uploading.remove(number) != nil,
      record.submissions[number - 1].phase == .prepared
    else { return }
    switch outcome {
    case .ready(let upload):
      update(submission: number) {
        $0.nodes = upload.nodes
        $0.elapse = upload.elapse
        $0.script = upload.script
      }
      // Its own name is durable before its POST; it changes only while nothing was posted.
      for id in record.submissions[number - 1].attempts
      where record[attempt: id].phase == .submitted && record[attempt: id].submission == number {
        if record[attempt: id].tag != upload.tags[id] {
          evidence[id] = nil
          update(attempt: id) { $0.tag = upload.tags[id] }
        }
      }
      uploaded.append(number)
    case .failed(let message):
      stop(.preparation(message))
    }
  }

  /// PREPARED → STAGED: one sync carries every script that was put before it was asked for.
  mutating func pumpInputs() {
    switch inputs.phase {
    case .idle where !uploaded.isEmpty:
      staging = uploaded
      uploaded = []
      postInputs()
    case .pausing(let until):
      if now >= until { postInputs() } else { wake(at: until) }
    default:
      break
    }
  }

  private mutating func postInputs() {
    inputs.phase = .posting
    inputs.posted += 1
    gate.add(.postSync(.inputs))
  }

  mutating func inputsComplete() {
    for number in staging where record.submissions[number - 1].phase == .prepared {
      update(submission: number) { $0.phase = .staged }
      staged.append(number)
    }
    staging = []
    inputs.phase = .idle
  }
}
