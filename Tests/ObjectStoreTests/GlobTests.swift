import ObjectStore
import Testing

@Suite struct GlobTests {
  @Test(arguments: [
    ("*.dat", "a.dat", true), ("*.dat", "x/y/a.dat", true), ("*.dat", "a.dat.gz", false),
    ("a?c", "abc", true), ("a?c", "ac", false), ("?", "日", true), ("*", "any/thing", true),
    ("x/*.dat", "x/a.dat", true), ("x/*.dat", "x/y/a.dat", false), ("x/*.dat", "z/x/a.dat", false),
    ("x/**", "x/y/z", true), ("x/**", "xy", false), ("**/a", "a", true), ("**/a", "x/y/a", true),
    ("**/a", "x/ya", false), ("x/**/a", "x/a", true), ("x/**/a", "x/1/2/a", true),
    ("x/**/a", "x/1/2/b", false), ("[a-c]1", "b1", true), ("[a-c]1", "d1", false),
    ("[!a-c]1", "d1", true), ("[]]", "]", true), ("[a-]", "-", true), ("\\*", "*", true),
    ("\\*", "a", false), ("a[/]b", "a/b", false), ("log-*-[0-9][0-9]", "log-x-07", true),
    ("*a*a*a*a*a*a*a*b", String(repeating: "a", count: 500), false), ("a**b", "axxb", true),
    ("a**b", "ax/xb", false), ("e\u{301}", "\u{e9}", false),
    ("a/", "a/x", true), ("a/", "a/x/y", true), ("a/", "b/a/x", false), ("/x.csv", "x.csv", true),
    ("/x.csv", "a/x.csv", false), ("./x.csv", "x.csv", true), ("././a/*.c", "a/x.c", true),
    ("./", "a/x", true), ("/", "x", true), ("..x", "..x", true), (".hidden/a", ".hidden/a", true),
  ])
  func patternsMatch(pattern: String, path: String, matches: Bool) throws {
    #expect(try Glob(pattern).matches(path) == matches)
  }

  @Test(arguments: [
    "", "[", "[a", "[]", "[z-a]", "a\\", "[!", "a//b", "../a", "a/../b", "a/./b", "//a", "a//",
  ])
  func garbageIsNoPattern(pattern: String) {
    #expect(throws: Glob.Malformed.self) { try Glob(pattern) }
  }
}
