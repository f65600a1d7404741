import Glibc
import HTTP
import JSON
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(5))) struct FileSyncTests {
  private func put(_ test: TestSimulator, _ key: String, _ text: String) throws {
    let client = try TestClient(test.simulator, ofBucket: true)
    let response = try client.send(
      .put, "/hpc/" + PercentEncoding.path(key), body: Array(text.utf8))
    #expect(response.status == 200)
  }

  private func keys(_ test: TestSimulator) throws -> [String] {
    let client = try TestClient(test.simulator, ofBucket: true)
    let text = String(decoding: try client.send(.get, "/hpc?list-type=2").body, as: UTF8.self)
    return text.split(separator: "<Key>").dropFirst().map { String($0.prefix { $0 != "<" }) }
  }

  private func get(_ test: TestSimulator, _ key: String) throws -> String? {
    let client = try TestClient(test.simulator, ofBucket: true)
    let response = try client.send(.get, "/hpc/" + PercentEncoding.path(key))
    return response.status == 200 ? String(decoding: response.body, as: UTF8.self) : nil
  }

  /// Syncs and waits for the end.
  private func sync(
    _ test: TestSimulator, _ path: String, _ direction: String = "from_online",
    delete: Bool = false
  ) throws -> JSONValue {
    let response = try test.client.post(
      "/files/sync",
      ["path": .string(path), "direction": .string(direction), "delete": .bool(delete)])
    #expect(response.status == 200)
    let id = try #require(try JSONValue(parsing: response.body)["requestid"]?.int)
    return try test.client.endedSync(Int(id))
  }

  private let done: JSONValue = ["status": "complete", "result": "0"]

  @Test func `files come down and go up`() throws {
    let test = try TestSimulator()
    try put(test, "in/a.txt", "a")
    try put(test, "in/deep/er/ü b", "b")
    try put(test, "in/folder/", "")
    try put(test, "other", "o")
    #expect(try sync(test, "in") == done)
    #expect(try test.text("in/a.txt") == "a")
    #expect(try test.text("in/deep/er/ü b") == "b")
    #expect(LocalFiles.kind(test.home + "/other") == nil)
    var information = stat()
    #expect(unsafe stat(test.home + "/in/a.txt", &information) == 0)
    #expect(information.st_mode & 0o777 == 0o644)
    try test.script("in/result", "r")
    #expect(try sync(test, "in/", "to_online") == done)
    #expect(try get(test, "in/result") == "r")
    #expect(try keys(test) == ["in/a.txt", "in/deep/er/ü b", "in/folder/", "in/result", "other"])
  }

  @Test func `what changed on a side is copied over, what did not is left alone`() throws {
    let test = try TestSimulator()
    try put(test, "d/x", "one")
    #expect(try sync(test, "d") == done)
    let before = SyncTree.Stamp(test.home + "/d/x")
    #expect(try sync(test, "d") == done)
    #expect(SyncTree.Stamp(test.home + "/d/x") == before)
    try put(test, "d/x", "two")
    #expect(try sync(test, "d") == done)
    #expect(try test.text("d/x") == "two")
    try test.script("d/x", "six")
    #expect(try sync(test, "d", "to_online") == done)
    #expect(try get(test, "d/x") == "six")
    try test.script("d/x", "own")
    #expect(try sync(test, "d") == done)
    #expect(try test.text("d/x") == "six")
  }

  @Test func `delete makes the destination what the source is`() throws {
    let test = try TestSimulator()
    try put(test, "d/kept", "k")
    try put(test, "e/else", "e")
    try LocalFiles.makeFolder(test.home + "/d/sub")
    try test.script("d/sub/old", "o")
    #expect(try sync(test, "d") == done)
    #expect(LocalFiles.kind(test.home + "/d/sub/old") == .file)
    #expect(try sync(test, "d", delete: true) == done)
    #expect(LocalFiles.kind(test.home + "/d/sub/old") == nil)
    #expect(LocalFiles.kind(test.home + "/d/kept") == .file)
    LocalFiles.removeTree(test.home + "/d/kept")
    #expect(try sync(test, "d", "to_online") == done)
    #expect(try keys(test) == ["d/kept", "e/else"])
    #expect(try sync(test, "d", "to_online", delete: true) == done)
    #expect(try keys(test) == ["e/else"])
  }

  @Test func `a whole home goes up without the account`() throws {
    let test = try TestSimulator()
    try test.script("x", "x")
    #expect(try sync(test, "", "to_online") == done)
    #expect(try keys(test) == ["x"])
    try put(test, ".hpc-sim/account.json", "{}")
    #expect(try sync(test, ".")["result"] == "1")
    #expect(try test.text(".hpc-sim/account.json").contains(test.simulator.accessKeyID))
    #expect(try sync(test, "", delete: true)["result"] == "1")
    #expect(LocalFiles.kind(test.home + "/.hpc-sim/account.json") == .file)
  }

  @Test(arguments: ["../x", "/etc", "a/../../b", ".hpc-sim"])
  func `paths outside home are an error`(path: String) throws {
    let test = try TestSimulator()
    #expect(try sync(test, path) == ["status": "error: parameter error"])
    #expect(try sync(test, path, "to_online") == ["status": "error: parameter error"])
  }

  @Test func `links do not lead outside`() throws {
    let test = try TestSimulator()
    let outside = try makeTestFolder()
    defer { LocalFiles.removeTree(outside) }
    try LocalFiles.replace(outside + "/secret", with: [1])
    try LocalFiles.makeFolder(test.home + "/d")
    _ = unsafe symlink(outside, test.home + "/link")
    _ = unsafe symlink(outside, test.home + "/d/link")
    _ = unsafe symlink(outside + "/secret", test.home + "/d/file")
    try put(test, "link/a", "a")
    try put(test, "d/link/b", "b")
    #expect(try sync(test, "link") == ["status": "error: parameter error"])
    #expect(try sync(test, "link", "to_online") == ["status": "error: parameter error"])
    #expect(try sync(test, "d")["result"] == "1")
    #expect(try sync(test, "d", "to_online", delete: true) == done)
    #expect(try LocalFiles.names(in: outside) == ["secret"])
    #expect(try keys(test) == ["link/a"])
  }

  @Test func `keys that are no paths are left out and told by the result`() throws {
    let test = try TestSimulator()
    for key in ["d/../up", "d//x", "d/fine", "d/a/"] { try put(test, key, "1") }
    #expect(try sync(test, "d") == ["status": "complete", "result": "1"])
    #expect(try LocalFiles.names(in: test.home + "/d") == ["fine"])
    #expect(LocalFiles.kind(test.home + "/up") == nil)
  }

  @Test func `a missing folder cannot go up, a missing prefix brings nothing`() throws {
    let test = try TestSimulator()
    #expect(try sync(test, "none", "to_online")["result"] != "0")
    #expect(try sync(test, "none") == done)
    try test.script("file", "")
    #expect(try sync(test, "file", "to_online") == ["status": "error: parameter error"])
  }

  @Test func `the bucket's prefix is honoured`() throws {
    let test = try TestSimulator { $0.storagePrefix = "team/home/" }
    try put(test, "team/home/d/x", "x")
    #expect(try sync(test, "d") == done)
    #expect(try test.text("d/x") == "x")
    try test.script("d/y", "y")
    #expect(try sync(test, "d", "to_online") == done)
    #expect(try keys(test) == ["team/home/d/x", "team/home/d/y"])
  }

  @Test func `an id that was never given is told so`() throws {
    let test = try TestSimulator()
    #expect(
      try JSONValue(parsing: test.client.send(.get, "/files/sync/99").body)
        == ["status": "error: non such ID"])
  }

  /// Runs the road there and back: script and input up, sync, job, sync, result down.
  @Test func `a job's files make the whole way`() throws {
    let test = try TestSimulator()
    try put(test, "work/run.sh", "#!/bin/sh\ncd work && tr a-z A-Z < input > output\n")
    try put(test, "work/input", "hello")
    #expect(try sync(test, "work") == done)
    _ = try test.client.ended(test.client.submit("work/run.sh"))
    #expect(try sync(test, "work", "to_online") == done)
    #expect(try get(test, "work/output") == "HELLO")
  }

  @Test func `a torn sync leaves halves, and the next one mends them`() throws {
    let test = try TestSimulator()
    let folder = try ObjectFolder(test.home + "/bucket-of-this-test")
    let files = FileSync(home: test.home, folder: folder, prefix: "", pause: { _ in true })
    for name in ["a", "b", "c", "d"] {
      let writer = try folder.newWriter(hashed: false)
      try writer.write(Array("0123456789".utf8))
      _ = try folder.put(ObjectKey("t/" + name), writer, headers: [], modified: 0)
    }
    let body = try SyncBody(["path": "t"])
    #expect(files.perform(body, trouble: .fail) == .complete(result: 1))
    #expect(LocalFiles.kind(test.home + "/t") == nil)
    #expect(files.perform(body, trouble: .tear) == .complete(result: 1))
    #expect(try LocalFiles.names(in: test.home + "/t") == ["a", "b", "c"])
    #expect(try test.text("t/c") == "01234")
    #expect(files.perform(body, trouble: nil) == .complete(result: 0))
    #expect(try test.text("t/c") == "0123456789")
    try test.script("t/e", "0123456789")
    let back = try SyncBody(["path": "t", "direction": "to_online"])
    #expect(files.perform(back, trouble: .slow(.seconds(1))) == .complete(result: 0))
    #expect(folder.info(ObjectKey("t/e"))?.size == 10)
  }
}
