import Glibc

/// The process's environment.
public enum Environment {
  /// All variables, as they are now.
  public static var variables: [String: String] {
    var result: [String: String] = [:]
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return result
  }

  /// The command line as it was given, the program's name first.
  public static var words: [[UInt8]] {
    (0..<Int(CommandLine.argc)).compactMap { index in
      guard let word = unsafe CommandLine.unsafeArgv[index] else { return nil }
      return unsafe Array(UnsafeRawBufferPointer(start: word, count: strlen(word)))
    }
  }

  /// What is closed of stdin, stdout and stderr must not become some file or socket of ours. In its
  /// place comes what fails in the same way (EBADF), and is closed in children as well.
  public static func openStandardFiles() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one.
      _ = unsafe open(
        "/dev/null", (descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC)
    }
  }

  /// Descriptors that a program takes with all its connections, locks and journals.
  private static let neededDescriptors: rlim_t = 64

  /// Raises a limit on open files that is too low, where that may be.
  ///
  /// - Returns: what is wrong where it stays too low.
  public static func raiseDescriptorLimit() -> String? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < neededDescriptors
    else { return nil }
    let before = limit.rlim_cur
    limit.rlim_cur = min(limit.rlim_max, 4 * neededDescriptors)
    if limit.rlim_cur >= neededDescriptors,
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    {
      return nil
    }
    return "a program may have \(before) open files here and needs \(neededDescriptors): "
      + "raise `ulimit -n`"
  }
}
