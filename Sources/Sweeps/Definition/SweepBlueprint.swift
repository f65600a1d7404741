import JSON
import SigV4

/// A definition that was read and checked: its templates, and the digest of what all points share.
struct SweepBlueprint: Sendable {
  let definition: SweepDefinition
  /// How much faster than real the simulator is that runs it; nil for a real machine.
  let simulatedSpeed: Double?
  /// What runs: the script or, on the simulator, its stand-in; nil for one that is on the machine.
  private let program: Template?
  /// The script itself, nil for one that is on the machine.
  private let script: Template?
  /// Text before each script; checked on the simulator too, where it is skipped.
  private let setup: Template
  private let outputs: [(pattern: Template, isRequired: Bool)]
  private let workFolder: Template?
  /// Names of the parameters.
  let names: [String]
  /// Digest of script, markers and version: with the inputs' digest the identity of what runs.
  let digest: String
  /// The script's lines before its first command, which hold its directives.
  private let head: Template
  /// The directives, where these are the same for all points.
  private let fixedDirectives: PJMDirectives?
  /// What the templates use, and the script and its setup as variables.
  private let usedNames: Set<String>
  /// What the values of the points must suit.
  private let demands: Set<Template.Demand>

  init(_ definition: SweepDefinition, simulatedSpeed: Double?) throws(SweepError) {
    self.definition = definition
    self.simulatedSpeed = simulatedSpeed
    names = definition.points.first?.names ?? definition.parameterNames
    try Self.check(name: definition.name)
    if case .remote(let path) = definition.script.body {
      guard OutputName.isInside(path), !path.hasPrefix("~") else {
        throw SweepError(
          .argument,
          "remote = \"\(path)\" is no file within home: it is relative to that, as jobs/run.sh")
      }
    }
    for name in definition.unused.sorted() where !names.isEmpty && !names.contains(name) {
      let near = nearest(to: name, among: Set(names)).map { ": did you mean \($0)?" } ?? ""
      throw SweepError(.argument, "unused: the sweep has no parameter \(name)\(near)")
    }
    do {
      let own = definition.script
      func template(_ text: String, _ source: String) throws(TemplateError) -> Template {
        own.isTemplate
          ? try Template(text, source: source, markers: own.markers)
          : Template(literal: text, source: source)
      }
      script = try own.text.map { try template($0, own.source) }
      if let standIn = definition.standIn, simulatedSpeed != nil {
        program = try template(standIn.text, "sim.run")
      } else {
        program = script
      }
      setup = try template(definition.setup, "setup")
      outputs = try definition.outputs.map {
        (try Template($0.pattern, source: "outputs", markers: own.markers), $0.isRequired)
      }
      workFolder = try definition.workFolder.map {
        try Template($0, source: "workdir", markers: own.markers)
      }
      let places = [script, setup, workFolder].compactMap(\.self) + outputs.map(\.pattern)
      let all = places + [program].compactMap(\.self)
      // Where points come by eval alone, the first one tells their names.
      let isOpen = definition.points.isEmpty && names.isEmpty
      for template in all where !isOpen { try template.check(known: names) }
      demands = all.reduce(into: []) { $0.formUnion($1.demands) }
      usedNames = places.reduce(
        into: ShellText.variables(in: definition.setup + "\n" + (own.text ?? ""))
      ) { $0.formUnion($1.names) }
      let head = ScriptHeader.text(of: own.text ?? "")
      self.head = try template(head, own.source)
      fixedDirectives = self.head.names.isEmpty ? try PJMDirectives(script: head) : nil
    } catch let error as TemplateError {
      throw SweepError(.definition, error.description)
    } catch let error as ResourceError {
      throw Self.error(error, in: definition)
    } catch {
      throw SweepError(.definition, "\(error)")
    }
    digest = Self.digest(definition)
  }

  private static func check(name: String) throws(SweepError) {
    let isPlain = name.utf8.allSatisfy {
      ParameterName.isIdentifierByte($0) || $0 == 0x2d || $0 == 0x2e
    }
    guard !name.isEmpty, isPlain, name.utf8.first != 0x2e, name.utf8.count <= 64 else {
      throw SweepError(
        .argument,
        "a sweep cannot be called \"\(name)\": letters, digits, _, - and . make a name, at most 64, "
          + "and the first is no dot")
    }
    guard !name.hasSuffix(".sim") else {
      throw SweepError(
        .argument,
        "a sweep cannot be called \"\(name)\": simulated runs of another sweep end in .sim")
    }
  }

