import CurlTransport
import HTTP
import TestSupport
import Testing

/// The proxy variables are of the environment, so these look at a process of their own.
@Suite(.timeLimit(.minutes(5))) struct ProxyTests {
  @Test func loopbackNeedsNoProxy() async throws {
    let server = try ScriptedServer { _ in .status(200) }
    let proxy = try ScriptedServer { _ in .status(502) }
    let output = try await client(server.url("/direct"), proxy: proxy)
    #expect(output.contains(#""answers": {"200": 1}"#))
    #expect(proxy.counts.accepted == 0)
  }

  @Test func otherHostsAreReachedThroughTheProxy() async throws {
    let proxy = try ScriptedServer { _ in .status(203) }
    let url = HTTPURL(scheme: .http, host: "api.invalid", path: "/jobs")
    let output = try await client(url, proxy: proxy)
    #expect(output.contains(#""answers": {"203": 1}"#))
    #expect(proxy.requests.map(\.target) == ["http://api.invalid/jobs"])
  }

  private func client(_ url: HTTPURL, proxy: ScriptedServer) async throws -> String {
    let folder = try TemporaryFolder()
    let (output, status) = try await ChildProcess(
      "env",
      [
        "http_proxy=\(proxy.url().origin)", "no_proxy=", builtExecutable("Benchmarks"), "client",
        "\(url)", "1", folder.path,
      ]
    ).ended()
    #expect(status == 0)
    return output
  }
}
