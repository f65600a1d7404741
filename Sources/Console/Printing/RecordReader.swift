import LuaRuntime

/// Recognises arrays of records and reads them as columns.
struct RecordReader {
  let state: LuaState
  let values: ValueReader
  /// Rows that decide which columns there are.
  private let sample = 100
  /// What people look for first.
  private static let first = ["point", "id", "name", "state"]

  init(state: LuaState, values: ValueReader) {
    self.state = state
    self.values = values
  }

  /// - Returns: the rows as columns; nil for anything but an array of tables with names as keys.
  func table(of value: LuaValue) -> RecordTable? {
    guard let list = value.asReference, list.type == .table else { return nil }
    let outer = values.className(value)
    guard outer == nil || outer == "Job[]" || outer == "Row[]" else { return nil }
    let count = state.rawLength(of: list)
    guard count > 0, (try? state.keys(of: list, limit: count + 1).count) == count else {
      return nil
    }
    if let own = ownColumns(list) { return table(list, own.columns, summary: own.footer) }
    var names: Set<String> = []
    var jobs = 0
    let sampled = min(count, sample)
    for index in 1...sampled {
      guard let row = try? state.rawGet(list, .integer(index)), let reference = row.asReference,
        reference.type == .table, state.rawLength(of: reference) == 0,
        let keys = try? state.keys(of: reference, limit: 200), !keys.isEmpty
      else { return nil }
      for (key, _) in keys {
        guard let name = key.text else { return nil }
        names.insert(name)
      }
      switch values.className(row) {
      case "Job": jobs += 1
      case nil: break
      default: return nil
      }
    }
    if jobs == sampled { return jobTable(list) }
    let keys = names.sorted {
      let a = Self.first.firstIndex(of: $0) ?? Self.first.count
      let b = Self.first.firstIndex(of: $1) ?? Self.first.count
      return a == b ? $0 < $1 : a < b
    }
    return table(list, keys)
  }

  /// The columns that a list names in its metatable, and what it says below.
  private func ownColumns(_ list: LuaReference) -> (columns: [String], footer: String)? {
    guard let metatable = try? state.metatable(of: list),
      let columns = try? state.rawGet(metatable, "columns").asReference,
      let names = try? state.read(list: columns).compactMap(\.text), !names.isEmpty
    else { return nil }
    return (names, (try? state.rawGet(metatable, "footer").text) ?? "")
  }

  private func jobTable(_ list: LuaReference) -> RecordTable? {
    guard let columns = try? state.textColumns(of: list, keys: JobTable.groups) else { return nil }
    return JobTable.table(columns: columns)
  }

  private func text(_ value: LuaValue) -> String {
    switch value {
    case .nil: ""
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    case .integer(let number): String(number)
    case .boolean(let flag): flag ? "true" : "false"
    case .number: (try? state.text(of: value)) ?? ""
    default:
      ValuePrinter(palette: Palette(isOn: false), width: .max).inline(
        values.read(value, isNested: true), painted: false)
    }
  }

  private func table(
    _ list: LuaReference, _ keys: [String], summary: String = ""
  ) -> RecordTable? {
    var columns = keys.enumerated().map { index, key in
      RecordTable.Column(
        header: key, cells: [], isRight: true, rank: -index, isState: key == "state")
    }
    try? state.forEachRow(of: list, keys: keys) { row in
      for (index, value) in row.enumerated() {
        if !value.isNil, value.asNumber == nil { columns[index].isRight = false }
        columns[index].cells.append(text(value))
      }
    }
    return RecordTable(columns: columns, summary: summary)
  }
}
