import ObjectStore
import Synchronization

/// Names of the records in the bucket's `out/`.
struct RecordNames: Sendable {
  var hasCanary: Bool
  var claims: [RecordName] = []
  var refusals: [RecordName] = []
  var exits: [RecordName] = []
}

extension SweepShell {
  /// Lists the records; nil where that cannot be done whole. Outputs are not looked at: there may
  /// be many, and they prove nothing.
  @concurrent
  func recordNames(root: String) async -> RecordNames? {
    guard let hasCanary = await exists(key("\(root)/out/CANARY")),
      let claims = await keys(below: "\(root)/out/claim/"),
      let refusals = await keys(below: "\(root)/out/refused/"),
      let exits = await keys(below: "\(root)/out/exit/")
    else { return nil }
    return RecordNames(
      hasCanary: hasCanary, claims: claims.compactMap { RecordName($0) },
      refusals: refusals.compactMap { RecordName($0) }, exits: exits.compactMap { RecordName($0) })
  }

  /// Reads records of a folder (`claim`, `exit`); nil where one cannot be read, without those that
  /// are not there any more.
  @concurrent
  func readRecords(
    _ names: [RecordName], in folder: String, root: String
  ) async -> [RecordName: String]? {
    let texts = Mutex<[RecordName: String]>([:])
    let isWhole = await each(names) { name in
      do throws(ObjectStoreError) {
        let bytes = try await store.read(key("\(root)/out/\(folder)/\(name)"), limit: 16 << 20)
        texts.withLock { $0[name] = String(decoding: bytes, as: UTF8.self) }
        return true
      } catch {
        if case .noSuchKey = error.kind { return true }
        note(error)
        return false
      }
    }
    return isWhole ? texts.withLock { $0 } : nil
  }
}
