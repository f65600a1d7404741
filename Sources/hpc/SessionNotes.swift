import CurlTransport
import HPCClient
import ObjectStore
import SigV4

/// Notes of syncs in the user's lock directory, for programs of one account at one endpoint.
struct SessionNotes: SyncNeighbours {
  private struct Left: LeftSyncNote {
    let kept: SharedNotes.Kept

    func write(_ text: String, last: Bool) async {
      await DiskWork.run { kept.write(text, last: last) }
    }
  }

  private let notes: SharedNotes

  init?(_ configuration: HPCClient.Configuration) {
    let account = "\(configuration.endpoint)\n\(configuration.credentials.accessKeyID)"
    let group = SHA256.hexadecimal(of: Array(account.utf8)).prefix(16)
    guard let notes = SharedNotes(group: String(group)) else { return nil }
    self.notes = notes
  }

  func leave(
    _ text: String,
    judge: @escaping @Sendable (_ text: String, _ isKept: Bool) -> SyncNote.Verdict
  ) async -> SyncNote.Outcome {
    let outcome = await DiskWork.run { [notes] in
      notes.leave(text) { text, isKept in
        switch judge(text, isKept) {
        case .ignore: .ignore
        case .remove: .remove
        case .block: .block
        }
      }
    }
    return switch outcome {
    case .left(let kept): .left(Left(kept: kept))
    case .blocked(let text, let isKept): .blocked(by: text, isKept: isKept)
    case .busy: .busy
    case .unavailable: .unavailable
    }
  }
}
