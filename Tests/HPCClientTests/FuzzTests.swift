import FoundationEssentials
import HTTP
import SigV4
import Testing

@testable import HPCClient

/// Random and mangled bytes through everything that reads what others wrote: any answer will do,
/// a trap will not.
@Suite struct FuzzTests {
  private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }

  private static let seeds = [
    "0000:10:00", "2021-04-12T11:25:00", "2021-04-12T11:25:00+09:00", "12:2x3x2", "-1", "6291500",
    "Sun, 06 Nov 1994 08:49:37 GMT", "99999999999999999999", "[profile x]\nkey = value ; c\n[y]",
    #"{"code":"GeneralError","message":"Operation failed."}"#, #"{"detail":[{"loc":["a",1]}]}"#,
    "<html><title>x</title>", #"[{"job_id":"1","status":"RUN","accept":"-"}]"#, "/jobs/12?x#y",
    "AWS4-HMAC-SHA256 Credential=k/20210412/r/s/aws4_request, SignedHeaders=host;x-amz-date, "
      + "Signature=00", "20210412T112500Z", "https://h:1/p?q", "é日\u{0}\u{1b}", "",
  ]

  private static func mangled(_ dice: inout Dice) -> [UInt8] {
    var bytes = Array((seeds.randomElement(using: &dice) ?? "").utf8)
    for _ in 0..<Int.random(in: 0...6, using: &dice) {
      let place = Int.random(in: 0...bytes.count, using: &dice)
      switch Int.random(in: 0..<4, using: &dice) {
      case 0: bytes.insert(UInt8.random(in: 0...255, using: &dice), at: place)
      case 1 where place < bytes.count: bytes.remove(at: place)
      case 2 where place < bytes.count: bytes[place] = UInt8.random(in: 0x20...0x7e, using: &dice)
      default: bytes += (seeds.randomElement(using: &dice) ?? "").utf8
      }
    }
    return bytes
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func nothingTraps(seed: UInt64) {
    var dice = Dice(state: seed)
    var read = 0
    for _ in 0..<5000 {
      let bytes = Self.mangled(&dice)
      let text = String(decoding: bytes, as: UTF8.self)
      if PJMText.seconds(text) != nil || PJMText.epoch(text) != nil { read += 1 }
      if PJMText.nodes(text) != nil || PJMText.integer(text) != nil { read += 1 }
      if HTTPDate.epochSeconds(parsing: text) != nil || HTTPDate.retryAfter(text, now: 0) != nil {
        read += 1
      }
      if (try? INIFile(parsing: text)) != nil { read += 1 }
      if (try? HTTPURL(parsing: text)) != nil { read += 1 }
      if JobID(text) != nil || HPCClient.id(inLocation: text) != nil { read += 1 }
      let fault = ServiceFault(HTTPResponse(status: 404, body: bytes))
      if fault.isJobNotFound || fault.code != nil { read += 1 }
      let answer = RawAnswer(bytes: bytes, requestedAt: 0, observedAt: 0)
      for job in HPCClient.jobs(answer) ?? [] {
        read += 1
        #expect(JobState.names.contains(job.state.description))
      }
      let request = SigV4Verifier.Request(
        method: "GET", path: text, query: text,
        headers: ["Authorization": text, "X-Amz-Date": text, "Host": text], bodySHA256: text)
      let verifier = SigV4Verifier(scope: SigningScope(region: "r", service: "s"))
      #expect(throws: SigV4Verifier.Failure.self) {
        try verifier.verify(request, at: Date(timeIntervalSince1970: 0)) { _ in
          Credentials(accessKeyID: "k", secretAccessKey: "s")
        }
      }
    }
    #expect(read > 1000, "the seeds are read for the most part")
  }

  @Test func timesThatUsersWriteAreBounded() {
    #expect(Duration(userSeconds: 2.5) == .milliseconds(2500))
    #expect(Duration(userSeconds: 1e300) == .longest)
    #expect(Duration(userSeconds: .infinity) == .longest)
    #expect(Duration(userSeconds: .nan) == nil)
    #expect(Duration(userSeconds: -1) == nil)
  }
}
