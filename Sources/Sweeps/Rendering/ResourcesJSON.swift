import JSON

extension Resources {
  /// As the journal keeps what a retry said.
  var json: String {
    var members: [JSONValue.Member] = []
    func add(_ key: String, _ value: JSONValue?) {
      if let value { members.append(.init(key: key, value: value)) }
    }
    add("node", node.map(JSONValue.string))
    add("elapse", elapse.map { .int(Int64($0)) })
    add("rscgrp", rscgrp.map(JSONValue.string))
    add("group", group.map(JSONValue.string))
    add("mpi", mpi.map(JSONValue.string))
    add("pjm", pjm.isEmpty ? nil : .array(pjm.map(JSONValue.string)))
    return String(decoding: JSONValue.object(members).encoded(), as: UTF8.self)
  }

  /// Reads ``json`` back; nil for a text that is none.
  init?(json text: String) {
    guard let value = try? JSONValue(parsing: Array(text.utf8)), value.object != nil else {
      return nil
    }
    self.init(
      node: value["node"]?.string, elapse: value["elapse"]?.int.flatMap { Int(exactly: $0) },
      rscgrp: value["rscgrp"]?.string, group: value["group"]?.string, mpi: value["mpi"]?.string,
      pjm: value["pjm"]?.array?.compactMap(\.string) ?? [])
  }
}
