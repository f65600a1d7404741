import LuaAPI
import LuaRuntime

/// Turns results and errors into what the prompt shows.
struct ValueView {
  let state: LuaState
  let table: HPCTable
  let palette: Palette
  private let values: ValueReader
  private let records: RecordReader

  init(state: LuaState, table: HPCTable, palette: Palette) {
    self.state = state
    self.table = table
    self.palette = palette
    values = ValueReader(state: state, table: table)
    records = RecordReader(state: state, values: values)
  }

  /// The results of a form; each on a line of its own unless all fit one.
  ///
  /// - Parameter width: cells in a line.
  func text(of results: [LuaValue], width: Int) -> String {
    let texts = results.map { text(of: $0, width: width) }
    let joined = texts.joined(separator: "\t")
    return joined.contains("\n") || joined.utf8.count > width
      ? texts.joined(separator: "\n") : joined
  }

  private func text(of value: LuaValue, width: Int) -> String {
    switch values.className(value) {
    case "hpc": return TableMap.text(width: width, palette: palette)
    case "Job[]" where value.asReference.map({ state.rawLength(of: $0) }) == 0: return "no jobs"
    case "Job":
      let line = values.read(value)
      if case .text(let text) = line, let reference = value.asReference {
        return jobLine(text) + "\n" + jobFields(reference, width: width)
      }
    default: break
    }
    if let table = records.table(of: value) {
      return table.rendered(width: width, palette: palette)
    }
    let text = ValuePrinter(palette: palette, width: width).text(of: values.read(value))
    guard let failure = values.failure else { return text }
    return text + "\n"
      + palette.paint(TextTable.printableLines("__tostring failed: \(failure)"), .error)
  }

  /// The short names of a job that say something, and that there are more.
  private func jobFields(_ job: LuaReference, width: Int) -> String {
    let names = ["name", "state", "elapsed"]
    let fields = table.shortFields(of: job, in: state).filter { !names.contains($0.key) }
    return ValuePrinter(palette: palette, width: width).pairs(
      fields.map {
        .init(key: .string(Array($0.key.utf8), more: 0), value: values.read($0.value))
      }, margin: 2) + "\n"
      + palette.paint(
        TextTable.cut("  pairs(job) has the machine's own names too", to: width), .faint)
  }

  /// A job's line with its state coloured.
  private func jobLine(_ text: String) -> String {
    TextTable.printable(text).split(separator: " ", omittingEmptySubsequences: false).map { word in
      Palette.style(ofState: String(word)).map { palette.paint(String(word), $0) } ?? String(word)
    }.joined(separator: " ")
  }

  // MARK: Errors

  /// An error in red, its hint below, broken between words.
  func text(of error: LuaError, width: Int = .max) -> String {
    var message = error.message
    var hint: String?
    if values.className(error.value) == "hpc.Error", let table = error.value.asReference {
      message = (try? state.rawGet(table, "message").text) ?? message
      hint = try? state.rawGet(table, "hint").text
    } else if let table = error.value.asReference, case .table(let read) = values.read(error.value),
      table.type == .table
    {
      // Without a `__tostring` its message would only name the type.
      message = ValuePrinter(palette: Palette(isOn: false), width: .max).inline(
        .table(read), painted: false)
    }
    var text = palette.paint(WordWrap.text(TextTable.printableLines(message), width: width), .error)
    if let hint {
      text +=
        "\n" + palette.paint(WordWrap.text(TextTable.printableLines(hint), width: width), .waiting)
    }
    return text
  }

  /// Where an error was raised.
  func traceback(of error: LuaError) -> String {
    var text = error.traceback
    if let table = error.value.asReference, table.type == .table,
      let own = try? state.rawGet(table, "traceback").text
    {
      text = own
    }
    return text.isEmpty ? "the last error has no traceback" : TextTable.printableLines(text)
  }
}
