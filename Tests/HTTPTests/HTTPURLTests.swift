import HTTP
import Testing

@Suite struct HTTPURLTests {
  @Test(
    arguments: [
      ("http://127.0.0.1:8080", "http", "127.0.0.1", 8080, "/", nil),
      ("https://Example.COM", "https", "example.com", nil, "/", nil),
      ("https://h:443/a%2Fb?x=1&y", "https", "h", nil, "/a%2Fb", "x=1&y"),
      ("http://[::1]:9/p?", "http", "[::1]", 9, "/p", ""),
      ("http://[FE80::1%25eth0]/", "http", "[fe80::1%25eth0]", nil, "/", nil),
      ("http://[::ffff:1.2.3.4]", "http", "[::ffff:1.2.3.4]", nil, "/", nil),
      ("http://a_b-c.d", "http", "a_b-c.d", nil, "/", nil),
      ("http://h?q#f", "http", "h", nil, "/", "q"),
    ] as [(String, String, String, Int?, String, String?)])
  func parses(
    text: String, scheme: String, host: String, port: Int?, path: String, query: String?
  ) throws {
    let url = try HTTPURL(parsing: text)
    #expect(url.scheme.rawValue == scheme)
    #expect(url.host == host)
    #expect(url.port == port)
    #expect(url.path == path)
    #expect(url.query == query)
  }

  @Test(
    arguments: [
      ("example.com", .scheme("example.com")), ("ftp://h", .scheme("ftp://h")),
      ("http://", .host("http://")), ("http:///p", .host("http:///p")),
      ("http://h:0", .port("0")), ("http://h:99999", .port("99999")), ("http://h:x", .port("x")),
      ("http://[]/", .host("http://[]/")), ("http://[zz::1]", .host("http://[zz::1]")),
      ("http://h\\x", .host("http://h\\x")), ("http://h,i", .host("http://h,i")),
      ("http://[::1%25]e]/", .host("[::1%25]e]")), ("http://hé/", .characters("http://hé/")),
      ("http://u:p@h", .userInfo), ("http://h/a b", .characters("http://h/a b")),
    ] as [(String, HTTPURL.ParseError)])
  func refuses(text: String, error: HTTPURL.ParseError) {
    #expect(throws: error) { try HTTPURL(parsing: text) }
  }

  @Test func hostHeaderNamesOnlyUnusualPorts() throws {
    #expect(try HTTPURL(parsing: "http://h:80/").hostHeader == "h")
    #expect(try HTTPURL(parsing: "https://h:80/").hostHeader == "h:80")
  }

  @Test func aZoneIsNoBusinessOfTheServer() throws {
    let url = try HTTPURL(parsing: "http://[fe80::1%25eth0]:81/a")
    #expect(url.hostHeader == "[fe80::1]:81")
    #expect(url.description == "http://[fe80::1%25eth0]:81/a")
  }

  @Test func appendsPaths() throws {
    let base = try HTTPURL(parsing: "http://h/base/")
    #expect(base.appending(path: "/jobs", query: "a=b").description == "http://h/base/jobs?a=b")
  }
}
