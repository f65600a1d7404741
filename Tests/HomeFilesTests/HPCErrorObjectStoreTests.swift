import HPCClient
import HTTP
import ObjectStore
import SigV4
import TestSupport
import Testing

@testable import HomeFiles

@Suite struct HPCErrorObjectStoreTests {
  private func error(
    _ answer: InMemoryTransport.Answer,
    _ work: (ObjectStore) async throws(ObjectStoreError) -> Void
  ) async -> HPCError? {
    let store = ObjectStore(
      .init(
        endpoint: HTTPURL(scheme: .http, host: "storage"), bucket: "b", region: "jp-east-1",
        credentials: Credentials(accessKeyID: "AK", secretAccessKey: "TOP-SECRET"), retry: .none),
      transport: InMemoryTransport([answer]))
    do throws(ObjectStoreError) {
      try await work(store)
      return nil
    } catch {
      return HPCError(error)
    }
  }

  @Test(arguments: [
    (
      InMemoryTransport.Answer.json(404, "<Error><Code>NoSuchKey</Code></Error>"), "NoSuchKey",
      false
    ),
    (.json(404, "<Error><Code>NoSuchBucket</Code></Error>"), "NoSuchBucket", false),
    (.json(403, ""), "AccessDenied", false),
    (
      .json(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"), "SignatureDoesNotMatch",
      false
    ),
    (.json(503, "<Error><Code>SlowDown</Code></Error>"), "SlowDown", true),
    (.json(500, ""), "HTTP.500", true), (.none(.connect, sent: false), "NoConnection", true),
    (.none(.idleTimeout), "Timeout", true),
  ])
  func bucketErrorsGetTheCommonShape(
    _ answer: InMemoryTransport.Answer, _ code: String, _ isRetryable: Bool
  ) async {
    let error = await error(answer) { (store) throws(ObjectStoreError) in
      _ = try await store.read("k")
    }
    #expect(error?.code == code)
    #expect(error?.isRetryable == isRetryable)
    #expect(error?.request == "http://storage/b/k")
    #expect(error?.description.contains("TOP-SECRET") == false)
  }

  @Test func localTroubleNamesTheFile() async {
    let error = await error(.json(200, "")) { (store) throws(ObjectStoreError) in
      try await store.put(file: "/nonexistent/file", key: "k")
    }
    #expect(error?.code == "LocalFile")
    #expect(error?.message.contains("/nonexistent/file") == true)
  }
}
