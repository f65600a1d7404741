import Glibc
import JSON
import SigV4
import Synchronization

/// The objects of the bucket as files, with an index in memory.
///
/// A key may be any text, so a file is named by the key's SHA-256. It holds the body, then what is
/// known of the object as JSON, then eight bytes with that JSON's length: one rename makes an
/// object whole, and the index is read back from the files.
final class ObjectFolder: Sendable {
  /// An object that is open for reading.
  struct Opened: ~Copyable {
    let info: ObjectInfo
    let file: LocalFiles.Descriptor

    init(info: ObjectInfo, file: consuming LocalFiles.Descriptor) {
      self.info = info
      self.file = file
    }

    /// Gives the descriptor away.
    consuming func release() -> Int32 { file.release() }
  }

  private struct Index: ~Copyable {
    /// In ascending order.
    var keys: [ObjectKey] = []
    var objects: [ObjectKey: ObjectInfo] = [:]
    var temporaries = 0
  }

  private static let trailerLength = 8
  private static let longestInfo = 1 << 20

  let path: String
  private let index = Mutex(Index())
  private let lock: Int32

  /// Opens or makes a folder and reads its index.
  init(_ path: String) throws(FileFailure) {
    try LocalFiles.makeFolder(path + "/objects", mode: 0o700)
    self.path = path
    let lock = try LocalFiles.Descriptor(path + "/lock", O_RDWR | O_CREAT, mode: 0o600)
    guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
      throw FileFailure(call: "lock", path: path, code: errno)
    }
    self.lock = lock.release()
    LocalFiles.removeTree(path + "/temporary")
    try LocalFiles.makeFolder(path + "/temporary", mode: 0o700)
    try load()
  }

  deinit { _ = close(lock) }

  /// Lets another simulator in.
  func unlock() {
    _ = flock(lock, LOCK_UN)
  }

  private func load() throws(FileFailure) {
    var found: [ObjectKey: ObjectInfo] = [:]
    for name in try LocalFiles.names(in: path + "/objects") {
      if let (key, info) = Self.readInfo(path + "/objects/" + name) { found[key] = info }
    }
    index.withLock {
      $0.keys = found.keys.sorted()
      $0.objects = found
    }
  }

  private static func readInfo(_ file: String) -> (ObjectKey, ObjectInfo)? {
    guard let descriptor = try? LocalFiles.Descriptor(file, O_RDONLY) else { return nil }
    let size = lseek(descriptor.number, 0, SEEK_END)
    guard size >= trailerLength else { return nil }
    var length: UInt64 = 0
    guard
      unsafe pread(descriptor.number, &length, trailerLength, size - trailerLength)
        == trailerLength, length <= longestInfo, Int(length) + trailerLength <= size
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(length))
    let start = size - trailerLength - Int(length)
    guard unsafe pread(descriptor.number, &bytes, bytes.count, start) == bytes.count,
      let value = try? JSONValue(parsing: bytes), let (key, info) = ObjectInfo.read(value),
      info.size == start
    else { return nil }
    return (key, info)
  }

  private func file(_ key: ObjectKey) -> String {
    path + "/objects/" + SHA256.hexadecimal(of: key.bytes)
  }

  /// A file for a body to come.
  func newWriter(hashed: Bool) throws(FileFailure) -> ObjectWriter {
    let number = index.withLock { index in
      index.temporaries += 1
      return index.temporaries
    }
    return try ObjectWriter("\(path)/temporary/\(number)", hashed: hashed)
  }

  /// Makes a body the object of a key, replacing the one before.
  ///
  /// - Returns: what is known of it.
  func put(
    _ key: ObjectKey, _ body: ObjectWriter, etag: String? = nil, headers: [ObjectInfo.Header],
    modified: Int64
  ) throws(FileFailure) -> ObjectInfo {
    let info = ObjectInfo(
      size: body.size, etag: etag ?? Hexadecimal.text(body.md5Digest), modified: modified,
      headers: headers)
    let known = info.json(key: key).encoded()
    let length = unsafe withUnsafeBytes(of: UInt64(known.count)) { unsafe Array($0) }
    let failure = index.withLock { index -> FileFailure? in
      do throws(FileFailure) {
        try body.keep(trailer: known + length, as: file(key))
      } catch {
        return error
      }
      if index.objects.updateValue(info, forKey: key) == nil {
        index.keys.insert(key, at: index.keys.lowerBound { $0 < key })
      }
      return nil
    }
    if let failure { throw failure }
    return info
  }

  /// nil where there is none.
  func info(_ key: ObjectKey) -> ObjectInfo? {
    index.withLock { $0.objects[key] }
  }

  /// The object as it is now; a later one of the same key does not change what is read.
  func open(_ key: ObjectKey) -> Opened? {
    let (info, descriptor) = index.withLock { index -> (ObjectInfo?, Int32) in
      guard let info = index.objects[key] else { return (nil, -1) }
      guard let file = try? LocalFiles.Descriptor(file(key), O_RDONLY) else {
        // Someone removed the file.
        Self.remove(key, from: &index)
        return (nil, -1)
      }
      return (info, file.release())
    }
    guard let info else { return nil }
    return Opened(info: info, file: LocalFiles.Descriptor(adopting: descriptor))
  }

  /// Whether there was one.
  @discardableResult
  func delete(_ key: ObjectKey) -> Bool {
    index.withLock { index in
      _ = unsafe unlink(file(key))
      return Self.remove(key, from: &index)
    }
  }

  @discardableResult
  private static func remove(_ key: ObjectKey, from index: inout Index) -> Bool {
    guard index.objects.removeValue(forKey: key) != nil else { return false }
    let place = index.keys.lowerBound { $0 < key }
    index.keys.remove(at: place)
    return true
  }

  /// A page of a listing, with what is known of its objects.
  func list(
    _ query: ObjectListing.Query
  ) -> (listing: ObjectListing, infos: [ObjectKey: ObjectInfo]) {
    index.withLock { index in
      let listing = ObjectListing(index.keys, query)
      var infos: [ObjectKey: ObjectInfo] = [:]
      for case .object(let key) in listing.items { infos[key] = index.objects[key] }
      return (listing, infos)
    }
  }

  /// All keys that begin so, in order.
  func keys(prefix: [UInt8]) -> [ObjectKey] {
    index.withLock { index in
      let start = index.keys.lowerBound { $0 < ObjectKey(prefix) }
      return Array(index.keys[start...].prefix { $0.bytes.starts(with: prefix) })
    }
  }

  var isEmpty: Bool { index.withLock { $0.keys.isEmpty } }
}
