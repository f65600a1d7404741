extension Space {
  /// The points that a sweep runs: those that pass the filter, in the order asked for.
  ///
  /// - Parameters:
  ///   - limit: refuse a space of more points, before any is computed; nil where that is confirmed.
  ///   - filter: true for a point to keep; nil keeps all.
  ///   - order: true where the first comes before the second; nil keeps the space's order. Points
  ///     that are equal in it stay in the space's order.
  /// - Returns: the points, without repeats.
  /// - Throws: ``SpaceError`` for too many, no, or equal points, and whatever the closures throw.
  public func select(
    limit: Int? = confirmationLimit,
    where filter: ((Parameters) throws -> Bool)? = nil,
    order: ((Parameters, Parameters) throws -> Bool)? = nil
  ) throws -> [Parameters] {
    if let limit, count > limit { throw SpaceError.tooMany(count: count, limit: limit) }
    var points: [Parameters] = []
    points.reserveCapacity(filter == nil ? count : 0)
    for index in 0..<count {
      let point = self[index]
      if try filter?(point) ?? true { points.append(point) }
    }
    guard !points.isEmpty else {
      throw SpaceError.empty("the filter keeps none of \(count) points")
    }
    if let order {
      let indices = try points.indices.sorted { a, b in
        if try order(points[a], points[b]) { return true }
        if try order(points[b], points[a]) { return false }
        return a < b
      }
      points = indices.map { points[$0] }
    }
    try Self.checkDistinct(points)
    return points
  }

  /// Refuses equal points: numbers compare by value, as Lua does.
  private static func checkDistinct(_ points: [Parameters]) throws(SpaceError) {
    var seen: [[ParameterValue]: Int] = [:]
    seen.reserveCapacity(points.count)
    for (index, point) in points.enumerated() {
      if let first = seen.updateValue(index, forKey: point.values.map(\.canonical)) {
        throw .duplicate(first: first + 1, second: index + 1, point)
      }
    }
  }
}
