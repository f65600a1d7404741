/// A list of jobs as the site's `pjstat` shows it.
enum JobTable {
  /// A column of pjstat.
  private struct Shape {
    var header: String
    /// Names of the wire's field, all spellings (`api.md`, quirks).
    var fields: [String]
    var rank: Int
    var isRight = false
    /// Left out where no job has it.
    var isOptional = false
  }

  private static let shapes = [
    Shape(header: "JOB_ID", fields: ["job_id"], rank: 10),
    Shape(header: "JOB_NAME", fields: ["job_name", "jobfile"], rank: 8),
    Shape(header: "MD", fields: ["Fugaku:md"], rank: 1),
    // A job that was waited for has a state of ours, which says more.
    Shape(header: "ST", fields: ["state", "status"], rank: 9),
    Shape(header: "USER", fields: ["user"], rank: 3),
    Shape(header: "GROUP", fields: ["group"], rank: 0),
    Shape(header: "START_DATE", fields: ["start_date"], rank: 4),
    Shape(header: "ELAPSE_TIM", fields: ["elapsed_time", "elapse_time"], rank: 7),
    Shape(
      header: "ELAPSE_LIM", fields: ["Fugaku:elapsed_limit", "Fugaku:elapse_limit"], rank: 6),
    Shape(header: "NODE_REQUIRE", fields: ["node_require"], rank: 5),
    Shape(header: "RSC_GRP", fields: ["queue"], rank: 2),
    Shape(header: "SWEEP", fields: ["sweep"], rank: 7, isOptional: true),
    Shape(header: "POINT", fields: ["point"], rank: 7, isOptional: true),
  ]

  /// The wire's fields for each column, the first that a job has counts.
  static let groups: [[String]] = shapes.map(\.fields)

  /// The wire's fields that a row needs, in the order that `table(_:)` takes.
  static let fields: [String] = shapes.flatMap(\.fields)

  /// - Parameter rows: for each job the texts of ``fields``, empty where the job has none.
  static func table(_ rows: [[String]]) -> RecordTable {
    var first = 0
    return table(
      columns: shapes.map { shape in
        let places = first..<(first + shape.fields.count)
        first = places.upperBound
        return rows.map { row in places.lazy.map { row[$0] }.first { !$0.isEmpty } ?? "" }
      })
  }

  /// - Parameter columns: for each of ``groups`` the texts of all jobs, empty where a job has none.
  static func table(columns: [[String]]) -> RecordTable {
    let made = zip(shapes, columns).filter { shape, texts in
      !shape.isOptional || texts.contains { !$0.isEmpty }
    }.map { shape, texts in
      RecordTable.Column(
        header: shape.header,
        cells: texts.map {
          $0.isEmpty ? "-" : shape.header == "START_DATE" ? date($0) : $0
        },
        isRight: shape.isRight, rank: shape.rank, isState: shape.header == "ST")
    }
    return RecordTable(columns: made, summary: summary(made[3].cells))
  }

  /// `04/12 11:25:00` of `2021-04-12T11:25:00`, as pjstat prints it; other texts as they are.
  static func date(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.count == 19, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x54,
      bytes[13] == 0x3a
    else { return text }
    return String(
      decoding: [bytes[5], bytes[6], 0x2f, bytes[8], bytes[9], 0x20] + bytes[11...], as: UTF8.self)
  }

  /// `3 jobs: 1 RUN, 2 QUE`
  static func summary(_ states: [String]) -> String {
    var counts: [String: Int] = [:]
    for state in states { counts[state, default: 0] += 1 }
    let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value) \($0.key)" }
    return "\(states.count) job\(states.count == 1 ? "" : "s"): " + parts.joined(separator: ", ")
  }
}
