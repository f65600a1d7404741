/// A value as it is shown: what was read of it, with its limits. Reading (which needs Lua) and
/// layout (which does not) meet here.
indirect enum PrintedValue: Sendable, Equatable {
  /// nil, true, false.
  case constant(String)
  case number(String)
  /// Bytes of a string, and how many more there are.
  case string([UInt8], more: Int)
  case table(PrintedTable)
  /// Functions, threads, userdata: what `tostring` says.
  case opaque(String)
  /// What a `__tostring` gave.
  case text(String)
}

/// What was read of a table.
struct PrintedTable: Sendable, Equatable {
  struct Field: Sendable, Equatable {
    var key: PrintedValue
    var value: PrintedValue
  }

  /// Name of its class.
  var className: String?
  /// The values at 1, 2, ….
  var items: [PrintedValue] = []
  var moreItems = 0
  var fields: [Field] = []
  var moreFields = 0
  /// Why nothing of it was read.
  var omission: Omission?

  enum Omission: Sendable, Equatable {
    /// It contains itself, at this distance.
    case cycle
    /// Deeper than the limit.
    case depth
  }
}
