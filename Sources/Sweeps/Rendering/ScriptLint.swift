/// What can be known to be wrong with a rendered script before it is submitted.
public enum ScriptLint {
  /// Limits of a resource group that are known from public material (`api.md`, Limits seen).
  struct Limit {
    var nodes: ClosedRange<Int>
    var elapse: Int
  }

  static let limits = ["small": Limit(nodes: 1...384, elapse: 72 * 3600)]

  /// The elapse limit that PJM gives a job which asks for none, in seconds (`api.md`).
  public static let standardElapse = 60

  /// Every remark about a script and the options that its job will have.
  ///
  /// - Parameters:
  ///   - script: rendered.
  ///   - setup: what goes before it.
  ///   - directives: those of the job.
  public static func notes(
    script: String, setup: String = "", directives: PJMDirectives
  ) -> [ScriptNote] {
    var notes: [ScriptNote] = []
    func add(_ line: Int, _ severity: ScriptNote.Severity, _ message: String) {
      notes.append(ScriptNote(line: line, severity: severity, message: message))
    }
    let header = ScriptHeader(script)
    if script.allSatisfy(\.isWhitespace) { add(0, .error, "the script is empty") }
    if script.utf8.contains(0) { add(0, .error, "the script holds a NUL byte") }
    if script.utf8.contains(0x0d), script.contains("\r\n") {
      add(1, .error, "lines end in CR LF: the shell would take the CR for a part of each command")
    }
    notes += header.misplaced
    if !ScriptHeader(setup).directives.isEmpty {
      add(
        0, .warning, "#PJM in setup has no effect: it belongs into the script, or into resources")
    }
    notes += directives.notices
    if directives.elapse == nil {
      add(
        0, .warning,
        "no elapse limit: the job gets \(Elapse.spoken(standardElapse)); say resources.elapse")
    }
    notes += limits(of: directives)
    return notes
  }

  /// What a job asks for beyond the known limits of its resource group.
  static func limits(of directives: PJMDirectives) -> [ScriptNote] {
    var notes: [ScriptNote] = []
    func add(_ message: String) {
      notes.append(ScriptNote(line: 0, severity: .error, message: message))
    }
    if let group = directives.rscgrp, let limit = limits[group] {
      if !limit.nodes.contains(directives.nodes) {
        add(
          "\(directives.nodes) nodes: the resource group \(group) has "
            + "\(limit.nodes.lowerBound) to \(limit.nodes.upperBound)")
      }
      if let elapse = directives.elapse, elapse > limit.elapse {
        add(
          "elapse limit \(Elapse.text(elapse)): the resource group \(group) has at most "
            + Elapse.spoken(limit.elapse))
      }
    }
    return notes
  }
}
