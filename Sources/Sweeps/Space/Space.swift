/// A set of points in order, known by rule: any point is computed from its number, none is stored.
///
/// Counting never materialises: a grid of 10^9 points is one value of a few words.
public struct Space: Sendable {
  /// More points than this want a confirmation (``select(limit:where:order:)``).
  public static let confirmationLimit = 1_000_000

  /// Parameter names in the order of the axes.
  public let names: [String]
  /// Number of points.
  public let count: Int
  /// One line for people and for the journal: kind, axes and seed.
  public let summary: String

  private let rule: Rule

  private indirect enum Rule: Sendable {
    /// Every combination, the last axis fastest.
    case grid([[ParameterValue]])
    /// The values of each axis at the same position.
    case columns([[ParameterValue]])
    case rows([[ParameterValue]])
    case product([Space])
    case sample(Sample)
  }

  private init(names: [String], count: Int, summary: String, rule: Rule) throws(SpaceError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted { throw .repeatedName(name) }
    self.names = names
    self.count = count
    self.summary = summary
    self.rule = rule
  }

  /// Every combination of the values of the axes; axes in the order of their names, the last one
  /// fastest.
  public static func grid(_ axes: [String: [ParameterValue]]) throws(SpaceError) -> Space {
    let names = try checked(axes)
    let values = names.map { axes[$0] ?? [] }
    let text = Swift.zip(names, values).map { "\($0): \($1.count)" }.joined(separator: ", ")
    return try Space(
      names: names, count: product(values.map(\.count)), summary: "grid(\(text))",
      rule: .grid(values))
  }

  /// The first values of all axes, the second ones, and so on.
  public static func zip(_ axes: [String: [ParameterValue]]) throws(SpaceError) -> Space {
    let names = try checked(axes)
    let lengths = axes.mapValues(\.count)
    guard let count = lengths.values.first else { throw .empty("zip has no axes") }
    guard Set(lengths.values).count == 1 else { throw .lengths(lengths) }
    return try Space(
      names: names, count: count,
      summary: "zip(\(names.joined(separator: ", ")): \(count))",
      rule: .columns(names.map { axes[$0] ?? [] }))
  }

  /// Points one by one; every row has the same parameters.
  public static func list(_ rows: [[String: ParameterValue]]) throws(SpaceError) -> Space {
    guard let first = rows.first else { throw .empty("the list has no rows") }
    let names = first.keys.sorted()
    for name in names { try ParameterName.check(name) }
    var values: [[ParameterValue]] = []
    values.reserveCapacity(rows.count)
    for (index, row) in rows.enumerated() {
      if let extra = row.keys.sorted().first(where: { first[$0] == nil }) {
        throw .row(index + 1, name: extra)
      }
      var line: [ParameterValue] = []
      for name in names {
        guard let value = row[name] else { throw .row(index + 1, name: name) }
        guard value.isFinite else { throw .notFinite(name) }
        line.append(value)
      }
      values.append(line)
    }
    return try Space(
      names: names, count: rows.count,
      summary: "list(\(names.joined(separator: ", ")): \(rows.count))", rule: .rows(values))
  }

  /// Every combination of the points of some spaces, the last one fastest.
  public static func product(_ spaces: [Space]) throws(SpaceError) -> Space {
    guard !spaces.isEmpty else { throw .empty("product of no spaces") }
    return try Space(
      names: spaces.flatMap(\.names), count: product(spaces.map(\.count)),
      summary: "product(\(spaces.map(\.summary).joined(separator: ", ")))", rule: .product(spaces))
  }

  /// `count` points spread over the axes; axes in the order of their names.
  public static func sample(
    _ count: Int, _ axes: [String: SampleAxis], _ design: SampleDesign
  ) throws(SpaceError) -> Space {
    let names = axes.keys.sorted()
    guard count > 0 else { throw .empty("a sample of \(count) points") }
    guard !names.isEmpty else { throw .empty("a sample over no axes") }
    var ordered: [SampleAxis] = []
    for (name, axis) in axes.sorted(by: { $0.key < $1.key }) {
      try ParameterName.check(name)
      try axis.check(name)
      ordered.append(axis)
    }
    let kind: String
    switch design {
    case .random(let seed): kind = "random(\(count), seed \(seed)"
    case .latinHypercube(let seed): kind = "lhs(\(count), seed \(seed)"
    case .sobol(let seed):
      guard names.count <= Sobol.dimensions else {
        throw .axis(names[Sobol.dimensions], "is one too many: sobol has \(Sobol.dimensions) axes")
      }
      guard count <= Sobol.limit else { throw .tooMany(count: count, limit: Sobol.limit) }
      kind = "sobol(\(count)" + (seed.map { ", seed \($0)" } ?? "")
    }
    return try Space(
      names: names, count: count, summary: "\(kind): \(names.joined(separator: ", ")))",
      rule: .sample(Sample(count: count, axes: ordered, design: design)))
  }

  /// Each point `times` times, next to each other; the parameter `rep` counts from 1.
  public func repeated(_ times: Int) throws(SpaceError) -> Space {
    guard times >= 1 else { throw .axis("repeats", "must be at least 1, not \(times)") }
    guard times > 1 else { return self }
    guard times <= Series.limit else { throw .tooMany(count: nil, limit: Series.limit) }
    let axis = (1...Int64(times)).map(ParameterValue.integer)
    return try .product([self, .grid(["rep": axis])])
  }

  /// The point of a number from 0.
  ///
  /// - Precondition: `index` is in 0 ..< ``count``.
  public subscript(index: Int) -> Parameters {
    precondition((0..<count).contains(index), "no such point")
    var values: [ParameterValue] = []
    values.reserveCapacity(names.count)
    append(index, to: &values)
    return Parameters(names: names, values: values)
  }

  private func append(_ index: Int, to values: inout [ParameterValue]) {
    switch rule {
    case .grid(let axes):
      var stride = count
      var rest = index
      for axis in axes {
        stride /= axis.count
        values.append(axis[rest / stride])
        rest %= stride
      }
    case .columns(let axes):
      for axis in axes { values.append(axis[index]) }
    case .rows(let rows):
      values.append(contentsOf: rows[index])
    case .product(let spaces):
      var stride = count
      var rest = index
      for space in spaces {
        stride /= space.count
        space.append(rest / stride, to: &values)
        rest %= stride
      }
    case .sample(let sample):
      sample.append(index, to: &values)
    }
  }

  private static func checked(_ axes: [String: [ParameterValue]]) throws(SpaceError) -> [String] {
    let names = axes.keys.sorted()
    for name in names {
      try ParameterName.check(name)
      let values = axes[name] ?? []
      if values.isEmpty { throw .empty("the axis \"\(name)\" has no values") }
      guard values.allSatisfy(\.isFinite) else { throw .notFinite(name) }
    }
    return names
  }

  private static func product(_ counts: [Int]) throws(SpaceError) -> Int {
    var result = 1
    for count in counts {
      let (product, overflow) = result.multipliedReportingOverflow(by: count)
      if overflow { throw .tooMany(count: nil, limit: confirmationLimit) }
      result = product
    }
    return result
  }
}
