import Foundation
import Testing

@testable import Sweeps

@Suite struct SweepCatalogTests {
  @Test func jobsOfAJournalAreFoundBeforeAndAfterItWasLeftAlone() throws {
    let file = try JournalFile()
    let journal = try file.journal(points: 3)
    let catalog = SweepCatalog(folder: file.folder.appending(path: "catalog").path)
    catalog.register(.init(name: "ising", journal: file.path))
    func leaveAlone() throws {
      let longAgo: [FileAttributeKey: Any] = [.modificationDate: Date(timeIntervalSinceNow: -3600)]
      try FileManager.default.setAttributes(longAgo, ofItemAtPath: file.path)
    }
    func places(_ id: Int64, _ name: String) -> [SweepCatalog.Place] {
      Array(catalog.places(of: [(id, name)], service: JournalFile.service).values)
    }

    // Summed up while it holds no jobs, then written.
    try leaveAlone()
    #expect(places(1, "other") == [])
    var schedule = Schedule(seed: 1)
    schedule.prepare = { _, client in client.mirror = journal }
    let record = schedule.run().record
    let submission = try #require(record.submissions.first { !$0.jobs.isEmpty })
    let id = try #require(submission.jobs.keys.first)

    for _ in 0..<2 {
      #expect(places(id, "other").map(\.sweep) == ["ising"])
      #expect(places(-1, submission.name).map(\.journal) == [file.path])
      #expect(places(-1, "other") == [])
      let elsewhere = JournalService(endpoint: "https://other.example", account: "AK…7Q")
      #expect(catalog.places(of: [(id, "other")], service: elsewhere).isEmpty)
      try leaveAlone()
      #expect(places(-1, "other") == [])
    }
  }
}
