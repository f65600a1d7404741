import FoundationEssentials
import Glibc
import Synchronization

/// Copies between home and bucket, file by file, while jobs go on.
///
/// `<home>/<path>/x` and the key `<prefix><path>/x` are the same file. A bucket knows no modes, so
/// what comes from it is 0644. Files that are as the last sync left them on both sides are not
/// copied again.
final class FileSync: Sendable {
  /// What goes wrong in a sync.
  enum Trouble: Sendable, Hashable {
    /// Half of the files, the next one cut in half, and a result that is not 0.
    case tear
    /// Nothing is copied, and a result that is not 0.
    case fail
    /// So much time spread over the files.
    case slow(Duration)
  }

  private struct Seen: Hashable {
    var stamp: SyncTree.Stamp
    var etag: String
  }

  /// Most files that are remembered as unchanged.
  private static let remembered = 200_000

  private let home: String
  private let folder: ObjectFolder
  private let prefix: String
  private let pause: @Sendable (Duration) -> Bool
  private let seen = Mutex<[String: Seen]>([:])

  /// - Parameters:
  ///   - home: whole path.
  ///   - folder: the bucket.
  ///   - prefix: what stands before every key.
  ///   - pause: waits; false where everything is to stop.
  init(
    home: String, folder: ObjectFolder, prefix: String,
    pause: @escaping @Sendable (Duration) -> Bool
  ) {
    self.home = home
    self.folder = folder
    self.prefix = prefix
    self.pause = pause
  }

  /// Does one sync.
  func perform(_ body: SyncBody, trouble: Trouble?) -> SyncBoard.Status {
    guard let path = SyncPath(body.path), SyncTree.isPlain(path.components, below: home) else {
      return .parameterError
    }
    if trouble == .fail { return .complete(result: 1) }
    return switch body.direction {
    case .fromOnline: .complete(result: download(path, delete: body.delete, trouble))
    case .toOnline: .complete(result: upload(path, delete: body.delete, trouble))
    }
  }

  // MARK: Directions

  private func download(_ path: SyncPath, delete: Bool, _ trouble: Trouble?) -> Int {
    let base = prefix + path.prefix
    let keys = folder.keys(prefix: Array(base.utf8))
    var result = 0
    var names: Set<String> = []
    let finished = each(keys, trouble) { key, isTorn in
      let name = key.text.dropFirst(base.count)
      guard let place = path.place(name) else {
        // A key with a slash at its end stands for a folder: there is no file in it.
        if !key.text.hasSuffix("/") { result = 1 }
        return
      }
      names.insert(place.joined(separator: "/"))
      do {
        try fetch(key, to: path.components + place, isTorn: isTorn)
      } catch {
        result = 1
      }
    }
    guard finished else { return 1 }
    if delete {
      let here = local(path)
      for name in SyncTree.files(in: here, isHome: path.components.isEmpty)
      where !names.contains(name) {
        if unsafe unlink(here + "/" + name) != 0 { result = 1 }
      }
    }
    return result
  }

  private func upload(_ path: SyncPath, delete: Bool, _ trouble: Trouble?) -> Int {
    let here = local(path)
    guard LocalFiles.kind(here) == .folder else { return 1 }
    let base = prefix + path.prefix
    let names = SyncTree.files(in: here, isHome: path.components.isEmpty)
    var result = 0
    let finished = each(names, trouble) { name, isTorn in
      do throws(FileFailure) {
        try store(here + "/" + name, as: ObjectKey(base + name), isTorn: isTorn)
      } catch {
        // One that vanished since it was listed is as if it had never been there.
        if error.code != ENOENT { result = 1 }
      }
    }
    guard finished else { return 1 }
    if delete {
      let kept = Set(names.map { ObjectKey(base + $0) })
      for key in folder.keys(prefix: Array(base.utf8)) where !kept.contains(key) {
        folder.delete(key)
      }
    }
    return result
  }

  private func local(_ path: SyncPath) -> String {
    path.components.isEmpty ? home : home + "/" + path.components.joined(separator: "/")
  }

  /// Goes through files as the trouble lets it.
  ///
  /// - Returns: whether it came to the end.
  private func each<Item>(
    _ items: [Item], _ trouble: Trouble?, _ body: (Item, _ isTorn: Bool) -> Void
  ) -> Bool {
    let half = trouble == .tear ? items.count / 2 : items.count
    for (index, item) in items.enumerated() {
      if case .slow(let duration) = trouble {
        guard pause(duration / items.count) else { return false }
      } else if index % 64 == 0 {
        guard pause(.zero) else { return false }
      }
      body(item, index == half)
      if index == half { return false }
    }
    return trouble != .tear
  }

  // MARK: One file

  private func fetch(_ key: ObjectKey, to place: [String], isTorn: Bool) throws(FileFailure) {
    let path = home + "/" + place.joined(separator: "/")
    let parent = Array(place.dropLast())
    guard SyncTree.isPlain(parent, below: home) else {
      throw FileFailure(call: "open", path: path, code: ENOTDIR)
    }
    // One that was deleted since it was listed is as if it had never been there.
    guard let object = folder.open(key) else { return }
    if isUnchanged(path, etag: object.info.etag) { return }
    guard LocalFiles.kind(path) != .folder else {
      throw FileFailure(call: "open", path: path, code: EISDIR)
    }
    let temporaries = home + "/" + HomeFolder.privateName
    try LocalFiles.makeFolder(temporaries, mode: 0o700)
    let temporary = temporaries + "/incoming"
    let size = isTorn ? object.info.size / 2 : object.info.size
    do {
      let target = try LocalFiles.Descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC)
      try target.copy(from: object.file, length: size, path: temporary)
    }
    if !parent.isEmpty { try LocalFiles.makeFolder(home + "/" + parent.joined(separator: "/")) }
    guard unsafe rename(temporary, path) == 0 else {
      throw FileFailure(call: "rename", path: path, code: errno)
    }
    if !isTorn { remember(path, etag: object.info.etag) }
  }

  private func store(_ path: String, as key: ObjectKey, isTorn: Bool) throws(FileFailure) {
    if let info = folder.info(key), isUnchanged(path, etag: info.etag) { return }
    let stamp = SyncTree.Stamp(path)
    let source = try LocalFiles.Descriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    let writer = try folder.newWriter(hashed: false)
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    let end = isTorn ? UInt64(max(0, stamp?.size ?? 0)) / 2 : UInt64.max
    while writer.size < end {
      let count = try source.read(into: &chunk, path: path)
      if count == 0 { break }
      try writer.write(Array(chunk[..<Int(min(UInt64(count), end - writer.size))]))
    }
    let info = try folder.put(
      key, writer, headers: [], modified: Int64(Date().timeIntervalSince1970 * 1_000))
    // Written to while it was read: the next sync takes it again.
    if !isTorn, let stamp, stamp == SyncTree.Stamp(path) { remember(path, stamp, etag: info.etag) }
  }

  private func isUnchanged(_ path: String, etag: String) -> Bool {
    guard let stamp = SyncTree.Stamp(path) else { return false }
    return seen.withLock { $0[path] == Seen(stamp: stamp, etag: etag) }
  }

  private func remember(_ path: String, etag: String) {
    if let stamp = SyncTree.Stamp(path) { remember(path, stamp, etag: etag) }
  }

  private func remember(_ path: String, _ stamp: SyncTree.Stamp, etag: String) {
    seen.withLock { seen in
      if seen.count >= Self.remembered { seen.removeAll() }
      seen[path] = Seen(stamp: stamp, etag: etag)
    }
  }
}
