import Glibc
import JSON
import SigV4

/// The folder where jobs run, and what the simulator keeps in it under `.hpc-sim`: the account,
/// the next ids and the lock that keeps a second simulator out.
final class HomeFolder: Sendable {
  /// Why a home cannot be used.
  enum Failure: Error, CustomStringConvertible {
    case inUse(String)
    case account(String)
    case file(FileFailure)

    var description: String {
      switch self {
      case .inUse(let path): "\(path) is the home of a simulator that runs already"
      case .account(let path): "\(path) holds no account of a simulator; remove it to get a new one"
      case .file(let failure): "\(failure)"
      }
    }
  }

  /// Name of the folder that syncs leave out and jobs need not see.
  static let privateName = ".hpc-sim"

  /// Whole path, links resolved.
  let path: String
  let credentials: Credentials
  /// The first id for jobs and for syncs.
  let firstJobID: Int
  let firstRequestID: Int
  let leftovers: LeftoverJobs
  private let lock: Int32

  var privateFolder: String { path + "/" + Self.privateName }
  var spool: String { privateFolder + "/spool" }
  private var accountFile: String { privateFolder + "/account.json" }

  /// Opens or makes a home.
  ///
  /// - Parameters:
  ///   - path: the folder; made where it is missing.
  ///   - given: credentials to use instead of the kept ones.
  /// - Throws: where it is in use, or cannot be read or written.
  init(_ path: String, credentials given: Credentials?) throws(Failure) {
    do {
      try LocalFiles.makeFolder(path)
      guard let resolved = LocalFiles.resolve(path) else {
        throw FileFailure(call: "realpath", path: path, code: errno)
      }
      self.path = resolved
      let folder = resolved + "/" + Self.privateName
      try LocalFiles.makeFolder(folder, mode: 0o700)
      let lock = try LocalFiles.Descriptor(folder + "/lock", O_RDWR | O_CREAT, mode: 0o600)
      guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else { throw Failure.inUse(resolved) }
      let kept = try Self.kept(folder + "/account.json")
      credentials = given ?? kept?.credentials ?? Self.newCredentials()
      firstJobID = kept?.jobID ?? 6_291_500
      firstRequestID = kept?.requestID ?? 123_456
      leftovers = try LeftoverJobs(folder: folder + "/running")
      leftovers.end()
      LocalFiles.removeTree(folder + "/spool")
      try LocalFiles.makeFolder(folder + "/spool", mode: 0o700)
      self.lock = lock.release()
    } catch let failure as Failure {
      throw failure
    } catch let failure as FileFailure {
      throw .file(failure)
    } catch {
      throw .account(path)
    }
  }

  deinit { _ = close(lock) }

  /// Lets another simulator in.
  func unlock() {
    _ = flock(lock, LOCK_UN)
  }

  /// Keeps account and next ids for the next start.
  func save(nextJobID: Int, nextRequestID: Int) throws(FileFailure) {
    let value: JSONValue = [
      "access_key_id": .string(credentials.accessKeyID),
      "secret_access_key": .string(credentials.secretAccessKey),
      "next_job_id": .int(Int64(nextJobID)),
      "next_request_id": .int(Int64(nextRequestID)),
    ]
    try LocalFiles.makeFolder(privateFolder, mode: 0o700)
    try LocalFiles.replace(
      accountFile, with: value.encoded(pretty: true) + [0x0a], mode: 0o600)
  }

  /// Largest id that is gone on from.
  private static let ids: Int64 = 1 << 53

  private struct Kept {
    var credentials: Credentials
    var jobID: Int
    var requestID: Int
  }

  private static func kept(_ file: String) throws -> Kept? {
    guard LocalFiles.kind(file) != nil else { return nil }
    let value = try JSONValue(parsing: LocalFiles.read(file))
    guard let key = value["access_key_id"]?.string, let secret = value["secret_access_key"]?.string,
      let job = value["next_job_id"]?.int, let request = value["next_request_id"]?.int,
      // Far from where counting on would overflow.
      (1...ids).contains(job), (1...ids).contains(request)
    else { throw Failure.account(file) }
    return Kept(
      credentials: Credentials(accessKeyID: key, secretAccessKey: secret), jobID: Int(job),
      requestID: Int(request))
  }

  private static func newCredentials() -> Credentials {
    func random(_ count: Int, of alphabet: String) -> String {
      let letters = Array(alphabet)
      return String((0..<count).compactMap { _ in letters.randomElement() })
    }
    let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return Credentials(
      accessKeyID: "SIM" + random(17, of: upper),
      secretAccessKey: random(40, of: upper + "abcdefghijklmnopqrstuvwxyz"))
  }

  // MARK: Paths

  /// The whole path of a job file, which is named relative to home; nil where it is no file in it.
  func jobFile(_ name: String) -> String? {
    guard !name.isEmpty, !name.utf8.contains(0) else { return nil }
    let whole = name.hasPrefix("/") ? name : path + "/" + name
    guard let resolved = LocalFiles.resolve(whole), resolved.hasPrefix(path + "/"),
      LocalFiles.kind(resolved) == .file
    else { return nil }
    return resolved
  }
}
