import ObjectStore
import SigV4

/// Renders the script of a submission and puts it, with what it needs, into the bucket.
struct SubmissionWriter: Sendable {
  /// One attempt of the submission.
  struct Part: Sendable {
    var id: AttemptID
    var point: SweepPoint
    /// The attempts before that ran and failed: the folder of one that succeeded is gone.
    var earlier: [AttemptName]
    /// What a retry said of its resources.
    var resources: Resources?

    /// What a script must know of an attempt.
    init(_ id: AttemptID, at point: SweepPoint, in record: SweepRecord) {
      self.id = id
      self.point = point
      let own = record.points[id.point - 1]
      earlier = []
      for (index, attempt) in own.attempts.prefix(id.number - 1).enumerated() {
        switch attempt.phase {
        case .closed(.exited) where attempt.cause != nil, .closed(.runLost):
          earlier.append(record.name(of: AttemptID(point: id.point, number: index + 1)))
        default: continue
        }
      }
      resources = own.resources.flatMap { Resources(json: $0) }
    }
  }

  /// What became of it.
  struct Written: Sendable {
    var script: String
    var upload: Upload
    /// What each point is prepared with.
    var definitions: [(point: Int, definition: String)]
  }

  let blueprint: SweepBlueprint
  let shell: SweepShell
  let stage: InputStage

  /// Puts script and inputs into the bucket.
  @concurrent
  func write(name: String, root: String, _ parts: [Part]) async throws -> Written {
    var inputs: [[SweepInput]] = []
    for part in parts { inputs.append(try await self.inputs(of: part.point)) }
    for own in inputs { try await stage.upload(own, root: root) }
    let written = try await render(name: name, root: root, parts, inputs)
    try await shell.store.put(
      Array(written.script.utf8), key: shell.key("\(root)/in/\(name)/run.sh"))
    return written
  }

  /// Digest of the script as it would be put into the bucket now.
  @concurrent
  func digest(name: String, root: String, _ parts: [Part]) async throws -> String {
    var inputs: [[SweepInput]] = []
    for part in parts { inputs.append(try await self.inputs(of: part.point)) }
    return try await render(name: name, root: root, parts, inputs).upload.script
  }

  private func render(
    name: String, root: String, _ parts: [Part], _ allInputs: [[SweepInput]]
  ) async throws -> Written {
    var attempts: [JobScript.Attempt] = []
    var definitions: [(point: Int, definition: String)] = []
    var all: [PJMDirectives] = []
    var tags: [AttemptID: String] = [:]
    for (part, inputs) in zip(parts, allInputs) {
      let digest = try await stage.digest(of: inputs)
      definitions.append((part.id.point, blueprint.definition(withInputs: digest)))
      let tag = blueprint.tag(of: part.point, withInputs: digest)
      tags[part.id] = tag
      let attempt = try blueprint.attempt(
        AttemptName(part.id, tag: tag), at: part.point, previous: part.earlier.last,
        earlier: part.earlier, inputs: try await stage.places(of: inputs))
      attempts.append(attempt)
      all.append(try await directives(of: part))
    }
    let (directives, elapse) = try Self.together(
      all, atOnce: blueprint.definition.pack.atOnce)
    let script = JobScript(
      name: name, root: root, directives: directives, elapse: elapse, keep: blueprint.keep,
      atOnce: blueprint.definition.pack.atOnce, attempts: attempts)
    let text = script.text
    return Written(
      script: text,
      upload: Upload(
        nodes: directives.nodes, elapse: elapse,
        script: SHA256.hexadecimal(of: Array(text.utf8)), tags: tags),
      definitions: definitions)
  }

  func inputs(of point: SweepPoint) async throws -> [SweepInput] {
    switch blueprint.definition.inputs {
    case .fixed(let inputs): inputs
    case .perPoint(let function): try await function(point)
    }
  }

  private func directives(of part: Part) async throws -> PJMDirectives {
    let resources: Resources
    switch blueprint.definition.resources {
    case .fixed(let fixed): resources = fixed
    case .perPoint(let function): resources = try await function(part.point, part.id.number)
    }
    var directives = try blueprint.directives(of: part.point, resources: resources)
    if let more = part.resources {
      do throws(ResourceError) {
        try directives.merge(more)
      } catch {
        throw SweepError(.definition, "retry: \(error)")
      }
    }
    return directives
  }

  /// The options of the job of some attempts: the most nodes of any, and for each round of attempts
  /// the longest limit; everything else must be alike. The limit is always said: leases are built on
  /// it, and a resource group may have another one for who says none.
  static func together(
    _ all: [PJMDirectives], atOnce: Int
  ) throws(SweepError) -> (PJMDirectives, elapse: Int) {
    guard var directives = all.first else { return (PJMDirectives(), ScriptLint.standardElapse) }
    let limits = all.map { $0.elapse ?? ScriptLint.standardElapse }
    let width = max(1, min(atOnce, all.count))
    let elapse = (all.count + width - 1) / width * (limits.max() ?? ScriptLint.standardElapse)
    let widest = all.max { $0.nodes < $1.nodes } ?? directives
    let wanted = Resources(
      node: all.count > 1 ? widest.nodeText : nil, elapse: min(elapse, Elapse.longest))
    func rest(_ directives: PJMDirectives) -> [String] {
      directives.lines.filter { !$0.hasPrefix("-L \"elapse=") && !$0.hasPrefix("-L \"node=") }
    }
    guard all.allSatisfy({ $0 == directives || rest($0) == rest(directives) }) else {
      throw SweepError(
        .definition, "points that share a job (pack) differ in more than nodes and elapse",
        hint: "Give them the same group, rscgrp, mpi and pjm lines, or pack = 1")
    }
    do throws(ResourceError) {
      try directives.merge(wanted)
    } catch {
      throw SweepError(.definition, "\(error)")
    }
    return (directives, wanted.elapse ?? elapse)
  }
}
