import Testing

@testable import Simulator

@Suite struct SyncPathTests {
  @Test(arguments: [
    ("a", ["a"]), ("a/b/", ["a", "b"]), ("./a//b/.", ["a", "b"]), ("", []), (".", []),
    ("ü/日本 x", ["ü", "日本 x"]), ("a/.hpc-sim", ["a", ".hpc-sim"]), ("..a/b..", ["..a", "b.."]),
  ])
  func `paths below home`(text: String, components: [String]) {
    #expect(SyncPath(text)?.components == components)
  }

  @Test(arguments: ["/a", "..", "a/../b", "a/..", ".hpc-sim", "./.hpc-sim/x", "a/\u{0}"])
  func `paths that are refused`(text: String) {
    #expect(SyncPath(text) == nil)
  }

  @Test(
    arguments: [
      ("x", ["x"]), ("x/y", ["x", "y"]), ("", nil), ("x/", nil), ("/x", nil), ("x//y", nil),
      ("../x", nil), ("x/./y", nil), ("x/..", nil), ("a\u{0}", nil),
      (String(repeating: "n", count: 256), nil),
    ] as [(String, [String]?)])
  func `where a key's file belongs`(name: String, place: [String]?) {
    #expect(SyncPath("d")?.place(name[...]) == place)
  }

  @Test func `the simulator's own folder is out of reach`() {
    #expect(SyncPath("")?.place(".hpc-sim/account.json") == nil)
    #expect(SyncPath("d")?.place(".hpc-sim/account.json") != nil)
  }
}
