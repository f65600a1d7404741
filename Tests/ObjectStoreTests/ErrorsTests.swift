import Glibc
import HTTP
import ObjectStore
import Testing

@Suite struct ErrorsTests {
  private func failure(
    _ bucket: MemoryBucket, retry: ObjectStore.RetryPolicy = .none
  ) async -> ObjectStoreError? {
    do throws(ObjectStoreError) {
      _ = try await bucket.store(retry: retry).read("some key")
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    (404, "NoSuchBucket", ObjectStoreError.Kind.noSuchBucket, "HPC_BUCKET"),
    (404, "NoSuchKey", .noSuchKey, "there is no such object"),
    (403, "AccessDenied", .accessDenied, "may not do that"),
    (403, "SignatureDoesNotMatch", .badCredentials, "Check access key and secret"),
    (403, "InvalidAccessKeyId", .badCredentials, "Check access key and secret"),
    (400, "EntityTooLarge", .refused, "EntityTooLarge, indeed"),
    (503, "SlowDown", .unavailable, "Try again later"),
    (500, "InternalError", .unavailable, "Try again later"),
    (301, "PermanentRedirect", .redirected(to: nil), "HPC_STORAGE_ENDPOINT"),
  ])
  func codesOfTheServiceBecomeKinds(
    status: Int, code: String, kind: ObjectStoreError.Kind, words: String
  ) async throws {
    let bucket = MemoryBucket { _, _ in .answer(MemoryBucket.refuse(status, code)) }
    let error = try #require(await failure(bucket))
    #expect(error.kind == kind)
    #expect(error.code == code)
    #expect(error.status == status)
    #expect(error.description.contains(words))
    #expect(error.description.contains("\(status) \(code)"))
    #expect(error.description.contains("\"some key\""))
  }

  @Test(arguments: [
    "<html>Bad Gateway</html>", "", "{\"message\": \"x\"}", "<Error>", "\u{1b}[31m",
  ])
  func otherBodiesAreBoundedWords(text: String) async throws {
    let bucket = MemoryBucket { _, _ in
      .answer(
        HTTPResponse(status: 418, body: Array((text + String(repeating: "x", count: 9999)).utf8)))
    }
    let error = try #require(await failure(bucket))
    #expect(error.kind == .refused)
    #expect(error.description.utf8.count < 1000)
    #expect(!error.description.contains("\u{1b}"))
  }

  @Test func redirectsAreNotFollowed() async throws {
    let bucket = MemoryBucket { _, _ in
      .answer(HTTPResponse(status: 307, headers: ["Location": "https://elsewhere.test/home/k"]))
    }
    let error = try #require(await failure(bucket, retry: .init()))
    #expect(error.kind == .redirected(to: "https://elsewhere.test/home/k"))
    #expect(bucket.requests.count == 1)
    #expect(error.description.contains("https://elsewhere.test/home/k"))
  }

