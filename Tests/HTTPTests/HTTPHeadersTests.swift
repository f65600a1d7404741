import HTTP
import Testing

@Suite struct HTTPHeadersTests {
  @Test func findsWithoutRegardToCase() {
    let headers: HTTPHeaders = ["Content-Type": "a", "content-type": "b"]
    #expect(headers["CONTENT-TYPE"] == "a")
    #expect(headers[all: "Content-type"] == ["a", "b"])
  }

  @Test func settingReplacesEveryValue() {
    var headers: HTTPHeaders = ["X": "1", "x": "2", "Y": "3"]
    headers["x"] = "4"
    #expect(headers.fields.map(\.value) == ["3", "4"])
    headers["y"] = nil
    #expect(headers.fields.count == 1)
  }
}
