import Glibc
import LuaAPI
import LuaRuntime

/// The live tables as completion may look at them: by raw access only.
struct LuaWorld: CompletionWorld {
  let state: LuaState
  let table: HPCTable
  private let jobs: SeenJobs
  /// Longer chains of `__index` are cycles, mostly.
  private let longestChain = 10
  private let mostFiles = 10_000

  init(state: LuaState, table: HPCTable, jobs: SeenJobs) {
    self.state = state
    self.table = table
    self.jobs = jobs
  }

  var seenJobs: [SeenJob] { jobs.all }

  var globals: LuaValue { (try? state.globals).map { .reference($0) } ?? .nil }

  func child(of value: LuaValue, _ key: String) -> LuaValue? {
    for table in chain(value) {
      if let found = try? state.rawGet(table, .string(key)), !found.isNil { return found }
    }
    return nil
  }

  func child(of value: LuaValue, at index: Int) -> LuaValue? {
    guard let table = value.asReference, let found = try? state.rawGet(table, .integer(index)),
      !found.isNil
    else { return nil }
    return found
  }

  func members(of value: LuaValue) -> [CompletionMember] {
    chain(value).flatMap { table in
      ((try? state.keys(of: table)) ?? []).compactMap { key, type in
        guard case .bytes(let bytes) = key, let name = String(validating: bytes, as: UTF8.self)
        else { return nil }
        return CompletionMember(name: name, isFunction: type == .function)
      }
    }
  }

  /// The tables in which a key is looked up: the value itself, then `__index` tables.
  private func chain(_ value: LuaValue) -> [LuaReference] {
    var tables: [LuaReference] = []
    var next: LuaValue = value
    if case .bytes = value {
      next = (try? state.globals).flatMap { try? state.rawGet($0, "string") } ?? .nil
    }
    while let reference = next.asReference, tables.count < longestChain {
      if reference.type == .table { tables.append(reference) }
      guard let metatable = try? state.metatable(of: reference) else { break }
      next = (try? state.rawGet(metatable, "__index")) ?? .nil
      if next.asReference?.type != .table { break }
    }
    return tables
  }

  func className(of value: LuaValue) -> String? {
    guard let reference = value.asReference, let metatable = try? state.metatable(of: reference)
    else { return nil }
    let name = try? state.rawGet(metatable, "__name").text
    return name == "hpc.Error" ? "Error" : name
  }

  func entryPath(of value: LuaValue) -> String? {
    guard value.asReference?.type == .function else { return nil }
    return table.entry(for: value, in: state)?.path
  }

  func files(in folder: String) -> [CompletionFile] {
    guard let stream = unsafe opendir(folder.isEmpty ? "." : folder) else { return [] }
    defer { unsafe closedir(stream) }
    var files: [CompletionFile] = []
    while files.count < mostFiles, let entry = unsafe readdir(stream) {
      let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
        unsafe Array(name.prefix { $0 != 0 })
      }
      guard let name = String(validating: bytes, as: UTF8.self), name != ".", name != ".." else {
        continue
      }
      var isFolder = unsafe Int32(entry.pointee.d_type) == Int32(DT_DIR)
      if unsafe Int32(entry.pointee.d_type) == Int32(DT_LNK) {
        var information = stat()
        isFolder =
          unsafe stat(folder + name, &information) == 0
          && information.st_mode & S_IFMT == S_IFDIR
      }
      files.append(CompletionFile(name: name, isFolder: isFolder))
    }
    return files
  }
}
