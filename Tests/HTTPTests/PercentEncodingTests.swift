import HTTP
import Testing

@Suite struct PercentEncodingTests {
  @Test func encodesAllButUnreserved() {
    #expect(PercentEncoding.component("aZ09-._~ +*/%é") == "aZ09-._~%20%2B%2A%2F%25%C3%A9")
    #expect(PercentEncoding.path("a b/c+d") == "a%20b/c%2Bd")
    #expect(PercentEncoding.query([("b", "1 2"), ("a", "")]) == "b=1%202&a=")
  }
}
