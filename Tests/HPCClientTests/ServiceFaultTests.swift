import HTTP
@testable import HPCClient
import Testing

@Suite struct ServiceFaultTests {
  /// Every shape of `api.md`, with what must be read of it.
  @Test(
    arguments: [
      (
        400, #"{"code":"GeneralError","message":"Operation failed."}"#, "GeneralError",
        "Operation failed."
      ),
      (
        500, "{\"code\":\"Server.InternalServerError\",\"message\":\"try again\\nlater\"}",
        "Server.InternalServerError", "try again later"
      ),
      (
        422,
        #"{"detail":[{"loc":["body","jobfile"],"msg":"field required","type":"missing"},{"loc":["body",0],"type":"x"}]}"#,
        "ValidationError", "body.jobfile: field required; body.0: x"
      ),
      (404, #"{"detail":"Not Found"}"#, "ValidationError", "Not Found"),
      (
        502, "<html><head><title>502 Bad Gateway</title></head></html>", nil,
        "a web page: 502 bad gateway"
      ),
      (502, "  <!DOCTYPE html><p>", nil, "a web page"), (500, "", nil, ""), (500, " \n", nil, ""),
      (404, #""Parse entry failed: None""#, nil, "Parse entry failed: None"),
      (403, #"{"message":"Forbidden","type":"Gateway"}"#, "Gateway", "Forbidden"),
      (
        404, #"{"errorMessage":"[ERR.] PJM 0112 pjdel Job 6291500 does not exist.\n"}"#, nil,
        "[ERR.] PJM 0112 pjdel Job 6291500 does not exist."
      ),
      (500, "upstream timed out", nil, "upstream timed out"), (500, "[1,2]", nil, ""),
      (500, "{}", nil, ""),
      (500, #"{"code":5,"message":{"a":1}}"#, nil, ""),
      (500, #"{"message":"\u001b[31mred\u0007"}"#, nil, "[31mred"),
    ] as [(Int, String, String?, String)])
  func readsEveryShape(status: Int, body: String, code: String?, message: String) {
    let fault = ServiceFault(HTTPResponse(status: status, body: Array(body.utf8)))
    #expect(fault.code == code)
    #expect(fault.message == message)
    #expect(fault.body == body)
  }

  @Test func bodiesAreBoundedAndInvalidTextIsRepaired() {
    let fault = ServiceFault(
      HTTPResponse(status: 500, body: [0xff] + [UInt8](repeating: 0x61, count: 100_000)))
    #expect(fault.body.utf8.count <= 4096 + 2)
    #expect(fault.message.count <= 402)
  }

  @Test(
    arguments: [
      (404, #"{"code":"GeneralError","message":"Operation not permitted."}"#, true),
      (404, #""Parse entry failed: None""#, true),
      (404, #"{"errorMessage":"[ERR.] PJM 0112 pjdel Job 1 does not exist.\n"}"#, true),
      (404, #"{"code":"Client.URLNotFound","message":"A specified URL is not found."}"#, false),
      (404, "<html>not found</html>", false), (404, "", false),
      (404, #"{"detail":"Not Found"}"#, false),
      (400, #"{"code":"GeneralError","message":"Operation not permitted."}"#, false),
    ])
  func knowsWhatSaysThatAJobIsMissing(status: Int, body: String, expected: Bool) {
    #expect(
      ServiceFault(HTTPResponse(status: status, body: Array(body.utf8))).isJobNotFound == expected)
  }
}
