import HTTP
import ObjectStore
import Testing

@Suite struct ListingTests {
  @Test func pagesFollowEachOther() async throws {
    let bucket = MemoryBucket()
    let keys = (0..<2345).map { "k/\(String(10_000 + $0))" }
    for key in keys { bucket.put("x", key) }
    bucket.put("x", "other")
    var listed: [String] = []
    var pages = 0
    for try await page in bucket.store().list(prefix: "k/") {
      listed += page.objects.map(\.key)
      pages += 1
    }
    #expect(listed == keys)
    #expect(pages == 3)
    #expect(bucket.requests.count == 3)
    #expect(bucket.complaints.isEmpty)
  }

  @Test func onlyWhatIsAskedForIsFetched() async throws {
    let bucket = MemoryBucket()
    for n in 0..<50 { bucket.put("x", "\(100 + n)") }
    for try await page in bucket.store().list(pageSize: 10) {
      #expect(page.objects.count == 10)
      break
    }
    #expect(bucket.requests.count == 1)
  }

  @Test func aDelimiterFolds() async throws {
    let bucket = MemoryBucket()
    for key in ["a/1", "a/2", "b c/x", "top", "日本/1"] { bucket.put("x", key) }
    var objects: [String] = []
    var prefixes: [String] = []
    for try await page in bucket.store().list(delimiter: "/", pageSize: 2) {
      objects += page.objects.map(\.key)
      prefixes += page.prefixes
    }
    #expect(objects == ["top"])
    #expect(prefixes == ["a/", "b c/", "日本/"])
  }

  @Test func aListMayBeginLater() async throws {
    let bucket = MemoryBucket()
    for key in ["a", "b", "c d", "e"] { bucket.put("x", key) }
    var objects: [String] = []
    for try await page in bucket.store().list(startAfter: "b", pageSize: 1) {
      objects += page.objects.map(\.key)
    }
    #expect(objects == ["c d", "e"])
  }

  @Test func aListThatGoesRoundEnds() async throws {
    let body = """
      <ListBucketResult><IsTruncated>true</IsTruncated>
      <NextContinuationToken>again</NextContinuationToken></ListBucketResult>
      """
    let bucket = MemoryBucket { _, _ in
      .answer(HTTPResponse(status: 200, body: Array(body.utf8)))
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      for try await _ in bucket.store().list() {}
    }
    #expect(bucket.requests.count == 2)
    #expect(error?.kind == .badAnswer("a list that goes round in circles"))
  }

  @Test(arguments: [0, -1, 1001]) func pageSizesAreChecked(size: Int) async throws {
    let bucket = MemoryBucket()
    await #expect(throws: ObjectStoreError.self) {
      for try await _ in bucket.store().list(pageSize: size) {}
    }
    #expect(bucket.requests.isEmpty)
  }

  /// A service that says over and over what is on these pages, each with a token of its own.
  private func bucket(pages: [[String]], size: String = "1") -> MemoryBucket {
    MemoryBucket { _, number in
      let objects = pages[(number - 1) % pages.count].map {
        "<Contents><Key>\($0)</Key><Size>\(size)</Size></Contents>"
      }
      let body =
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
        + "<NextContinuationToken>\(number)</NextContinuationToken>"
        + "\(objects.joined())</ListBucketResult>"
      return .answer(HTTPResponse(status: 200, body: Array(body.utf8)))
    }
  }

  @Test(arguments: [
    ([["a", "b"]], 2), ([["a"], ["b"]], 3), ([["b"], ["a"]], 2), ([[]], 101), ([["a"], []], 3),
  ])
  func pagesThatComeAgainEndAList(pages: [[String]], requests: Int) async throws {
    let bucket = bucket(pages: pages)
    let error = await #expect(throws: ObjectStoreError.self) {
      for try await _ in bucket.store().list() {}
    }
    #expect(error?.kind == .badAnswer("a list that goes round in circles"))
    #expect(bucket.requests.count == requests)
  }

  @Test func aServiceThatBeginsAnewIsFound() async throws {
    let bucket = bucket(pages: [["a", "b"]])
    await #expect(throws: ObjectStoreError.self) {
      for try await _ in bucket.store().list(startAfter: "b") {}
    }
    #expect(bucket.requests.count == 1)
  }

  @Test(arguments: ["9223372036854775807", "1125899906842625", "-1", "99999999999999999999"])
  func sizesThatCannotBeAreRefused(size: String) async throws {
    let bucket = bucket(pages: [["a", "b"]], size: size)
    let error = await #expect(throws: ObjectStoreError.self) {
      for try await _ in bucket.store().list() {}
    }
    #expect(error?.kind == .badAnswer("an object without key or possible size"))
  }
}
