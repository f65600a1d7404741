import Foundation

@testable import Sweeps

/// A journal in a temporary folder.
final class JournalFile {
  static let service = JournalService(endpoint: "https://hpc.example", account: "AK…7Q")

  let folder: URL
  var path: String { folder.appending(path: "ising.sweep").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "journal-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  func open(service: JournalService = service) throws -> SweepJournal {
    try SweepJournal(path: path, name: "ising", service: service, now: 1_700_000_000)
  }

  /// A journal with points.
  func journal(points: Int) throws -> SweepJournal {
    let journal = try open()
    let axis = try Series.range(1, .integer(Int64(points)))
    try journal.register(points: try Space.grid(["T": axis]).select())
    return journal
  }
}
