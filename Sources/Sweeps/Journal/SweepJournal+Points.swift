/// A point as a sweep defines it.
public struct PointDefinition: Sendable, Hashable {
  /// Number from 1, for good; the journal gives it to a new point.
  public var number: Int
  /// Folder of its outputs and name in tables; unique in the sweep.
  public var name: String
  public var parameters: Parameters
  /// Digest of script, inputs and version that it last ran with; nil before.
  public var definition: String?
  /// The one under which its user has kept its result though it ran with another.
  public var kept: String?

  public init(
    number: Int = 0, name: String, parameters: Parameters, definition: String? = nil,
    kept: String? = nil
  ) {
    self.number = number
    self.name = name
    self.parameters = parameters
    self.definition = definition
    self.kept = kept
  }
}

/// What was last said of the sweep as a whole.
public struct RecordedDefinition: Sendable, Hashable {
  /// Kind, axes and seed of the space.
  public var space: String
  /// Digest of script, inputs and version.
  public var digest: String
  /// The script, to show what changed.
  public var source: String?
  /// The version, and a line `DIGEST NAME` for each input that all points share; nil where they are
  /// not known.
  public var version: String?
  public var inputs: String?

  public init(
    space: String, digest: String, source: String?, version: String? = nil, inputs: String? = nil
  ) {
    self.space = space
    self.digest = digest
    self.source = source
    self.version = version
    self.inputs = inputs
  }
}

extension SweepJournal {
  /// Makes the space of this run the journal's: known points keep their numbers, new ones are
  /// added, those that are no longer in it stay as what they are, but no members.
  ///
  /// - Parameter points: the parameters, in the order of the space; none twice.
  /// - Throws: ``JournalError``.
  public func register(points: [Parameters]) throws(JournalError) {
    var known: [String: (number: Int, position: Int, isMember: Bool)] = [:]
    var asked: Set<Int> = []
    var names: Set<String> = []
    var last = 0
    try checked { () throws(SQLiteFailure) in
      try database.rows("SELECT key, point, position, member, name, asked FROM points") { row in
        let number = row[1].int ?? 0
        if row[5].int == 1 { asked.insert(number) }
        known[row[0].text ?? ""] = (number, row[2].int ?? 0, row[3].int == 1)
        names.insert(row[4].text ?? "")
        last = max(last, number)
      }
    }
    try transaction { () throws(SQLiteFailure) in
      for (position, parameters) in points.enumerated() {
        let key = parameters.encoded
        if let (number, before, isMember) = known.removeValue(forKey: key) {
          if before != position || !isMember {
            try database.run(
              "UPDATE points SET position = ?, member = 1 WHERE point = ?",
              [.init(position), .init(number)])
          }
          continue
        }
        last += 1
        var name = parameters.names.isEmpty ? "run" : parameters.label
        if !names.insert(name).inserted {
          name += "#\(last)"
          names.insert(name)
        }
        try database.run(
          "INSERT INTO points (point, name, key, parameters, position) VALUES (?, ?, ?, ?, ?)",
          [
            .init(last), .text(name), .text(key), .text(ParameterJSON.text(parameters)),
            .init(position),
          ])
      }
      for (number, _, isMember) in known.values where isMember && !asked.contains(number) {
        try database.run("UPDATE points SET member = 0 WHERE point = ?", [.init(number)])
      }
    }
  }

  /// Makes a point that was asked for by itself a member; gives its number.
  func ask(for parameters: Parameters) throws(JournalError) -> Int {
    if let number = try number(of: parameters) {
      try transaction { () throws(SQLiteFailure) in
        try database.run(
          "UPDATE points SET asked = 1, member = 1 WHERE point = ? AND (asked = 0 OR member = 0)",
          [.init(number)])
      }
      return number
    }
    var number = 0
    try transaction { () throws(SQLiteFailure) in
      number = (try database.value("SELECT max(point) FROM points")?.int ?? 0) + 1
      var name = parameters.names.isEmpty ? "run" : parameters.label
      let isTaken = try database.value("SELECT 1 FROM points WHERE name = ?", [.text(name)]) != nil
      if isTaken { name += "#\(number)" }
      try database.run(
        """
        INSERT INTO points (point, name, key, parameters, position, asked)
        VALUES (?, ?, ?, ?, ?, 1)
        """,
        [
          .init(number), .text(name), .text(parameters.encoded),
          .text(ParameterJSON.text(parameters)), .init(number - 1),
        ])
    }
    return number
  }

