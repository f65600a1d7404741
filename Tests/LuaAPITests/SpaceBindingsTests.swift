import HPCClient
import HTTP
import LuaRuntime
import TestSupport
import Testing

@testable import LuaAPI

@Suite struct SpaceBindingsTests {
  /// Runs a chunk with a table that nothing connects; its results as text.
  static func run(_ code: String) async throws -> String {
    try await DetachedThread.run {
      let state = try LuaState()
      let host = HPCHost(version: "test", log: { _, _ in }) {
        (_) throws(HPCError) in
        throw HPCError(code: "Test", message: "a space asks for no connection")
      }
      let table = try HPCTable.install(in: state, host: host)
      defer { _ = table }
      switch try state.run(try state.load(Array(code.utf8), name: "=test")) {
      case .returned(let values):
        return try values.map { try state.text(of: $0) }.joined(separator: " ")
      case .failed(let error): return error.message
      case .interrupted: return "interrupted"
      }
    }
  }

  @Test(arguments: [
    (
      "hpc.grid{T = {1, 2.5}, L = {16, 32, 64}}",
      "grid(L: 3, T: 2), 6 points|L=16,T=1 L=16,T=2.5 L=32,T=1 L=32,T=2.5 L=64,T=1 L=64,T=2.5"
    ),
    ("hpc.grid{L = 16, x = {true, 'b c'}}", "grid(L: 1, x: 2), 2 points|L=16,x=true L=16,x=b c"),
    (
      "hpc.space.zip{a = {1, 2}, b = {'x', 'y'}}",
      "zip(a, b: 2), 2 points|a=1,b=x a=2,b=y"
    ),
    ("hpc.space.list{{b = 2, a = 1}}", "list(a, b: 1), 1 point|a=1,b=2"),
    (
      "hpc.space.product(hpc.grid{a = {1, 2}}, hpc.space.list{{b = 3}})",
      "product(grid(a: 2), list(b: 1)), 2 points|a=1,b=3 a=2,b=3"
    ),
    (
      "hpc.space.sobol(4, {x = {min = 0, max = 1}, n = {choices = {1, 2}}})",
      "sobol(4: n, x), 4 points|n=1,x=0 n=2,x=0.5 n=2,x=0.25 n=1,x=0.75"
    ),
  ])
  func spacesPrintAndGiveTheirPointsInOrder(_ code: String, _ expected: String) async throws {
    let text = try await Self.run(
      """
      local s = \(code)
      local points = {}
      for i, p in ipairs(s) do
        local parts = {}
        for _, name in ipairs(s.names) do parts[#parts + 1] = name .. "=" .. tostring(p[name]) end
        points[i] = table.concat(parts, ",")
      end
      assert(#points == #s and s.count == #s and s[#s + 1] == nil and s[0] == nil)
      return tostring(s) .. "|" .. table.concat(points, " ")
      """)
    #expect(text == expected)
  }

  @Test func aSpaceOfABillionPointsIsOneValue() async throws {
    let text = try await Self.run(
      """
      local axis = hpc.range(1, 1000)
      local s = hpc.grid{a = axis, b = axis, c = axis}
      return #s, s[1000000000].a, s[123456789].c
      """)
    #expect(text == "1000000000 1000 789")
  }

  @Test func integersStayIntegers() async throws {
    let text = try await Self.run(
      """
      local s = hpc.grid{T = {2, 2.5}, L = {1 << 53}}
      return math.type(s[1].T), math.type(s[2].T), s[1].L, hpc.range(1, 2, 0.5)[2],
        math.type(hpc.linspace(1, 3, 3)[2]), hpc.range(1, 3, 0.1)[3], #hpc.range(5, 1, -2),
        hpc.logspace(1, 1000, 4)[3]
      """)
    #expect(text == "integer float 9007199254740992 1.5 integer 1.2 3 100")
  }

  @Test func aSeedMakesTheSamePointsAgain() async throws {
    let text = try await Self.run(
      """
      local axes = {x = {min = 1e-3, max = 1, log = true}}
      local a, b = hpc.space.random(3, axes), hpc.space.random(3, axes, {seed = 1})
      local c = hpc.space.random(3, axes, {seed = 2})
      return a[2].x == b[2].x, a[2].x == c[2].x, tostring(c),
        hpc.space.lhs(4, axes)[1].x >= 1e-3
      """)
    #expect(text == "true false random(3, seed 2: x), 3 points true")
  }

