import CurlTransport
import Glibc
import TestSupport
import Testing

/// Two boards over one folder stand for two programs.
@Suite(.timeLimit(.minutes(5))) struct SharedNotesTests {
  private func notes(_ folder: TemporaryFolder, group: String = "g") throws -> SharedNotes {
    try #require(SharedNotes(group: group, path: folder.path + "/locks"))
  }

  private func left(_ outcome: SharedNotes.Outcome) throws -> SharedNotes.Kept {
    guard case .left(let kept) = outcome else {
      Issue.record("\(outcome)")
      throw CancellationError()
    }
    return kept
  }

  private func names(_ folder: TemporaryFolder) throws -> [String] {
    guard let stream = unsafe opendir(folder.path + "/locks") else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name.hasPrefix("note-") { names.append(name) }
    }
    return names
  }

  /// What another program sees.
  private func seen(_ notes: SharedNotes) throws -> [String] {
    var seen: [String] = []
    _ = try left(
      notes.leave("looking") { text, isKept in
        seen.append("\(text) \(isKept)")
        return .ignore
      })
    return seen
  }

  @Test func othersSeeANoteAsLongAsItIsKept() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try notes(folder), try notes(folder))
    var kept: SharedNotes.Kept? = try left(first.leave("a") { _, _ in .block })
    #expect(try seen(second) == ["a true"])
    #expect(try seen(first) == [])
    #expect(try seen(notes(folder, group: "h")) == [])
    kept?.write("longer than before", last: false)
    #expect(try seen(second) == ["longer than before true"])
    guard
      case .blocked(by: "longer than before", isKept: true) = second.leave(
        "b", judge: { _, _ in .block })
    else {
      Issue.record("not blocked")
      return
    }
    kept = nil
    #expect(try seen(second) == [])
    #expect(try names(folder) == [])
  }

  @Test func theLastWordStaysUntilItIsLetGo() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try notes(folder), try notes(folder))
    let kept = try left(first.leave("a") { _, _ in .block })
    kept.write("b", last: true)
    kept.write("c", last: false)
    #expect(try seen(second) == ["b false"])
    withExtendedLifetime(kept) {}
  }

  @Test func whatIsOfNoUseIsRemoved() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try notes(folder), try notes(folder))
    let kept = try left(first.leave("a") { _, _ in .block })
    kept.write("b", last: true)
    _ = try left(second.leave("c") { _, _ in .remove })
    #expect(try names(folder) == [])
    withExtendedLifetime(kept) {}
  }

  @Test func whatIsOldAndOfNobodyGoes() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try notes(folder, group: "other"), try notes(folder))
    let (dead, living) = (
      try left(first.leave("dead") { _, _ in .ignore }),
      try left(first.leave("living") { _, _ in .ignore })
    )
    dead.write("dead", last: true)
    for name in try names(folder) {
      var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
      #expect(unsafe utimensat(AT_FDCWD, folder.path + "/locks/" + name, &times, 0) == 0)
    }
    _ = try seen(second)
    #expect(try names(folder).count == 1)
    withExtendedLifetime((dead, living)) {}
  }
}
