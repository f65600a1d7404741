import HTTP

/// The objects of a bucket, page by page: at most one page is held at a time.
public struct Listing: AsyncSequence, Sendable {
  public typealias Element = ListPage
  public typealias Failure = ObjectStoreError

  let store: ObjectStore
  let prefix: String
  let delimiter: String?
  let startAfter: String?
  let pageSize: Int

  public func makeAsyncIterator() -> Iterator {
    Iterator(listing: self)
  }

  public struct Iterator: AsyncIteratorProtocol {
    let listing: Listing
    private var token: String?
    private var isDone = false
    /// The last name so far, of which everything that comes must be behind.
    private var last: [UInt8]?
    /// Pages without a name since.
    private var emptyPages = 0

    /// A service may answer some where much was deleted, not any number.
    private static let mostEmptyPages = 100

    init(listing: Listing) {
      self.listing = listing
      // What a delimiter folds may begin before it.
      if listing.delimiter == nil { last = listing.startAfter.map { Array($0.utf8) } }
    }

    public mutating func next() async throws(ObjectStoreError) -> ListPage? {
      guard !isDone else { return nil }
      // An error ends the sequence.
      isDone = true
      let page = try await listing.store.page(of: listing, token: token)
      guard page.next == nil || page.next != token, advances(by: page) else {
        throw ObjectStoreError(
          .badAnswer("a list that goes round in circles"), listing.store.context(.list))
      }
      token = page.next
      isDone = token == nil
      return page
    }

    /// Whether a page leads on: otherwise a service that repeats pages, or takes no notice of where
    /// one is to begin, would be asked for ever.
    private mutating func advances(by page: ListPage) -> Bool {
      let names = page.objects.map { Array($0.key.utf8) } + page.prefixes.map { Array($0.utf8) }
      guard let end = names.max(by: { $0.lexicographicallyPrecedes($1) }) else {
        emptyPages += 1
        return emptyPages <= Self.mostEmptyPages
      }
      emptyPages = 0
      defer { last = end }
      return last?.lexicographicallyPrecedes(end) ?? true
    }
  }
}

extension ObjectStore {
  /// Lists the bucket (ListObjectsV2).
  ///
  /// - Parameters:
  ///   - prefix: what keys begin with.
  ///   - delimiter: folds keys that have it after the prefix into ``ListPage/prefixes``.
  ///   - startAfter: only keys behind this one.
  ///   - pageSize: objects a request; the service gives 1000 at most.
  /// - Returns: the pages, asked for one by one.
  public func list(
    prefix: String = "", delimiter: String? = nil, startAfter: String? = nil, pageSize: Int = 1000
  ) -> Listing {
    Listing(
      store: self, prefix: prefix, delimiter: delimiter, startAfter: startAfter, pageSize: pageSize)
  }

  func page(of listing: Listing, token: String?) async throws(ObjectStoreError) -> ListPage {
    let context = context(.list)
    guard (1...1000).contains(listing.pageSize) else {
      throw ObjectStoreError(.invalid("a page has 1 to 1000 objects"), context)
    }
    var query = [("encoding-type", "url"), ("list-type", "2")]
    query.append(("max-keys", "\(listing.pageSize)"))
    if !listing.prefix.isEmpty { query.append(("prefix", listing.prefix)) }
    if let delimiter = listing.delimiter { query.append(("delimiter", delimiter)) }
    if let token {
      query.append(("continuation-token", token))
    } else if let startAfter = listing.startAfter {
      query.append(("start-after", startAfter))
    }
    let response = try await perform(Call(context: context, method: .get, query: query))
    return try await parse(response, context)
  }

  private func parse(
    _ response: HTTPResponse, _ context: ObjectStoreError.Context
  ) async throws(ObjectStoreError) -> ListPage {
    do throws(ListPage.Malformed) {
      return try ListPage(parsing: response.body)
    } catch {
      throw ObjectStoreError(.badAnswer(error.reason), context, status: response.status)
    }
  }
}
