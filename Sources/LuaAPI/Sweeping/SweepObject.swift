import HPCClient
import LuaRuntime
import Sweeps

/// A sweep of Lua: its journal, and where it was defined what it runs.
final class SweepObject {
  let name: String
  /// Absolute path of the journal.
  let journal: String
  /// Absolute; what relative paths are relative to.
  let folder: String
  let isSimulated: Bool
  /// Nil for a sweep that was opened by name, and for one whose space is not known before `eval`.
  var definition: SweepDefinition?
  /// `resources` and `inputs`, where they are functions of the point.
  var resourceFunction: LuaReference?
  var inputFunction: LuaReference?
  /// Whether the notices of its script were told.
  var hasToldNotices = false
  var functions: PointFunctions?
  /// Made at the first use that needs the service.
  private var session: SweepSession?

  init(name: String, journal: String, folder: String, isSimulated: Bool) {
    self.name = name
    self.journal = journal
    self.folder = folder
    self.isSimulated = isSimulated
  }

  /// The session; made with `service` when it is first needed.
  func session(
    _ service: () throws -> SweepService, catalog: SweepCatalog?,
    news: @escaping @Sendable (SweepNews) -> Void
  ) throws -> SweepSession {
    if let session { return session }
    let made: SweepSession
    if let definition {
      made = SweepSession(definition, service: try service(), catalog: catalog, news: news)
    } else {
      made = try SweepSession(
        journal: journal, service: try service(), catalog: catalog, news: news)
    }
    session = made
    return made
  }

  /// The session, where there is one.
  var madeSession: SweepSession? { session }

  /// Another definition takes the place of the one before.
  func replace(_ definition: SweepDefinition) {
    self.definition = definition
    session = nil
  }
}
