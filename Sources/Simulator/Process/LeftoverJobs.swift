import Glibc

/// Remembers which processes are jobs, so that those of a simulator that was killed end when the
/// next one opens the same home.
struct LeftoverJobs: Sendable {
  /// Holds an empty file for every process, named by its id and the moment it began, which tells it
  /// from a later process of the same id.
  private let folder: String

  init(folder: String) throws(FileFailure) {
    self.folder = folder
    try LocalFiles.makeFolder(folder, mode: 0o700)
  }

  /// Ends the process groups that are still there.
  func end() {
    for name in (try? LocalFiles.names(in: folder)) ?? [] {
      if let id = name.split(separator: ".").first.flatMap({ pid_t($0) }), id > 1,
        Self.name(of: id) == name
      {
        kill(-id, SIGKILL)
      }
      _ = unsafe unlink(folder + "/" + name)
    }
  }

  /// Remembers a process that runs.
  ///
  /// - Returns: what to forget it by.
  func remember(_ process: pid_t) -> String? {
    guard let name = Self.name(of: process) else { return nil }
    // Without the file nothing is lost but this process's end after a crash.
    _ = try? LocalFiles.Descriptor(folder + "/" + name, O_WRONLY | O_CREAT, mode: 0o600)
    return name
  }

  func forget(_ name: String?) {
    if let name { _ = unsafe unlink(folder + "/" + name) }
  }

  /// Field 22 of `/proc/<pid>/stat`, counted behind the program's name, which may hold anything.
  private static func name(of process: pid_t) -> String? {
    var bytes = [UInt8](repeating: 0, count: 1_024)
    guard let file = try? LocalFiles.Descriptor("/proc/\(process)/stat", O_RDONLY),
      let count = try? file.read(into: &bytes, path: "/proc"),
      let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = bytes[(end + 1)..<count].split(separator: UInt8(ascii: " "))
    return fields.count > 19 ? "\(process).\(String(decoding: fields[19], as: UTF8.self))" : nil
  }
}