  private static func digest(_ definition: SweepDefinition) -> String {
    var hash = SHA256()
    func add(_ text: String) { hash.update(Array("\(text.utf8.count):\(text)\n".utf8)) }
    switch definition.script.body {
    case .text(let text): add("text \(text)")
    case .remote(let path): add("remote \(path)")
    }
    let markers = definition.script.markers
    add(definition.script.isTemplate ? "\(markers.open) \(markers.close)" : "")
    add(definition.version)
    return Hexadecimal.text(hash.digest())
  }

  /// What runs at a point besides its parameters: equal for equal script, version and inputs.
  func definition(withInputs inputs: String) -> String {
    inputs.isEmpty ? digest : SHA256.hexadecimal(of: Array("\(digest) \(inputs)".utf8))
  }

  /// The tag of the names of a point's attempts: what they are and run, and what they leave. Equal
  /// for every journal that would run the same, so that copies share a lock for the same program and
  /// never for another one.
  func tag(of point: SweepPoint, withInputs inputs: String) -> String {
    var hash = SHA256()
    func add(_ text: String) { hash.update(Array("\(text.utf8.count):\(text)\n".utf8)) }
    add(point.parameters.encoded)
    add(definition(withInputs: inputs))
    for output in definition.outputs { add("\(output.isRequired) \(output.pattern)") }
    add(definition.workFolder ?? "")
    if simulatedSpeed != nil { add(definition.standIn?.text ?? "") }
    return String(Hexadecimal.text(hash.digest()).prefix(12))
  }

  // MARK: Rendering

  /// The values of a point's places.
  func value(
    _ name: String, of point: SweepPoint, attempt: AttemptName, previous: AttemptName?
  ) -> ParameterValue? {
    switch name {
    case "point": .integer(Int64(point.number))
    case "dir": .string(folder(point, attempt))
    case "previous":
      .string(previous.map { folder(point, $0) } ?? "")
    default: point.parameters[name]
    }
  }

  /// Where an attempt runs, with the root's token for what only the job knows.
  private func folder(_ point: SweepPoint, _ attempt: AttemptName) -> String {
    if let own = try? workFolder?.render({ point.parameters[$0] ?? builtIn($0, point) }) {
      return "\(JobScript.rootToken)/../../\(own)"
    }
    return JobScript.folder(of: attempt)
  }

  private func builtIn(_ name: String, _ point: SweepPoint) -> ParameterValue? {
    name == "point" ? .integer(Int64(point.number)) : nil
  }

  /// The attempt's part of a job script.
  func attempt(
    _ id: AttemptName, at point: SweepPoint, previous: AttemptName?, earlier: [AttemptName],
    inputs: [JobScript.Input]
  ) throws(SweepError) -> JobScript.Attempt {
    let value = { (name: String) in
      self.value(name, of: point, attempt: id, previous: previous)
    }
    do throws(TemplateError) {
      var program = JobScript.Program.text("")
      if let text = self.program {
        program = .text(try text.render(value))
      } else if case .remote(let path) = definition.script.body {
        program = .remote(path)
      }
      return JobScript.Attempt(
        id: id, setup: simulatedSpeed == nil ? try setup.render(value) : pause, program: program,
        environment: zip(point.parameters.names, point.parameters.values).map { ($0, $1.text) },
        inputs: inputs, outputs: try outputs(of: point), workFolder: try workFolder(of: point),
        earlier: earlier)
    } catch {
      throw SweepError(.definition, "\(point.parameters.heading)\(error)")
    }
  }

  private func outputs(of point: SweepPoint) throws(TemplateError) -> [JobScript.Output] {
    var patterns: [JobScript.Output] = []
    for output in outputs {
      var pattern = try output.pattern.render { point.parameters[$0] ?? builtIn($0, point) }
      while pattern.hasPrefix("./") { pattern.removeFirst(2) }
      guard !pattern.utf8.contains(0x0a),
        OutputName.isInside(pattern.hasSuffix("/") ? pattern.dropLast() : pattern[...])
      else {
        throw TemplateError(
          source: "outputs",
          problems: [.init(line: 1, message: "\"\(pattern)\" is no name within the work folder")])
      }
      patterns.append(JobScript.Output(pattern, isRequired: output.isRequired))
    }
    return patterns
  }

