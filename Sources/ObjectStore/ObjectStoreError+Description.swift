import Glibc
import HTTP

extension ObjectStoreError: CustomStringConvertible {
  /// What happened, what is known, and what to do, in one line.
  public var description: String {
    let advice = advice.map { " \($0)" } ?? ""
    return "\(message).\(advice)"
  }

  /// What happened and what is known, without a full stop.
  public var message: String { Self.printable("\(action): \(reason)\(answer)") }

  /// Keys and paths end up on terminals, and others chose them: a control character is a `?` here.
  private static func printable(_ text: String) -> String {
    func isControl(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.generalCategory == .control
    }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
  }

  private var action: String {
    let object = key.map { "\"\($0)\"" } ?? "objects"
    switch operation {
    case .put, .upload: return "cannot store \(object) in bucket \"\(bucket)\""
    case .get: return "cannot fetch \(object) from bucket \"\(bucket)\""
    case .head: return "cannot look up \(object) in bucket \"\(bucket)\""
    case .list: return "cannot list bucket \"\(bucket)\""
    case .delete: return "cannot delete \(object) in bucket \"\(bucket)\""
    case .push: return "cannot send \(object) to bucket \"\(bucket)\""
    case .pull: return "cannot fetch \(object) from bucket \"\(bucket)\""
    }
  }

  private var reason: String {
    switch kind {
    case .noSuchBucket: "there is no such bucket at \(endpoint)"
    case .noSuchKey: "there is no such object"
    case .accessDenied: "these credentials may not do that"
    case .badCredentials: "the service does not accept these credentials"
    case .clockSkew: "this computer's clock and the service's differ too much"
    case .redirected(let place):
      "the service points elsewhere\(place.map { ", to \($0)" } ?? ""), and redirects are not followed"
    case .objectChanged: "the object was replaced while it was being fetched"
    case .uploadGone: "the service has dropped this upload"
    case .refused: "the service refused"
    case .unavailable: "the service is not available"
    case .transport(_, let detail): detail
    case .badAnswer(let what): "the answer makes no sense: \(what)"
    case .wrongLength(let expected, let received):
      "\(received) bytes came instead of \(expected)"
    case .wrongETag(let expected, let received):
      "the content does not match its ETag: \(received) instead of \(expected)"
    case .wrongDigest(let expected, let received):
      "the content does not match its SHA-256: \(received) instead of \(expected)"
    case .local(let failure): failure.description
    case .unsafeKey: "as a file this key would lie outside of the target folder, or be none"
    case .isFolder(let key): "\"\(key)\" is a folder there"
    case .isFile(let key): "\"\(key)\" is a file there"
    case .invalid(let what): what
    case .cancelled: "cancelled"
    }
  }

  /// The service's own words.
  private var answer: String {
    guard let status else { return attempts > 1 ? " (\(attempts) attempts)" : "" }
    var words = ["\(status)"]
    if let code { words.append(code) }
    if let serverMessage, !serverMessage.isEmpty {
      words.append(serverMessage.hasSuffix(".") ? String(serverMessage.dropLast()) : serverMessage)
    }
    var text = words.joined(separator: " ")
    if let requestID, case .unavailable = kind { text += ", request \(requestID)" }
    if attempts > 1 { text += ", \(attempts) attempts" }
    return " (\(text))"
  }

  /// What to do, where that is not plain.
  public var advice: String? { plainAdvice.map(Self.printable) }

  private var plainAdvice: String? {
    switch kind {
    case .noSuchBucket:
      "Check the bucket's name (HPC_BUCKET) and the endpoint (HPC_STORAGE_ENDPOINT)."
    case .noSuchKey: "List the bucket to see what is there; keys are case-sensitive."
    case .accessDenied:
      "Check that the bucket is yours, and which account the credentials belong to."
    case .badCredentials:
      "Check access key and secret of the storage (NIFCLOUD_STORAGE_ACCESS_KEY_ID, …) and the region."
    case .clockSkew: "Set this computer's clock."
    case .redirected: "Set the storage endpoint (HPC_STORAGE_ENDPOINT) to the right address."
    case .objectChanged: "Fetch it again."
    case .uploadGone: "Send the file again."
    case .refused:
      "Where its words do not say why, check the endpoint (HPC_STORAGE_ENDPOINT, \(endpoint)), or ask "
        + "the operator."
    case .unavailable: "Try again later."
    case .transport(let kind, _): advice(kind)
    case .badAnswer:
      "Check that the endpoint (HPC_STORAGE_ENDPOINT, \(endpoint)) is the object storage."
    case .wrongLength, .wrongETag, .wrongDigest:
      "Nothing was kept; try again, and suspect whatever stands between here and the service."
    case .local(.isFolder) where operation == .get || operation == .pull:
      "A folder of that name is here: choose another name for the file."
    case .local(let failure): failure.advice
    case .unsafeKey: "Fetch it by itself under a name of your choice."
    case .isFolder(let key): "Write \"\(key)/\" to put it inside."
    case .isFile(let key):
      "Choose another name; where it is none any more: hpc.store.delete(\"\(key)\")."
    case .invalid, .cancelled: nil
    }
  }

  private func advice(_ kind: TransportError.Kind) -> String? {
    switch kind {
    case .resolve, .connect, .connectTimeout:
      "Check the endpoint (HPC_STORAGE_ENDPOINT) and the network."
    case .tls: "Check the endpoint's certificate and any proxy in between."
    case .queueTimeout, .idleTimeout, .totalTimeout, .reset, .truncated:
      operation == .get || operation == .pull
        ? "Try again; of a large file, finished parts are kept." : "Try again."
    case .bodyTooLarge: "Fetch it into a file."
    case .protocolViolation: "Check that the endpoint (HPC_STORAGE_ENDPOINT) is the object storage."
    case .file, .cancelled, .closed, .other: nil
    }
  }
}

extension LocalFileFailure: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let call, let path, let code):
      switch code {
      case ENOENT: "\"\(path)\" does not exist"
      case EACCES, EPERM: "no permission to \(call) \"\(path)\""
      case ENOSPC: "the disk is full, at \"\(path)\""
      case EDQUOT: "the disk quota is used up, at \"\(path)\""
      case EROFS: "\"\(path)\" is on a read-only file system"
      case ENAMETOOLONG: "the name \"\(path)\" is too long for this file system"
      case ENOTDIR: "a part of \"\(path)\" is a file, not a folder"
      default: "cannot \(call) \"\(path)\": \(unsafe String(cString: strerror(code)))"
      }
    case .isFolder(let path): "\"\(path)\" is a folder, not a file"
    case .notRegular(let path): "\"\(path)\" is neither file nor folder"
    case .notFolder(let path): "\"\(path)\" is not a folder"
    case .changed(let path): "\"\(path)\" changed while it was read"
    case .symbolicLink(let path): "\"\(path)\" is a symbolic link, and those are not followed here"
    case .name(let path): "the name of \"\(path)\" is not UTF-8"
    }
  }

  /// What to do, where that is not plain.
  var advice: String? {
    switch self {
    case .system(_, _, let code):
      switch code {
      case ENOSPC, EDQUOT: "Make room and run it again: nothing half-written is left."
      default: nil
      }
    case .isFolder: "Send the folder as a folder."
    case .changed: "Run it again when nothing writes to the file any more."
    case .symbolicLink: "Remove the link or name its target."
    case .name: "Rename the file."
    case .notRegular, .notFolder: nil
    }
  }
}
