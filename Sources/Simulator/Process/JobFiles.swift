/// Where a job's output goes (`api.md`, Script): names relative to the working directory.
struct JobFiles: Sendable, Hashable {
  var output: String
  /// nil where it joins the output.
  var error: String?
  /// nil where no statistics are wanted.
  var statistics: String?

  init(job: Job, workFolder: String) {
    let directives = job.request.directives
    let stem = "\(job.request.name).\(job.id)"
    func whole(_ name: String) -> String { name.hasPrefix("/") ? name : workFolder + "/" + name }
    func place(_ given: String?, _ standard: String) -> String {
      whole(given.map { Self.expand($0, job: job) } ?? standard)
    }
    output = place(directives.output, stem + ".out")
    error = directives.joinsOutputs ? nil : place(directives.error, stem + ".err")
    if directives.statistics != .none {
      statistics = place(directives.statisticsPath, stem + ".stats")
    }
  }

  /// `%j` is the job's id, `%n` its name, `%%` a percent sign.
  private static func expand(_ name: String, job: Job) -> String {
    var result = ""
    var rest = name[...]
    while let character = rest.popFirst() {
      guard character == "%", let next = rest.first else {
        result.append(character)
        continue
      }
      switch next {
      case "j", "J": result += "\(job.id)"
      case "n", "N": result += job.request.name
      case "%": result += "%"
      default:
        result.append(character)
        continue
      }
      rest.removeFirst()
    }
    return result
  }
}
