import FoundationEssentials
import HTTP
import JSON
import SigV4
import Testing

@testable import Simulator

@Suite struct BucketTests {
  @Test func `objects survive a restart, and half uploads do not`() throws {
    let parent = try makeTestFolder()
    defer { LocalFiles.removeTree(parent) }
    let folder = parent + "/kept"
    let key = "a/b c%20/ü"
    let target = "/hpc/" + PercentEncoding.path(key)
    let body = [UInt8]((0..<100_000).map { UInt8(truncatingIfNeeded: $0) })
    let first = try TestSimulator { $0.home = folder }
    var client = try TestClient(first.simulator, ofBucket: true)
    #expect(
      try client.send(
        .put, target, body: body, headers: ["Content-Type": "text/x", "x-amz-meta-a": "1"]
      ).status == 200)
    #expect(try client.send(.put, "/hpc/empty").status == 200)
    let writer = try ObjectFolder(folder + "/other").newWriter(hashed: false)
    try writer.write([1, 2, 3])
    first.simulator.stop()
    let second = try TestSimulator { $0.home = folder }
    client = try TestClient(second.simulator, ofBucket: true)
    let read = try client.send(.get, target)
    #expect(read.status == 200)
    #expect(read.body == body)
    #expect(read.headers["Content-Type"] == "text/x")
    #expect(read.headers["x-amz-meta-a"] == "1")
    #expect(try client.send(.get, "/hpc/empty").body.isEmpty)
    #expect(try LocalFiles.names(in: folder + ".bucket/objects").count == 2)
    #expect(try LocalFiles.names(in: folder + ".bucket/temporary").allSatisfy { $0 == "parts" })
  }

  @Test func `a broken file in the folder is no object`() throws {
    let test = try TestSimulator()
    let folder = test.home + "/folder"
    do {
      let objects = try ObjectFolder(folder)
      let writer = try objects.newWriter(hashed: false)
      try writer.write(Array("hello".utf8))
      _ = try objects.put(ObjectKey("good"), writer, headers: [], modified: 0)
    }
    let names = try LocalFiles.names(in: folder + "/objects")
    let whole = try LocalFiles.read(folder + "/objects/" + names[0])
    for (index, bytes) in [
      [], [1, 2, 3], [UInt8](repeating: 0xff, count: 64), Array(whole.dropLast()),
    ]
    .enumerated() {
      try LocalFiles.replace(folder + "/objects/broken\(index)", with: bytes)
    }
    let objects = try ObjectFolder(folder)
    #expect(objects.keys(prefix: []) == [ObjectKey("good")])
    #expect(objects.info(ObjectKey("good"))?.size == 5)
  }

  @Test func `a removed file is a missing key`() throws {
    let test = try TestSimulator()
    let client = try TestClient(test.simulator, ofBucket: true)
    #expect(try client.send(.put, "/hpc/x", body: [1]).status == 200)
    LocalFiles.removeTree(test.home + ".bucket/objects")
    try LocalFiles.makeFolder(test.home + ".bucket/objects")
    #expect(try client.send(.get, "/hpc/x").status == 404)
    #expect(try client.send(.put, "/hpc/x", body: [1]).status == 200)
    #expect(try client.send(.head, "/hpc/x").status == 200)
  }

  @Test func `bucket connections do not count for the API`() throws {
    let test = try TestSimulator()
    let client = try TestClient(test.simulator, ofBucket: true)
    let many = try (0..<12).map { _ in try client.connect() }
    for connection in many {
      #expect(try client.send(.get, "/hpc?list-type=2", on: connection).status == 200)
    }
    #expect(try test.client.send(.get, "/jobs").status == 200)
    #expect(try test.client.state()["connections"]?["peak"] == 1)
  }
}
