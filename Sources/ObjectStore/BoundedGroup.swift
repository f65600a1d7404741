/// Works through many items, so many at a time.
enum BoundedGroup {
  /// Runs `body` for each item in order; the first failure cancels the rest and is thrown when all
  /// have ended.
  ///
  /// - Returns: the results in the order of the items.
  static func map<Item: Sendable, T: Sendable>(
    _ items: some Sequence<Item>, width: Int,
    body: @escaping @Sendable (Item) async throws(ObjectStoreError) -> T
  ) async throws(ObjectStoreError) -> [T] {
    let result: Result<[T], ObjectStoreError> = await withTaskGroup(
      of: (Int, Result<T, ObjectStoreError>).self
    ) { group in
      var results: [(Int, T)] = []
      var failure: ObjectStoreError?
      var running = 0
      var index = 0
      var iterator = items.makeIterator()
      while true {
        while failure == nil, running < max(1, width), let item = iterator.next() {
          group.addTask { [index] in
            do throws(ObjectStoreError) {
              return (index, .success(try await body(item)))
            } catch {
              return (index, .failure(error))
            }
          }
          index += 1
          running += 1
        }
        guard let (index, result) = await group.next() else { break }
        running -= 1
        switch result {
        case .success(let value):
          results.append((index, value))
        case .failure(let error):
          // Those that end because of it are no news.
          if failure == nil { failure = error }
          group.cancelAll()
        }
      }
      if let failure { return .failure(failure) }
      return .success(results.sorted { $0.0 < $1.0 }.map(\.1))
    }
    return try result.get()
  }
}
