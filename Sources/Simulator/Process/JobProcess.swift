import CMicrohttpd
import Glibc

/// One running script: a process group of its own.
struct JobProcess: Sendable {
  /// A script that did not start, by PJM's code.
  struct StartFailure: Error, Sendable, Hashable {
    var pjmCode: Int
    var reason: String
  }

  /// Also the id of its group.
  let id: pid_t
  /// Becomes readable when the process ends.
  let descriptor: Int32

  /// Starts a script with its output files open, all else closed and every signal at its default.
  ///
  /// - Parameters:
  ///   - command: interpreter, its argument, the script.
  ///   - files: where output goes; added to from the second execution on.
  ///   - environment: of the new process.
  ///   - workFolder: of the new process.
  ///   - execution: counts from 1.
  /// - Throws: PJM's code for what is in the way.
  init(
    command: [String], files: JobFiles, environment: JobEnvironment, workFolder: String,
    execution: Int
  ) throws(StartFailure) {
    let flags = O_WRONLY | O_CREAT | O_APPEND
    let fresh = execution == 1 ? O_TRUNC : 0
    let folder = try Self.stream(workFolder, O_RDONLY | O_DIRECTORY)
    let output = try Self.stream(files.output, flags | fresh)
    let error = try Self.stream(
      files.error ?? files.output, files.error == nil ? flags : flags | fresh)
    let nothing = try Self.stream("/dev/null", O_RDONLY)
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_adddup2(&actions, nothing.number, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output.number, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, error.number, 2)
    unsafe posix_spawn_file_actions_addfchdir_np(&actions, folder.number)
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var process: pid_t = 0
    let code = unsafe withStrings(command) { arguments in
      unsafe withStrings(environment.entries) { variables in
        unsafe posix_spawn(&process, command[0], &actions, &attributes, arguments, variables)
      }
    }
    guard code == 0 else {
      throw StartFailure(pjmCode: PJMCode.scriptStart, reason: "SCRIPT START FAILED")
    }
    id = process
    descriptor = hpc_pidfd_open(process)
    guard descriptor >= 0 else {
      kill(-process, SIGKILL)
      Self.waitFor(process)
      throw StartFailure(pjmCode: PJMCode.scriptStart, reason: "NO DESCRIPTOR")
    }
  }

  private static func stream(
    _ path: String, _ flags: Int32
  ) throws(StartFailure) -> LocalFiles.Descriptor {
    do {
      return try LocalFiles.Descriptor(path, flags)
    } catch {
      throw StartFailure(pjmCode: PJMCode.streams, reason: "FILE IO ERROR")
    }
  }

  /// Sends a signal to the group.
  func signal(_ number: Int32) {
    kill(-id, number)
  }

  /// Takes the end of a process, waiting for it where needed, and ends what it left in its group.
  ///
  /// The group is signalled before the process is waited for, while its id cannot belong to
  /// another.
  func reap() -> ProcessEnd {
    defer { _ = close(descriptor) }
    var information = unsafe siginfo_t()
    while unsafe waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    kill(-id, SIGKILL)
    let status = Self.waitFor(id)
    return status & 0x7f == 0
      ? .exited(code: Int(status >> 8 & 0xff)) : .signalled(Int(status & 0x7f))
  }

  @discardableResult
  private static func waitFor(_ process: pid_t) -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status
  }
}

/// Lends strings as the null-ended array that exec wants.
private func withStrings<Result>(
  _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
    capacity: strings.count + 1)
  for (index, string) in strings.enumerated() {
    unsafe (array + index).initialize(to: strdup(string))
  }
  unsafe (array + strings.count).initialize(to: nil)
  defer {
    for index in strings.indices { unsafe free(array[index]) }
    unsafe array.deallocate()
  }
  return unsafe body(array)
}
