import HPCClient
import Testing

@Suite struct HomePathTests {
  @Test(arguments: [
    ("a/b.txt", "a/b.txt", "a/b.txt/"), ("./a//b/", "a/b", "a/b/"), ("", ".", ""), (".", ".", ""),
    ("./", ".", ""), ("é +%", "é +%", "é +%/"), ("..a/...", "..a/...", "..a/.../"),
  ])
  func relativePathsAreRead(_ text: String, _ shown: String, _ prefix: String) throws {
    let path = try HomePath(text)
    #expect(path.description == shown)
    #expect(path.prefix == prefix)
  }

  @Test(arguments: [
    ("/etc", "absolute"), ("a/../b", ".."), ("..", ".."), ("~/a", "~"), ("~", "~"),
    ("a\\b", "backslashes"), ("a\u{0}b", "control"), ("a\nb", "control"),
    (String(repeating: "x", count: 256), "255"),
  ])
  func othersAreRefused(_ text: String, _ reason: String) {
    let error = #expect(throws: HPCError.self) { try HomePath(text) }
    #expect(error?.message.contains(reason) == true)
    #expect(error?.code == "InvalidArgument")
  }

  @Test func parentsAndNames() throws {
    let path = try HomePath("a/b/c")
    #expect(path.parent.description == "a/b")
    #expect(path.name == "c")
    #expect(try HomePath("c").parent.isHome)
    #expect(try HomePath("hpc/x").isOfSweeps)
    #expect(try !HomePath("hpcx/x").isOfSweeps)
    #expect(try !HomePath("").isOfSweeps)
  }
}