  @Test(arguments: [
    ("hpc.grid{T = {}}", "bad argument #1 to 'grid' (the space is empty: the axis \"T\" has no"),
    ("hpc.grid{PATH = {1}}", "a parameter cannot be named \"PATH\""),
    ("hpc.grid{LD_PRELOAD = {1}}", "belongs to the system"),
    ("hpc.grid{RANDOM = {1}}", "belongs to the system or the shell"),
    ("hpc.grid{T = {'a\\0b'}}", "\"T\" has a NUL byte"),
    ("hpc.grid{point = {1}}", "it is built in"),
    ("hpc.grid{['a b'] = {1}}", "a name is letters, digits and _"),
    ("hpc.grid{T = {1 / 0}}", "not finite"),
    ("hpc.grid{T = {{}}}", "must have numbers, strings or booleans, not a table"),
    ("hpc.grid{T = {min = 1}}", "must be an array of values without holes or names"),
    ("hpc.grid{1, 2}", "parameters have names: 1 is none"),
    ("hpc.grid()", "bad argument #1 to 'grid' (table expected, got no value)"),
    ("hpc.space.zip{a = {1}, b = {1, 2}}", "zip needs axes of one length: a has 1, b has 2"),
    ("hpc.space.list{{a = 1}, {b = 1}}", "row 2 of the list and row 1 do not have the same"),
    ("hpc.space.list{}", "the list has no rows"),
    ("hpc.space.product(hpc.grid{a = 1}, hpc.grid{a = 1})", "the parameter \"a\" is there twice"),
    ("hpc.space.product({})", "bad argument #1 to 'product' (Space expected, got table)"),
    ("hpc.space.random(3, {x = {min = 1, mx = 2}})", "unknown key 'mx', did you mean 'max'?"),
    ("hpc.space.random(0, {x = {min = 1, max = 2}})", "a sample of 0 points"),
    ("hpc.space.lhs(3, {x = {min = 2, max = 1}})", "min 2.0 above max 1.0"),
    (
      "hpc.space.lhs(3, {x = {min = 0, max = 1}}, {sed = 1})",
      "unknown option 'sed', did you mean 'seed'?"
    ),
    ("hpc.range(1, 2, 0)", "test:1: bad argument #3 to 'range' (the step must not be zero)"),
    ("hpc.range(1, 1e9)", "bad argument #2 to 'range' (that makes 1000000000 values; at most"),
    ("hpc.range(1, 10000001)", "that makes 10000001 values"),
    ("hpc.range(0 / 0, 1)", "bad argument #1 to 'range' (\""),
    ("hpc.linspace(1, 2, 0)", "bad argument #3 to 'linspace' (the number of values must be from 1"),
    ("hpc.logspace(1, 0, 2)", "bad argument #2 to 'logspace' (logspace takes its end values"),
    ("hpc.space.lhs(2, {T = {min = 1, max = 2, log = 'yes'}})", "log must be true or false"),
    ("hpc.space.lhs(2, {T = {min = 1, choices = {1}}})", "choices is an array, and stands alone"),
    ("hpc.space.lhs(2, {T = {choices = 1}})", "choices is an array"),
    ("hpc.logspace(0, 2, 3)", "above zero"),
  ])
  func badSpacesSayWhatIsWrong(_ code: String, _ expected: String) async throws {
    let text = try await Self.run("return \(code)")
    #expect(text.contains(expected), "\(text)")
  }

  @Test(arguments: [
    ("hpc.render('-T {{T|%.3f}} -L {{L}}', {T = 2.27, L = 16})", "-T 2.270 -L 16"),
    ("hpc.render('a@b -T @T@', {T = 1}, {markers = {'@', '@'}})", "a@b -T 1"),
    ("hpc.render('{{x|sh}} {{x|raw}}', {x = \"it's\"})", "'it'\\''s' it's"),
    (
      "hpc.render('\\n{{temq}}', {temp = 1})",
      "bad argument #1 to 'render' (line 2: unknown name {{temq}}: did you mean temp?)"
    ),
    ("hpc.render('{{x}}', {x = 'a b'})", "say {{x|sh}} to quote it"),
    ("hpc.render('', {x = {}})", "bad argument #2 to 'render'"),
    ("hpc.render('', {}, {markers = {'@'}})", "must be two strings"),
  ])
  func renderingFillsPlaces(_ code: String, _ expected: String) async throws {
    let text = try await Self.run("return \(code)")
    #expect(text.contains(expected), "\(text)")
  }
}
