import FoundationEssentials
import HTTP
import SigV4

/// Signatures of one thread for GET /jobs, as each attempt of a read is signed.
enum SignBenchmark {
  static func run(_ arguments: [String]) throws {
    let count = arguments.first.flatMap(Int.init) ?? 300_000
    let signer = SigV4Signer(
      credentials: Credentials(
        accessKeyID: "12345678901234567890",
        secretAccessKey: "1234567890abcdefghijklmnopqrstuvwxyzABCD"),
      scope: SigningScope(region: "jp-east-1", service: "hpc-api"))
    let url = try HTTPURL(parsing: "https://jp-east-1.hpc-api.api.nifcloud.com/jobs")
    // CPU time: what else the machine does is not the signer's.
    let start = WaitBenchmark.cpuSeconds()
    var bytes = 0
    for index in 0..<count {
      var request = HTTPRequest(.get, url)
      // A hundred within a second, as ten connections at 100 ms would ask for.
      signer.sign(
        &request, at: Date(timeIntervalSince1970: 1_666_748_634 + Double(index) / 100))
      bytes += request.headers.fields.count
    }
    let seconds = WaitBenchmark.cpuSeconds() - start
    print(
      #"{"benchmark": "sign", "count": \#(count), "headers": \#(bytes), "seconds": \#(seconds)}"#)
  }
}
