import JSON
import SigV4

/// A definition that was read and checked: its templates, and the digest of what all points share.
struct SweepBlueprint: Sendable {
  let definition: SweepDefinition
  /// How much faster than real the simulator is that runs it; nil for a real machine.
  let simulatedSpeed: Double?
  /// The script, nil for one that is on the machine.
  let script: Template?
  let setup: String
  let outputs: [(pattern: Template, isRequired: Bool)]
  let workFolder: Template?
  /// Names of the parameters.
  let names: [String]
  /// Digest of script, markers and version: with the inputs' digest the identity of what runs.
  let digest: String
  /// The lines that hold directives, where these differ from point to point.
  let variableHeader: Template?
  /// What the templates of the real script and its surroundings use.
  private let usedNames: Set<String>

  init(_ definition: SweepDefinition, simulatedSpeed: Double?) throws(SweepError) {
    self.definition = definition
    self.simulatedSpeed = simulatedSpeed
    let isSimulated = simulatedSpeed != nil
    names = definition.points.first?.names ?? definition.parameterNames
    try Self.check(name: definition.name)
    do {
      let markers = definition.script.markers
      var text: String?
      if let standIn = definition.standIn, isSimulated {
        text = standIn.text
      } else if case .text(let own) = definition.script.body {
        text = own
      }
      if let text, definition.script.isTemplate {
        script = try Template(text, source: definition.script.source, markers: markers)
      } else {
        script = text.map { Template(literal: $0, source: definition.script.source) }
      }
      setup = isSimulated ? "" : definition.setup
      outputs = try definition.outputs.map {
        (try Template($0.pattern, source: "outputs", markers: markers), $0.isRequired)
      }
      workFolder = try definition.workFolder.map {
        try Template($0, source: "workdir", markers: markers)
      }
      for template in [script, workFolder].compactMap(\.self) + outputs.map(\.pattern) {
        try template.check(known: names)
      }
      usedNames = try Self.usedNames(definition).union(
        ([script, workFolder].compactMap(\.self) + outputs.map(\.pattern)).flatMap(\.names))
      let header = Self.header(of: text ?? "")
      let headerTemplate = try Template(
        header, source: definition.script.source, markers: markers)
      variableHeader = headerTemplate.names.isEmpty ? nil : headerTemplate
    } catch let error as TemplateError {
      throw SweepError(.definition, error.description)
    } catch {
      throw SweepError(.definition, "\(error)")
    }
    digest = Self.digest(definition)
  }

  /// The lines before the first command, which may hold directives.
  private static func header(of text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { $0.hasPrefix("#PJM") }.joined(separator: "\n")
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
    do throws(TemplateError) {
      var program = JobScript.Program.text("")
      if let script {
        program = .text(
          pause + (try script.render { value($0, of: point, attempt: id, previous: previous) }))
      } else if case .remote(let path) = definition.script.body {
        program = .remote(path)
      }
      var patterns: [JobScript.Output] = []
      for output in outputs {
        patterns.append(
          JobScript.Output(
            try output.pattern.render { point.parameters[$0] ?? builtIn($0, point) },
            isRequired: output.isRequired))
      }
      let folder = try workFolder?.render { point.parameters[$0] ?? builtIn($0, point) }
      if let folder, !OutputName.isInside(folder) {
        throw TemplateError(
          source: "workdir",
          problems: [.init(line: 1, message: "\"\(folder)\" is no folder within home")])
      }
      return JobScript.Attempt(
        id: id, program: program,
        environment: zip(point.parameters.names, point.parameters.values).map { ($0, $1.text) },
        inputs: inputs, outputs: patterns, workFolder: folder, earlier: earlier)
    } catch {
      throw SweepError(.definition, "point \(point.parameters): \(error)")
    }
  }

  /// The stand-in's time, on the faster clock of the simulator.
  private var pause: String {
    guard let speed = simulatedSpeed, let seconds = definition.standIn?.seconds, seconds > 0 else {
      return ""
    }
    return "#!/bin/sh\nsleep \(NumberFormat.text(seconds / speed, "%.3f"))\n"
  }

  /// `none` would take away what `{{previous}}` names.
  var keep: JobScript.Keep {
    script?.names.contains("previous") == true && definition.keep == .none
      ? .failed : definition.keep
  }

  /// The options of a point's job: those of its script, and over them its resources.
  func directives(
    of point: SweepPoint, script text: String?, resources: Resources
  ) throws(SweepError) -> PJMDirectives {
    do throws(ResourceError) {
      var directives = try PJMDirectives(script: text ?? "")
      try directives.merge(resources)
      return directives
    } catch {
      let source = definition.script.source.isEmpty ? "script" : definition.script.source
      throw SweepError(.definition, "\(source): \(error)")
    }
  }

  /// The script's directives at a point, without rendering all of it.
  func header(of point: SweepPoint) throws(SweepError) -> String {
    guard let variableHeader else { return script?.literalText ?? "" }
    do throws(TemplateError) {
      return try variableHeader.render { point.parameters[$0] ?? builtIn($0, point) }
    } catch {
      throw SweepError(.definition, "point \(point.parameters): \(error)")
    }
  }

  // MARK: Unused names

  private static func usedNames(_ definition: SweepDefinition) throws(TemplateError) -> Set<String>
  {
    var names = ShellText.variables(in: definition.setup)
    guard case .text(let text) = definition.script.body else { return names }
    names.formUnion(ShellText.variables(in: text))
    if definition.script.isTemplate {
      names.formUnion(try Template(text, markers: definition.script.markers).names)
    }
    return names
  }

  /// Parameters that neither a template, nor the shell, nor a function of the point uses.
  func unusedNames() -> [String] {
    guard case .text = definition.script.body else { return [] }
    let used = usedNames.union(definition.unused).union(definition.namesRead())
    return names.filter { !used.contains($0) && $0 != "rep" }
  }
}