  private func workFolder(of point: SweepPoint) throws(TemplateError) -> String? {
    guard let folder = try workFolder?.render({ point.parameters[$0] ?? builtIn($0, point) })
    else { return nil }
    guard OutputName.isInside(folder), !folder.hasPrefix("~") else {
      throw TemplateError(
        source: "workdir",
        problems: [
          .init(
            line: 1,
            message: "\"\(folder)\" is no folder within home: it is relative to that, as work/run")
        ])
    }
    return folder
  }

  /// Refuses values that a template cannot take, without rendering what only has to be right.
  func check(_ point: SweepPoint) throws(SweepError) {
    for demand in demands {
      guard let value = point.parameters[demand.name], !demand.accepts(value) else { continue }
      // The message is that of whichever template it is.
      let id = AttemptName(AttemptID(point: max(point.number, 1), number: 1))
      _ = try attempt(id, at: point, previous: nil, earlier: [], inputs: [])
    }
    do throws(TemplateError) {
      if workFolder?.names.isEmpty == false { _ = try workFolder(of: point) }
      if outputs.contains(where: { !$0.pattern.names.isEmpty }) { _ = try outputs(of: point) }
    } catch {
      throw SweepError(.definition, "\(point.parameters.heading)\(error)")
    }
  }

  /// What can be told about a point's script and setup before it is submitted; its program's name
  /// stands before what has a line.
  func notes(_ point: SweepPoint, _ directives: PJMDirectives) throws(SweepError) -> [ScriptNote] {
    var notes: [ScriptNote] = []
    // Their files would mix; {{point}} and parameters keep them apart.
    if let workFolder, workFolder.names.isEmpty, definition.points.count > 1 {
      notes.append(
        ScriptNote(
          line: 0, severity: .warning,
          message: "every point runs in the same workdir: say for instance "
            + "\(definition.workFolder ?? "")/\(workFolder.markers.open)point\(workFolder.markers.close)"
        ))
    }
    guard let script else { return notes }
    let id = AttemptName(AttemptID(point: max(point.number, 1), number: 1))
    let value = { (name: String) in self.value(name, of: point, attempt: id, previous: nil) }
    do throws(TemplateError) {
      return notes
        + ScriptLint.notes(
          script: try script.render(value), setup: try setup.render(value), directives: directives)
    } catch {
      throw SweepError(.definition, "\(point.parameters.heading)\(error)")
    }
  }

  /// The stand-in's time, on the faster clock of the simulator.
  private var pause: String {
    guard let speed = simulatedSpeed, let seconds = definition.standIn?.seconds, seconds > 0 else {
      return ""
    }
    return "sleep \(NumberFormat.text(seconds / speed, "%.3f"))\n"
  }

  /// `none` would take away what `{{previous}}` names.
  var keep: JobScript.Keep {
    [program, setup].contains { $0?.names.contains("previous") == true }
      && definition.keep == .none ? .failed : definition.keep
  }

  /// The options of a point's job: those of its script, and over them its resources.
  func directives(
    of point: SweepPoint, resources: Resources
  ) throws(SweepError) -> PJMDirectives {
    do {
      var directives: PJMDirectives
      if let fixedDirectives {
        directives = fixedDirectives
      } else {
        directives = try PJMDirectives(
          script: try head.render { point.parameters[$0] ?? builtIn($0, point) })
      }
      try directives.merge(resources)
      return directives
    } catch let error as ResourceError {
      let heading = hasOwnDirectives ? point.parameters.heading : ""
      throw Self.error(error, in: definition, heading)
    } catch {
      throw SweepError(.definition, "\(point.parameters.heading)\(error)")
    }
  }

  private static func error(
    _ error: ResourceError, in definition: SweepDefinition, _ heading: String = ""
  ) -> SweepError {
    let source = definition.script.source.isEmpty ? "script" : definition.script.source
    return SweepError(.definition, heading + (error.isOfScript ? "\(source): " : "") + "\(error)")
  }

  /// Whether points may ask for different things.
  private var hasOwnDirectives: Bool {
    if case .perPoint = definition.resources { return true }
    return fixedDirectives == nil
  }

  /// True where points differ in more of their directives than their resources say.
  var hasDirectivesOfPoints: Bool { fixedDirectives == nil }

  // MARK: Unused names

  /// Parameters that neither a template, nor the shell, nor a function of the point uses.
  func unusedNames() -> [String] {
    guard case .text = definition.script.body else { return [] }
    let used = usedNames.union(definition.unused).union(definition.namesRead())
    return names.filter { !used.contains($0) && $0 != "rep" }
  }
}
