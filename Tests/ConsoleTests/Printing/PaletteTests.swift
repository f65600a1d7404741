import Testing

@testable import Console

struct PaletteTests {
  @Test(arguments: [
    (true, true, ["TERM": "xterm"], true), (false, true, ["TERM": "xterm"], false),
    (true, false, ["TERM": "xterm"], false),
    (true, true, ["TERM": "xterm", "NO_COLOR": "1"], false),
    (true, true, ["TERM": "xterm", "NO_COLOR": ""], true), (true, true, ["TERM": "dumb"], false),
    (true, true, [:], false),
  ])
  func `colour only where it is wanted`(
    isTerminal: Bool, allowed: Bool, variables: [String: String], expected: Bool
  ) {
    #expect(
      Palette.isWanted(isTerminal: isTerminal, allowed: allowed, variables: variables) == expected)
  }
}
