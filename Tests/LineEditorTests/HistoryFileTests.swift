import Glibc
import Testing

@testable import LineEditor

struct HistoryFileTests {
  /// A fresh folder that goes with the object.
  private final class Folder {
    let path: String
    init() {
      var template = Array("/tmp/hpc-history-XXXXXX".utf8CString)
      _ = unsafe mkdtemp(&template)
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit {
      for name in ["a/b/history", "a/b", "a", "history", "other", "link"] {
        _ = unsafe remove("\(path)/\(name)")
      }
      _ = unsafe rmdir(path)
    }
  }

  private func text(_ entries: [[UInt8]]) -> [String] {
    entries.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: [
    "x = 1", "for i = 1, 2 do\n  print('a\\n')\nend", "\\", "\\\n\\n", "print '\t'",
  ])
  func `entries of several lines survive`(entry: String) throws {
    let folder = Folder()
    let file = HistoryFile(path: folder.path + "/a/b/history")
    try file.append(Array(entry.utf8))
    try file.append(Array("next".utf8))
    #expect(text(try file.load()) == [entry, "next"])
    var information = stat()
    #expect(unsafe stat(folder.path + "/a/b/history", &information) == 0)
    #expect(information.st_mode & 0o777 == 0o600)
  }

  @Test func `bytes that are no UTF-8 survive`() throws {
    let folder = Folder()
    let file = HistoryFile(path: folder.path + "/history")
    try file.append([0xff, 0x5c, 0x0a, 0x80])
    #expect(try file.load() == [[0xff, 0x5c, 0x0a, 0x80]])
  }

  @Test func `no file is an empty history`() throws {
    let folder = Folder()
    #expect(try HistoryFile(path: folder.path + "/history").load().isEmpty)
  }

  @Test func `two sessions keep both their entries`() async throws {
    let folder = Folder()
    let path = folder.path + "/history"
    try await withThrowingTaskGroup(of: Void.self) { group in
      for session in 0..<4 {
        group.addTask {
          let file = HistoryFile(path: path, limit: 1000)
          for entry in 0..<100 { try file.append(Array("s\(session) \(entry)".utf8)) }
        }
      }
      try await group.waitForAll()
    }
    let entries = text(try HistoryFile(path: path, limit: 1000).load())
    #expect(entries.count == 400)
    for session in 0..<4 {
      #expect(
        entries.filter { $0.hasPrefix("s\(session) ") } == (0..<100).map { "s\(session) \($0)" })
    }
  }

  @Test func `half a line of a dead session does not swallow the next entry`() throws {
    let folder = Folder()
    let path = folder.path + "/history"
    let descriptor = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
    #expect(Descriptor.write(Array("one\nhal".utf8), to: descriptor))
    _ = Glibc.close(descriptor)
    try HistoryFile(path: path).append(Array("two".utf8))
    #expect(text(try HistoryFile(path: path).load()) == ["one", "hal", "two"])
  }

  @Test func `a long file is shortened to its newest entries`() throws {
    let folder = Folder()
    let file = HistoryFile(path: folder.path + "/history", limit: 5)
    for entry in 0..<11 { try file.append(Array("\(entry)".utf8)) }
    #expect(text(try file.load()) == ["6", "7", "8", "9", "10"])
    try file.append(Array("11".utf8))
    #expect(text(try file.load()) == ["6", "7", "8", "9", "10", "11"])
  }

  @Test func `a link in the place of the file is refused`() throws {
    let folder = Folder()
    #expect(unsafe symlink(folder.path + "/other", folder.path + "/link") == 0)
    #expect(throws: HistoryFile.Failure.self) {
      try HistoryFile(path: folder.path + "/link").append(Array("x".utf8))
    }
  }
}
