import SigV4
import Synchronization

/// Uploads in parts that are not complete yet. They end with the simulator.
final class MultipartUploads: Sendable {
  struct Part: Sendable, Hashable {
    let number: Int
    let size: UInt64
    let etag: String
    let digest: [UInt8]
    let modified: Int64
    let path: String
  }

  struct Upload: Sendable {
    let id: String
    let key: ObjectKey
    let headers: [ObjectInfo.Header]
    let started: Int64
    var parts: [Int: Part] = [:]

    var sortedParts: [Part] { parts.values.sorted { $0.number < $1.number } }
  }

  /// S3's bound on all parts but the last.
  static let smallestPart: UInt64 = 5 << 20
  static let mostParts = 10_000

  private struct State: ~Copyable {
    var uploads: [String: Upload] = [:]
    var files = 0
  }

  private let folder: String
  private let state = Mutex(State())

  /// - Parameter folder: for the parts; emptied by whoever owns it.
  /// - Throws: where it cannot be made.
  init(folder: String) throws(FileFailure) {
    self.folder = folder
    try LocalFiles.makeFolder(folder, mode: 0o700)
  }

  func begin(_ key: ObjectKey, headers: [ObjectInfo.Header], at now: Int64) -> String {
    let id = Hexadecimal.text((0..<16).map { _ in UInt8.random(in: 0...255) })
    state.withLock { $0.uploads[id] = Upload(id: id, key: key, headers: headers, started: now) }
    return id
  }

  func upload(_ id: String, _ key: ObjectKey) throws(S3Error) -> Upload {
    guard let upload = state.withLock({ $0.uploads[id] }), upload.key == key else {
      throw .noSuchUpload
    }
    return upload
  }

  /// Uploads of keys that begin so, by key and start.
  func all(prefix: [UInt8]) -> [Upload] {
    state.withLock { Array($0.uploads.values) }
      .filter { $0.key.bytes.starts(with: prefix) }
      .sorted { ($0.key, $0.started) < ($1.key, $1.started) }
  }

  /// Keeps a part, replacing one of the same number.
  func put(
    _ body: ObjectWriter, number: Int, of id: String, at now: Int64
  ) throws(S3Error) -> Part {
    let file = state.withLock { state in
      state.files += 1
      return state.files
    }
    let digest = body.md5Digest
    let part = Part(
      number: number, size: body.size, etag: Hexadecimal.text(digest), digest: digest,
      modified: now, path: "\(folder)/\(file)")
    do {
      try body.keep(trailer: [], as: part.path)
    } catch {
      throw .internalError("\(error)")
    }
    let old = state.withLock { state -> String? in
      guard state.uploads[id] != nil else { return part.path }
      return state.uploads[id]?.parts.updateValue(part, forKey: number)?.path
    }
    if let old { LocalFiles.removeTree(old) }
    guard old != part.path else { throw .noSuchUpload }
    return part
  }

  /// Takes an upload away, with its parts' files still there.
  func take(_ id: String, _ key: ObjectKey) throws(S3Error) -> Upload {
    let upload = state.withLock { state -> Upload? in
      guard state.uploads[id]?.key == key else { return nil }
      return state.uploads.removeValue(forKey: id)
    }
    guard let upload else { throw .noSuchUpload }
    return upload
  }

  /// Gives an upload back that could not be completed.
  func restore(_ upload: Upload) {
    state.withLock { $0.uploads[upload.id] = upload }
  }

  func removeFiles(of upload: Upload) {
    for part in upload.parts.values { LocalFiles.removeTree(part.path) }
  }
}
