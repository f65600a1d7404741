/// What completion may look at: tables by raw access, jobs that were seen, folders. Nothing here
/// runs code of Lua or sends a request.
protocol CompletionWorld {
  associatedtype Value

  /// The table of globals.
  var globals: Value { get }

  /// The value under a key: raw access, then the same in a metatable's `__index` if that is a table.
  func child(of value: Value, _ key: String) -> Value?

  /// The value under an integer key, by raw access.
  func child(of value: Value, at index: Int) -> Value?

  /// The string keys, those of `__index` tables included; in any order.
  func members(of value: Value) -> [CompletionMember]

  /// The class of an object, such as `Job`.
  func className(of value: Value) -> String?

  /// Where the API spec describes a function, such as `hpc.jobs.list`.
  func entryPath(of value: Value) -> String?

  /// Jobs that were seen in this session.
  var seenJobs: [SeenJob] { get }

  /// What a folder holds; nothing where it cannot be read. The empty path is the working folder.
  func files(in folder: String) -> [CompletionFile]
}

/// A key of a table.
struct CompletionMember: Equatable {
  var name: String
  var isFunction: Bool
}

/// A job as completion offers it.
public struct SeenJob: Sendable, Hashable {
  public var id: String
  public var name: String

  public init(id: String, name: String) {
    self.id = id
    self.name = name
  }
}

/// An entry of a folder.
struct CompletionFile: Equatable {
  var name: String
  var isFolder: Bool
}
