import Testing

@testable import LuaAPI

@Suite struct APISpecTests {
  @Test func describesEachPathOnce() {
    let paths = APISpec.entries.map(\.path)
    #expect(Set(paths).count == paths.count)
    for entry in APISpec.entries {
      #expect(entry.summary.hasSuffix("."), "\(entry.path)")
      #expect(entry.parameters.allSatisfy { !$0.summary.isEmpty }, "\(entry.path)")
    }
  }

  @Test func signaturesReadLikeLua() {
    #expect(APISpec.entry("hpc.jobs.list")?.signature == "hpc.jobs.list([options]) --> Job[]")
    #expect(APISpec.entry("Job:cancel")?.signature == "Job:cancel()")
    #expect(APISpec.entry("Job.id")?.signature == "Job.id: integer")
    #expect(APISpec.entry("hpc.jobs.list")?.name == "list")
    #expect(APISpec.entry("Job:cancel")?.name == "cancel")
  }

  @Test func helpNamesOptionsUnitsErrorsAndExample() throws {
    let text = HelpText.describe(try #require(APISpec.entry("hpc.jobs.submit")))
    for part in ["jobfile", "qopt", "ambiguous", "Example", "hpc.jobs.submit(job)"] {
      #expect(text.contains(part))
    }
    #expect(HelpText.members(of: "Job")?.contains("Job:refresh()") == true)
    #expect(HelpText.members(of: "Nothing") == nil)
    for name in [
      "Task", "Sync", "Transfer", "Sweep", "Row", "Space", "Error", "hpc.Error", "Config",
    ] {
      #expect(HelpText.members(of: name) != nil, "\(name)")
    }
    #expect(HelpText.folder("hpc.jobs")?.contains("hpc.jobs.wait") == true)
    #expect(HelpText.folder("jobs") == HelpText.folder("hpc.jobs"))
  }

  @Test(arguments: [
    ("hpc.jobs.submitt", "did you mean hpc.jobs.submit?"), ("submitt", "hpc.jobs.submit?"),
    ("jobs.submt", "hpc.jobs.submit?"), ("Job.stat", "Job.state?"), ("Swep", "hpc.sweep?"),
    ("nix", "hpc.help() lists"), ("nothing", "hpc.help() lists"), ("\u{1b}[2J", "hpc.help() lists"),
  ])
  func unknownNamesGetTheNearest(name: String, answer: String) {
    let text = HelpText.unknown(name)
    #expect(text.contains(answer), "\(text)")
    #expect(text.count < 100)
    #expect(!text.contains("\u{1b}"))
  }
}
