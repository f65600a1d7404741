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
  }
}
