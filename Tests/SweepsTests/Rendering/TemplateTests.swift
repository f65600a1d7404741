import Testing

@testable import Sweeps

@Suite struct TemplateTests {
  static let values: [String: ParameterValue] = [
    "T": 1.2, "L": 16, "name": "a b's", "on": true, "empty": "", "path": "r/T-1.dat", "big": 1e20,
  ]

  @Test(
    arguments: [
      ("T={{T}} L={{ L }}", "T=1.2 L=16"), ("{{on}}{{path}}", "truer/T-1.dat"),
      ("{{name|sh}}", "'a b'\\''s'"), ("{{name|raw}}", "a b's"), ("{{empty|sh}}", "''"),
      ("{{T|%.3f}}|{{L|%05d}}|{{L|%g}}", "1.200|00016|16"), ("{{T|%+8.2e}}", "+1.20e+00"),
      ("{{L|%x}}", "10"), ("{{big}}", "1e+20"), ("no place", "no place"), ("", ""),
      ("awk '{{print $1}}' {{L}}", "awk '{{print $1}}' 16"), ("{{a,b},{c}}", "{{a,b},{c}}"),
      ("{{L", "{{L"), ("{{{L}}}", "{16}"), ("é{{L}}ü", "é16ü"), ("{{\nL}}", "{{\nL}}"),
    ])
  func renders(text: String, expected: String) throws {
    #expect(try Template(text).render { Self.values[$0] } == expected)
  }

  @Test(
    arguments: [
      ("T=@T@", "T=1.2"), ("\"$@\" @L@ ${a[@]}", "\"$@\" 16 ${a[@]}"),
      ("me@host.org and you@host.org", "me@host.org and you@host.org"), ("a @ L @ b", "a @ L @ b"),
      ("@T|%.2f@@L@", "1.2016"),
    ])
  func otherMarkers(text: String, expected: String) throws {
    let template = try Template(text, markers: .init(open: "@", close: "@"))
    #expect(try template.render { Self.values[$0] } == expected)
  }

  @Test func unknownNamesHaveTheirLinesAllAtOnce() throws {
    let template = try Template("a\n{{Tt}} {{T}}\n\n{{zzzzzz}}", source: "ising.sh")
    let error = #expect(throws: TemplateError.self) { try template.check(known: ["T", "L"]) }
    #expect(
      error?.description
        == "ising.sh:2: unknown name {{Tt}}: did you mean T?\nising.sh:4: unknown name {{zzzzzz}}")
    try Template("{{point}} {{dir}} {{previous}}").check(known: [])
  }

  @Test func valuesThatAreNoPlainWordWantAFilter() throws {
    let error = #expect(throws: TemplateError.self) {
      try Template("x\n{{name}}{{empty}}").render { Self.values[$0] }
    }
    #expect(error?.problems.map(\.line) == [2, 2])
    #expect(error?.description.contains("{{name|sh}}") == true)
    #expect(try Template("[{{previous}}]").render { _ in "" } == "[]")
  }

  @Test(arguments: [
    "{{T|shh}}", "{{T|%s}}", "{{T|%n}}", "{{T|%.3f%n}}", "{{T|%*d}}", "{{T|%100d}}",
  ])
  func filtersThatAreNoneAreRefused(text: String) {
    let error = #expect(throws: TemplateError.self) { try Template("\n\n" + text) }
    #expect(error?.problems.map(\.line) == [3])
  }

  @Test(arguments: ["{{T|%d}}", "{{name|%g}}", "{{on|%d}}"])
  func formatsThatDoNotFitAreRefused(text: String) throws {
    let template = try Template(text)
    #expect(throws: TemplateError.self) { try template.render { Self.values[$0] } }
  }

  @Test func namesAndVariablesAreFound() throws {
    let text = "{{T}} {{T|sh}} $L ${x} ${y:-1} ${#z} \\$$u ${!v} $1 $"
    #expect(try Template(text).names == ["T"])
    #expect(ShellText.variables(in: text) == ["L", "x", "y", "z", "u", "v"])
  }

  @Test(
    arguments: [
      ("echo $((2 * T + L2))\necho x", ["T", "L2"]), ("$((T", ["T"]), ("echo T", []),
      ("import os; os.environ[\"T\"], os.environ.get('L', x)", ["T", "L"]),
      ("awk '{ print ENVIRON[\"T\"] }'", ["T"]), ("print $ENV{T};", ["ENV", "T"]),
      ("print(\"T\")", []), ("getenv(\"T\") \"not a name\"", ["T", "not"]), ("é$((é+T))é", ["T"]),
    ] as [(String, Set<String>)])
  func variablesAreFoundWhereShellsAndOthersAskForThem(text: String, expected: Set<String>) {
    #expect(ShellText.variables(in: text) == expected)
  }

  @Test(
    arguments: ["T", "L", "name", "on", "empty", "path", "big"],
    ["{{%}}", "{{%|sh}}", "{{%|raw}}", "{{%|%d}}", "{{%|%.3f}}"])
  func demandsAreWhatRenderingRefuses(name: String, place: String) throws {
    let template = try Template(place.replacing("{{%", with: "{{\(name)"))
    let value = try #require(Self.values[name])
    let isRefused = template.demands.contains { !$0.accepts(value) }
    let text = try? template.render { Self.values[$0] }
    #expect(isRefused == (text == nil))
  }

  @Test(
    arguments: [
      ("log-*.txt", "'log-'*'.txt'"), ("a b", "'a b'"), ("[ab]?", "['ab']?"),
      ("it's", "'it'\\''s'"),
    ])
  func patternsKeepOnlyTheirWildcards(pattern: String, expected: String) {
    #expect(ShellText.glob(pattern) == expected)
  }
}
