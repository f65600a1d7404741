import HPCClient
import HomeFiles
import LuaRuntime
import ObjectStore

/// `hpc.store`: the bucket itself, by whole keys.
struct StoreBindings {
  let connection: LazyConnection
  let host: HPCHost
  private let native: LuaReference
  /// A page of objects behind a key, and whether there are no more.
  private let fetch: LuaReference
  /// Of single objects, which print as a line; in lists they are rows.
  private let objectType: LuaReference

  init(table: HPCTable, connection: LazyConnection, state: LuaState) throws {
    self.connection = connection
    host = table.host
    native = table.native
    objectType = try Self.makeObjectType(state)
    fetch = try state.function("list") { call in
      let prefix = try call.isAbsent(1) ? "" : call.string(1)
      let after = try call.isAbsent(2) ? nil : call.string(2)
      let store = try connection.store()
      return .await({
        try await Self.bucket { () throws(ObjectStoreError) in
          var pages = store.list(prefix: prefix, startAfter: after).makeAsyncIterator()
          var page = try await pages.next()
          // One without objects names none to go on behind.
          while let empty = page, empty.objects.isEmpty, !empty.isLast {
            page = try await pages.next()
          }
          return page
        }
      }) { _, page in
        .values([
          .array((page?.objects ?? []).map { Self.value($0) }), .boolean(page?.isLast ?? true),
        ])
      }
    }
  }

  private static func makeObjectType(_ state: LuaState) throws -> LuaReference {
    let line = try state.function("tostring") { call in
      .value(.string(try TransferText.text(ofObject: call.table(1), in: call.state)))
    }
    return try state.make([
      "__name": "Object", "__tostring": .reference(line), "record": true,
      "columns": .array(["key", "size", "etag"]),
    ])
  }

  var bodies: [String: APIBody] {
    [
      "hpc.store.put": .native { call in
        let (path, key) = (try call.string(1), try call.string(2))
        let store = try connection.store()
        return counted { () throws(ObjectStoreError) in try await store.put(file: path, key: key) }
      },
      "hpc.store.get": .native { call in
        let (key, path) = (try call.string(1), try call.string(2))
        let store = try connection.store()
        return counted { () throws(ObjectStoreError) in try await store.get(key, to: path) }
      },
      "hpc.store.write": .native { call in
        let (key, bytes) = (try call.string(1), try call.bytes(2))
        let store = try connection.store()
        return counted { () throws(ObjectStoreError) in try await store.put(bytes, key: key) }
      },
      "hpc.store.read": .native { call in
        let key = try call.string(1)
        let store = try connection.store()
        return .await({
          try await Self.bucket { () throws(ObjectStoreError) in
            try await store.read(key)
          }
        }) { _, bytes in .value(.bytes(bytes)) }
      },
      "hpc.store.delete": .native { call in
        let keys = try keys(call)
        let store = try connection.store()
        return .await({
          try await Self.bucket { () throws(ObjectStoreError) in
            if keys.count == 1 {
              try await store.delete(keys[0])
            } else if let first = try await store.delete(keys).first {
              throw first
            }
          }
        }) { _, _ in .nothing }
      },
      "hpc.store.list": listing("list"), "hpc.store.each": listing("each"),
    ]
  }

  /// A function of files.lua, which is loaded at first use.
  private func listing(_ name: LuaValue) -> APIBody {
    .native { call in
      if try call.state.rawGet(native, "files").isNil {
        let chunk = try call.state.load(PackageResources.files_lua, name: "=hpc.files")
        try call.state.rawSet(native, "files", call.state.call(chunk).first ?? .nil)
      }
      guard let files = try call.state.rawGet(native, "files").asReference,
        let function = try call.state.rawGet(files, name).asReference
      else { throw LuaError("files.lua lacks a function") }
      return .call(function, [.reference(fetch), try call.value(1)])
    }
  }

  private func keys(_ call: borrowing LuaCall) throws -> [String] {
    let value = try call.value(1)
    guard let table = value.asReference else { return [try call.string(1)] }
    return try (0..<(call.state.length(of: table))).map { index in
      try call.state.rawGet(table, .integer(index + 1)).text ?? ""
    }
  }

  /// Work that an interrupted program lets end in good order.
  private func counted(
    _ work: @escaping @Sendable () async throws(ObjectStoreError) -> StoredObject
  ) -> LuaReturn {
    let (ledger, type) = (host.transfers, objectType)
    return .await(by: { ledger.start("an object", $0) }, { try await Self.bucket(work) }) {
      _, object in .value(Self.value(object, metatable: type))
    }
  }

  private static func bucket<Value: Sendable>(
    _ work: @Sendable () async throws(ObjectStoreError) -> Value
  ) async throws -> Value {
    do throws(ObjectStoreError) {
      return try await work()
    } catch {
      throw HPCError(error)
    }
  }

  private static func value(
    _ object: StoredObject, metatable: LuaReference? = nil
  ) -> LuaValue {
    var fields: [(key: LuaValue, value: LuaValue)] = [
      ("key", .string(object.key)), ("size", .integer(Int(object.size))),
    ]
    if let modified = object.modified { fields.append(("modified", .integer(modified))) }
    if let etag = object.etag { fields.append(("etag", .string(etag.text))) }
    return .table(fields, metatable: metatable)
  }
}
