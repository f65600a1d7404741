import Glibc
import TestSupport
import Testing

@testable import CurlTransport

@Suite struct LockDirectoryTests {
  @Test func aMissingDirectoryIsMadeForItsOwnerAlone() throws {
    let folder = try TemporaryFolder()
    let directory = try LockDirectory(path: folder.path + "/new")
    var status = stat()
    try #require(unsafe lstat(directory.path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
    #expect(throws: Never.self) { try LockDirectory(path: directory.path) }
  }

  @Test func whatClearsOldFilesMeetsALock() throws {
    let folder = try TemporaryFolder()
    let directory = try LockDirectory(path: folder.path + "/new")
    // As systemd-tmpfiles does before it removes what is in it.
    let descriptor = unsafe open(directory.path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    let result = withExtendedLifetime(directory) { flock(descriptor, LOCK_EX | LOCK_NB) }
    #expect(result == -1 && errno == EWOULDBLOCK)
  }

  @Test func whatCannotBeMadeIsRefused() throws {
    let folder = try TemporaryFolder()
    #expect(throws: LockDirectory.Problem.create(path: folder.path + "/a/b", errno: ENOENT)) {
      try LockDirectory(path: folder.path + "/a/b")
    }
  }

  @Test func aLinkIsRefused() throws {
    let folder = try TemporaryFolder()
    _ = try LockDirectory(path: folder.path + "/real")
    try #require(unsafe symlink(folder.path + "/real", folder.path + "/link") == 0)
    #expect(throws: LockDirectory.Problem.notDirectory(path: folder.path + "/link")) {
      try LockDirectory(path: folder.path + "/link")
    }
  }

  @Test func aFileIsRefused() throws {
    let folder = try TemporaryFolder()
    close(unsafe open(folder.path + "/file", O_CREAT | O_WRONLY, 0o600))
    #expect(throws: LockDirectory.Problem.notDirectory(path: folder.path + "/file")) {
      try LockDirectory(path: folder.path + "/file")
    }
  }

  @Test(arguments: [0o755, 0o770, 0o777, 0o1777, 0o500] as [mode_t])
  func aModeThatLetsOthersInIsRefused(mode: mode_t) throws {
    let folder = try TemporaryFolder()
    try #require(unsafe mkdir(folder.path + "/open", 0o700) == 0)
    try #require(unsafe chmod(folder.path + "/open", mode) == 0)
    #expect(throws: LockDirectory.Problem.open(path: folder.path + "/open", mode: mode & 0o777)) {
      try LockDirectory(path: folder.path + "/open")
    }
  }

  @Test func someoneElsesIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/theirs"
    try #require(unsafe mkdir(path, 0o700) == 0)
    // Only root can give things away; anybody else has the root directory, which is root's.
    let given = unsafe chown(path, 12345, 0) == 0
    let expected: LockDirectory.Problem =
      given ? .foreign(path: path, owner: 12345) : .foreign(path: "/", owner: 0)
    #expect(throws: expected) { try LockDirectory(path: given ? path : "/") }
  }
}

@Suite struct LockFileTests {
  @Test func oneOfTwoGetsTheLock() throws {
    let folder = try TemporaryFolder()
    let directory = try LockDirectory(path: folder.path)
    let first = LockFile("x", in: directory)
    let second = LockFile("x", in: directory)
    #expect(first.lock(LOCK_EX) == .locked)
    #expect(second.lock(LOCK_EX) == .busy)
    first.unlock()
    #expect(second.lock(LOCK_EX) == .locked)
    #expect(first.lock(LOCK_SH) == .busy)
  }

  @Test func aRemovedFileIsNotTheLock() throws {
    let folder = try TemporaryFolder()
    let directory = try LockDirectory(path: folder.path)
    let first = LockFile("x", in: directory)
    let second = LockFile("x", in: directory)
    #expect(second.lock(LOCK_EX) == .locked)
    second.unlock()
    #expect(first.lock(LOCK_EX) == .locked)
    first.remove()
    // The second one's descriptor is of the old file; it must lock the new one.
    #expect(second.lock(LOCK_EX) == .locked)
    #expect(first.lock(LOCK_EX) == .busy)
  }

  @Test func aRemovedDirectoryIsAnErrorAndNoWait() throws {
    let folder = try TemporaryFolder()
    let directory = try LockDirectory(path: folder.path + "/gone")
    try #require(unsafe rmdir(directory.path) == 0)
    #expect(LockFile("x", in: directory).lock(LOCK_EX) == .failed(errno: ENOENT))
  }

  @Test func theTextIsReplaced() throws {
    let folder = try TemporaryFolder()
    let file = LockFile("x", in: try LockDirectory(path: folder.path))
    try #require(file.lock(LOCK_EX) == .locked)
    file.text = "a long text"
    file.text = "short"
    #expect(file.text == "short")
  }
}