  func isOpen(_ number: Int) throws(JournalError) -> Bool {
    try checked { () throws(SQLiteFailure) in
      try database.value(
        "SELECT 1 FROM points WHERE point = ? AND verdict IS NULL", [.init(number)]) != nil
    }
  }

  /// One point; nil for a number that is none.
  func point(_ number: Int) throws(JournalError) -> PointDefinition? {
    var point: PointDefinition?
    let names = ParameterJSON.Names()
    try checked { () throws(SQLiteFailure) in
      try database.rows(
        "SELECT name, parameters, definition FROM points WHERE point = ?", [.init(number)]
      ) {
        point = PointDefinition(
          number: number, name: $0[0].text ?? "",
          parameters: ParameterJSON.parameters($0[1].text ?? "{}", names), definition: $0[2].text)
      }
    }
    return point
  }

  /// What a result function gave when it ran again.
  func keep(
    results: [Int: (result: String?, error: String?)]
  ) throws(JournalError) {
    try transaction { () throws(SQLiteFailure) in
      for (number, value) in results {
        try database.run(
          "UPDATE points SET result = ?, result_error = ? WHERE point = ?",
          [.init(value.result), .init(value.error), .init(number)])
      }
    }
  }

  /// Every point, by its number.
  public func definitions() throws(JournalError) -> [PointDefinition] {
    var points: [PointDefinition] = []
    let names = ParameterJSON.Names()
    try checked { () throws(SQLiteFailure) in
      try database.rows(
        "SELECT point, name, parameters, definition, kept FROM points ORDER BY point"
      ) {
        points.append(
          PointDefinition(
            number: $0[0].int ?? 0, name: $0[1].text ?? "",
            parameters: ParameterJSON.parameters($0[2].text ?? "{}", names),
            definition: $0[3].text, kept: $0[4].text))
      }
    }
    return points
  }

  /// The members in the order of the space: their numbers.
  public func order() throws(JournalError) -> [Int] {
    var numbers: [Int] = []
    try checked { () throws(SQLiteFailure) in
      try database.rows("SELECT point FROM points WHERE member = 1 ORDER BY position, point") {
        numbers.append($0[0].int ?? 0)
      }
    }
    return numbers
  }

  /// Notes what points are about to run with, or have run with.
  public func note(definition: String, of points: [Int]) throws(JournalError) {
    try transaction { () throws(SQLiteFailure) in
      for number in points {
        try database.run(
          "UPDATE points SET definition = ? WHERE point = ?", [.text(definition), .init(number)])
      }
    }
  }

  /// Notes that results are kept under another definition than they came about with.
  func keep(resultsUnder definitions: [Int: String]) throws(JournalError) {
    try transaction { () throws(SQLiteFailure) in
      for (number, definition) in definitions {
        try database.run(
          "UPDATE points SET kept = ? WHERE point = ?", [.text(definition), .init(number)])
      }
    }
  }

  /// What was last said of the sweep.
  public func definition() throws(JournalError) -> RecordedDefinition? {
    var result: RecordedDefinition?
    try checked { () throws(SQLiteFailure) in
      try database.rows("SELECT space, definition, source, version, inputs FROM sweep") {
        result = RecordedDefinition(
          space: $0[0].text ?? "", digest: $0[1].text ?? "", source: $0[2].text,
          version: $0[3].text, inputs: $0[4].text)
      }
    }
    return result
  }

  /// Keeps what is said of the sweep now.
  public func keep(_ definition: RecordedDefinition) throws(JournalError) {
    try transaction { () throws(SQLiteFailure) in
      try database.run(
        "UPDATE sweep SET space = ?, definition = ?, source = ?, version = ?, inputs = ?",
        [
          .text(definition.space), .text(definition.digest), .init(definition.source),
          .init(definition.version), .init(definition.inputs),
        ])
    }
  }
}
