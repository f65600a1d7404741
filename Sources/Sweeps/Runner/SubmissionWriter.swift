import ObjectStore

/// Renders the script of a submission and puts it, with what it needs, into the bucket.
struct SubmissionWriter: Sendable {
  /// One attempt of the submission.
  struct Part: Sendable {
    var id: AttemptID
    var point: SweepPoint
    /// The last attempt before that ran, and all of those.
    var previous: AttemptID?
    var earlier: [AttemptID]
    /// What a retry said of its resources.
    var resources: Resources?
  }

  /// What became of it.
  struct Written: Sendable {
    var nodes: Int
    var elapse: Int
    /// What each point is prepared with.
    var definitions: [(point: Int, definition: String)]
  }

  let blueprint: SweepBlueprint
  let shell: SweepShell
  let stage: InputStage

  @concurrent
  func write(name: String, root: String, _ parts: [Part]) async throws -> Written {
    var attempts: [JobScript.Attempt] = []
    var definitions: [(point: Int, definition: String)] = []
    var all: [PJMDirectives] = []
    for part in parts {
      let inputs = try await inputs(of: part.point)
      let staged = try await stage.stage(inputs, root: root)
      definitions.append(
        (part.id.point, blueprint.definition(withInputs: try await stage.digest(of: inputs))))
      let attempt = try blueprint.attempt(
        part.id, at: part.point, previous: part.previous, earlier: part.earlier, inputs: staged)
      attempts.append(attempt)
      all.append(try await directives(of: part, attempt))
    }
    let (directives, elapse) = try Self.together(
      all, atOnce: blueprint.definition.pack.atOnce)
    let script = JobScript(
      name: name, root: root, directives: directives, elapse: elapse, setup: blueprint.setup,
      keep: blueprint.keep, atOnce: blueprint.definition.pack.atOnce, attempts: attempts)
    try await shell.store.put(
      Array(script.text.utf8), key: shell.key("\(root)/in/\(name)/run.sh"))
    return Written(nodes: directives.nodes, elapse: elapse, definitions: definitions)
  }

  func inputs(of point: SweepPoint) async throws -> [SweepInput] {
    switch blueprint.definition.inputs {
    case .fixed(let inputs): inputs
    case .perPoint(let function): try await function(point)
    }
  }

  private func directives(
    of part: Part, _ attempt: JobScript.Attempt
  ) async throws -> PJMDirectives {
    let resources: Resources
    switch blueprint.definition.resources {
    case .fixed(let fixed): resources = fixed
    case .perPoint(let function): resources = try await function(part.point, part.id.number)
    }
    var text: String?
    if case .text(let script) = attempt.program { text = script }
    var directives = try blueprint.directives(of: part.point, script: text, resources: resources)
    if let more = part.resources {
      do throws(ResourceError) {
        try directives.merge(more)
      } catch {
        throw SweepError(.definition, "retry: \(error)")
      }
    }
    return directives
  }

  /// The options of a job that several attempts share: the most nodes of any, and for each round of
  /// attempts the longest limit; everything else must be alike.
  static func together(
    _ all: [PJMDirectives], atOnce: Int
  ) throws(SweepError) -> (PJMDirectives, elapse: Int) {
    guard var directives = all.first else { return (PJMDirectives(), ScriptLint.standardElapse) }
    let limits = all.map { $0.elapse ?? ScriptLint.standardElapse }
    guard all.count > 1 else { return (directives, limits[0]) }
    let width = max(1, min(atOnce, all.count))
    let elapse = (all.count + width - 1) / width * (limits.max() ?? ScriptLint.standardElapse)
    let widest = all.max { $0.nodes < $1.nodes } ?? directives
    let wanted = Resources(node: widest.nodeText, elapse: min(elapse, Elapse.longest))
    func rest(_ directives: PJMDirectives) -> [String] {
      directives.lines.filter { !$0.hasPrefix("-L \"elapse=") && !$0.hasPrefix("-L \"node=") }
    }
    guard all.allSatisfy({ rest($0) == rest(directives) }) else {
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
