import LuaRuntime

/// Transfers in a line, for people.
public enum TransferText {
  /// `3 files (1.2 MiB) transferred, 10 unchanged`
  static func text(of report: LuaReference, in state: LuaState) throws -> String {
    func number(_ key: LuaValue) throws -> Int { try state.rawGet(report, key).asInteger ?? 0 }
    let moved = try number("transferred")
    if try number("files") == 0 { return "no files to transfer" }
    var parts = [
      "\(moved) \(moved == 1 ? "file" : "files") (\(bytes(Int64(try number("bytes"))))) transferred",
      "\(try number("unchanged")) unchanged",
    ]
    for key in ["skipped", "failed"] {
      let count = try number(.string(key))
      if count > 0 { parts.append("\(count) \(key)") }
    }
    return parts.joined(separator: ", ")
  }

  /// `sync 123456  jobs  to_online  complete, result 0`
  static func text(ofSync sync: LuaReference, in state: LuaState) throws -> String {
    var parts = ["sync \(try state.text(of: state.rawGet(sync, "requestid")))"]
    for key in ["path", "direction", "status"] as [LuaValue] {
      if let text = try state.rawGet(sync, key).text { parts.append(TextTable.printable(text)) }
    }
    let result = try state.rawGet(sync, "result").text.map { ", result \(TextTable.printable($0))" }
    return parts.joined(separator: "  ") + (result ?? "")
  }

  /// `jobs/in.dat  1.2 MiB`
  static func text(ofObject object: LuaReference, in state: LuaState) throws -> String {
    let key = try state.rawGet(object, "key").text ?? "?"
    let size = try state.rawGet(object, "size").asInteger ?? 0
    return "\(TextTable.printable(key))  \(bytes(Int64(size)))"
  }

  /// `17 B`, `1.2 MiB`.
  public static func bytes(_ count: Int64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    guard unit > 0 else { return "\(count) B" }
    let tenths = Int((value * 10).rounded())
    return tenths < 1000
      ? "\(tenths / 10).\(tenths % 10) \(units[unit])" : "\(tenths / 10) \(units[unit])"
  }
}