  @Test func keysOfOthersCannotDriveATerminal() async throws {
    let bucket = MemoryBucket { _, _ in .answer(HTTPResponse(status: 418)) }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store(retry: .none).read("a\u{9b}2J\u{1b}[31m\nb")
    }
    #expect(error?.message.contains("\"a?2J?[31m?b\"") == true)
    let controls = error?.description.unicodeScalars.filter {
      $0.properties.generalCategory == .control
    }
    #expect(controls?.isEmpty == true)
  }

  @Test func redirectsAreToldWithoutSecrets() async throws {
    let bucket = MemoryBucket { _, _ in
      .answer(HTTPResponse(status: 302, headers: ["Location": "http://u:p@h/k?X-Amz-Signature=1"]))
    }
    #expect(await failure(bucket)?.kind == .redirected(to: "http://h/k?…"))
  }

  /// A portal's page, a server that is none: an object without an ETag is never believed.
  @Test(arguments: [
    HTTPResponse(status: 200, headers: ["Content-Type": "text/html"], body: Array("<p>".utf8)),
    HTTPResponse(status: 204), HTTPResponse(status: 202, headers: ["ETag": "\"x\""]),
    HTTPResponse(status: 200, body: Array("<Error><Code>InternalError</Code></Error>".utf8)),
  ])
  func whatIsNoObjectIsRefused(answer: HTTPResponse) async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket { _, _ in .answer(answer) }
    let store = bucket.store()
    func kind(_ call: () async throws(ObjectStoreError) -> Void) async -> ObjectStoreError.Kind? {
      do throws(ObjectStoreError) {
        try await call()
        return nil
      } catch {
        return error.kind
      }
    }
    let wanted = ObjectStoreError.Kind.badAnswer("an object without an ETag")
    #expect(await kind { () throws(ObjectStoreError) in _ = try await store.read("k") } == wanted)
    #expect(
      await kind { () throws(ObjectStoreError) in _ = try await store.put([1], key: "k") }
        == (answer.body.isEmpty ? nil : .badAnswer("text instead of an ETag")))
    let path = folder.path + "/k"
    #expect(
      await kind { () throws(ObjectStoreError) in _ = try await store.get("k", to: path) }
        == wanted)
    #expect(unsafe access(path, F_OK) != 0)
    #expect(bucket.requests.count == 3, "none is asked for again")
  }

  @Test(arguments: [500, 502, 503, 504, 429, 408])
  func passingFailuresAreRetriedWithJitter(status: Int) async throws {
    let clock = InstantClock()
    let bucket = MemoryBucket { _, number in
      number <= 4 ? .answer(HTTPResponse(status: status)) : nil
    }
    bucket.put("x", "some key")
    let bytes = try await bucket.store(clock: clock).read("some key")
    #expect(bytes == Array("x".utf8))
    // Half of 200 ms, doubled each time: the tests' random number is 0.5.
    #expect(
      clock.pauses == [
        .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800),
      ])
  }

  @Test func retriesEndAtTheDeadline() async throws {
    let clock = InstantClock()
    let bucket = MemoryBucket { _, _ in .answer(HTTPResponse(status: 503)) }
    let store = bucket.store(clock: clock)
    let error = await #expect(throws: ObjectStoreError.self) { try await store.read("k") }
    let waited = clock.pauses.reduce(.zero, +)
    #expect(waited < .seconds(300))
    #expect(waited > .seconds(250))
    #expect(error?.attempts == bucket.requests.count)
    #expect(error?.description.contains("\(bucket.requests.count) attempts") == true)
  }

  @Test(arguments: [
    ("7", Duration.seconds(7)), ("-5", .milliseconds(100)), ("x", .milliseconds(100)),
  ])
  func retryAfterIsHeeded(text: String, pause: Duration) async throws {
    let clock = InstantClock()
    let bucket = MemoryBucket { _, number in
      number == 1
        ? .answer(HTTPResponse(status: 503, headers: ["Retry-After": text])) : nil
    }
    bucket.put("x", "k")
    _ = try await bucket.store(clock: clock).read("k")
    #expect(clock.pauses == [pause])
  }

  @Test func aRetryAfterOfAYearEndsIt() async throws {
    let clock = InstantClock()
    let bucket = MemoryBucket { _, _ in
      .answer(HTTPResponse(status: 503, headers: ["Retry-After": "31536000"]))
    }
    let error = await #expect(throws: ObjectStoreError.self) {
      try await bucket.store(clock: clock).read("k")
    }
    #expect(error?.attempts == 1)
    #expect(clock.pauses.isEmpty)
  }

  @Test(arguments: [TransportError.Kind.tls, .protocolViolation, .closed, .other(code: 1)])
  func whatStaysWrongIsNotRetried(kind: TransportError.Kind) async throws {
    let bucket = MemoryBucket { _, _ in .lose(kind) }
    let error = try #require(await failure(bucket, retry: .init()))
    #expect(bucket.requests.count == 1)
    guard case .transport(kind, _) = error.kind else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func aWrongAddressIsReportedSoon() async throws {
    let clock = InstantClock()
    let bucket = MemoryBucket { _, _ in .lose(.connect) }
    await #expect(throws: ObjectStoreError.self) { try await bucket.store(clock: clock).read("k") }
    #expect(clock.pauses.reduce(.zero, +) <= .seconds(4))
    #expect(bucket.requests.count > 1)
  }

  @Test func anAddressThatHasAnsweredIsNotGivenUpSoon() async throws {
    let clock = InstantClock()
    let bucket = MemoryBucket { _, number in (2..<9).contains(number) ? .lose(.connect) : nil }
    bucket.put("x", "k")
    let store = bucket.store(clock: clock)
    _ = try await store.read("k")
    _ = try await store.read("k")
    #expect(clock.pauses.reduce(.zero, +) > .seconds(10))
  }

  @Test func advicesFitWhatWasAskedFor() async throws {
    let folder = try TemporaryFolder()
    let bucket = MemoryBucket { _, _ in .truncate(1) }
    bucket.put("abc", "k")
    let store = bucket.store(retry: .none)
    let get = await #expect(throws: ObjectStoreError.self) {
      try await store.get("k", to: folder.path)
    }
    #expect(get?.advice == "A folder of that name is here: choose another name for the file.")
    let put = await #expect(throws: ObjectStoreError.self) {
      try await store.put(file: folder.path, key: "k")
    }
    #expect(put?.advice == "Send the folder as a folder.")
    let read = await #expect(throws: ObjectStoreError.self) { try await store.read("k") }
    #expect(read?.advice == "Try again; of a large file, finished parts are kept.")
    let list = await #expect(throws: ObjectStoreError.self) {
      for try await _ in store.list() {}
    }
    #expect(list?.advice == "Try again.")
  }

  @Test func theServicesClockIsFollowed() async throws {
    // The service says 10:00 GMT on 2027-01-15; the client's clock is two hours ahead of that.
    let bucket = MemoryBucket(skew: 7200 - 36000 + 28800 - 8400)
    bucket.put("x", "k")
    let clock = InstantClock()
    let store = bucket.store(clock: clock)
    let error = await #expect(throws: ObjectStoreError.self) { try await store.read("k") }
    #expect(error?.kind == .clockSkew)
    #expect(bucket.requests.count == 2)
    #expect(bucket.requests.last?.headers["X-Amz-Date"] == "20270115T100000Z")
    #expect(clock.pauses.isEmpty)
  }

  @Test func aListThatIsNoneIsAnError() async throws {
    let bodies = [
      "", "garbage", "<a/>", "<ListBucketResult><Contents/></ListBucketResult>",
      "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult>&a;</ListBucketResult>",
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
      "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
      "<ListBucketResult><EncodingType>url</EncodingType>"
        + "<Contents><Key>%zz</Key><Size>1</Size></Contents></ListBucketResult>",
      "<ListBucketResult><EncodingType>url</EncodingType>"
        + "<Contents><Key>%ff</Key><Size>1</Size></Contents></ListBucketResult>",
    ]
    for body in bodies {
      let bucket = MemoryBucket { _, _ in
        .answer(HTTPResponse(status: 200, body: Array(body.utf8)))
      }
      var pages = bucket.store().list().makeAsyncIterator()
      do throws(ObjectStoreError) {
        _ = try await pages.next()
        Issue.record("accepted: \(body)")
      } catch {
        guard case .badAnswer = error.kind else {
          Issue.record("\(error)")
          continue
        }
        #expect(error.description.contains("HPC_STORAGE_ENDPOINT"))
      }
      #expect(try await pages.next() == nil)
    }
  }

  @Test func secretsAreInNoError() async throws {
    let bucket = MemoryBucket { _, _ in .answer(MemoryBucket.refuse(403, "SignatureDoesNotMatch")) }
    let error = try #require(await failure(bucket))
    var text = ""
    dump(error, to: &text)
    #expect(!(text + error.description).contains("secret\""))
    #expect(!(text + error.description).contains("AWS4-HMAC"))
  }
}
