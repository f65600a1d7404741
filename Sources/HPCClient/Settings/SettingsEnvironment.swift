import Glibc

/// What the resolution of settings may look at, so that it is a pure function of it.
public struct SettingsEnvironment: Sendable {
  /// A configuration file.
  public struct File: Sendable, Hashable {
    public var text: String
    /// Permission bits.
    public var mode: UInt32

    public init(text: String, mode: UInt32 = 0o600) {
      self.text = text
      self.mode = mode
    }
  }

  /// Why a file that is there cannot be read: errno.
  public struct ReadFailure: Error, Sendable, Hashable {
    public var code: Int32

    public init(code: Int32) {
      self.code = code
    }

    /// The system's words.
    var text: String {
      unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
  }

  /// Environment variables; an empty one counts as not set.
  public var variables: [String: String]
  /// The user's home directory on this computer.
  public var home: String
  /// A file's text; nil where there is none.
  public var read: @Sendable (String) throws(ReadFailure) -> File?

  public init(
    variables: [String: String], home: String,
    read: @escaping @Sendable (String) throws(ReadFailure) -> File?
  ) {
    self.variables = variables
    self.home = home
    self.read = read
  }

  /// This process's environment and files.
  public static func process(variables: [String: String]) -> SettingsEnvironment {
    SettingsEnvironment(variables: variables, home: variables["HOME"] ?? "/") {
      path throws(ReadFailure) in
      try readFile(path)
    }
  }

  /// Configuration is small: what is larger is none.
  private static let largestFile = 1 << 20

  private static func readFile(_ path: String) throws(ReadFailure) -> File? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      if code == ENOENT || code == ENOTDIR { return nil }
      throw ReadFailure(code: code)
    }
    defer { _ = close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw ReadFailure(code: errno) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= largestFile {
      let (count, code) = unsafe chunk.withUnsafeMutableBytes { buffer in
        let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        return (count, errno)
      }
      if count < 0 {
        if code == EINTR { continue }
        throw ReadFailure(code: code)
      }
      guard count > 0 else {
        return File(text: String(decoding: bytes, as: UTF8.self), mode: status.st_mode & 0o777)
      }
      bytes += chunk[..<count]
    }
    throw ReadFailure(code: EFBIG)
  }
}
