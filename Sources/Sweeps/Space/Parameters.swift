/// The parameters of one point: values under names, in the order of the space's axes.
///
/// Points of one space share the storage of their names.
public struct Parameters: Sendable, Hashable {
  /// The names, without repeats.
  public let names: [String]
  /// The values, one for each name.
  public let values: [ParameterValue]

  /// - Precondition: as many values as names; no name twice.
  init(names: [String], values: [ParameterValue]) {
    precondition(names.count == values.count)
    self.names = names
    self.values = values
  }

  /// Parameters from pairs, sorted by name; the last one of a repeated name wins.
  public init(_ pairs: some Sequence<(String, ParameterValue)>) {
    let table = Dictionary(pairs) { $1 }.sorted { $0.key < $1.key }
    self.init(names: table.map(\.key), values: table.map(\.value))
  }

  /// The value of a parameter, nil for a name that is none.
  public subscript(name: String) -> ParameterValue? {
    names.firstIndex(of: name).map { values[$0] }
  }

  /// Encoding that is equal for equal parameters whatever the order of their names.
  public var encoded: String {
    names.indices.sorted { names[$0] < names[$1] }
      .map { "\(names[$0].utf8.count):\(names[$0])=\(values[$0].encoded)\n" }.joined()
  }

  /// The point in a message: `{L=64, T=2.3}`.
  public var description: String {
    "{" + zip(names, values).map { "\($0)=\($1.text)" }.joined(separator: ", ") + "}"
  }

  /// The point before a message about it: `point {L=64, T=2.3}: `, nothing for a job without
  /// parameters.
  public var heading: String { names.isEmpty ? "" : "point \(self): " }

  /// A name for folders and rows that people read: `L=64,T=2.3`; bytes outside
  /// `[A-Za-z0-9._+-]` become `_`, and no more than 100 bytes are kept.
  ///
  /// Different points may share one; the plan tells them apart by a number.
  public var label: String {
    let parts = zip(names, values).map { "\(Self.plain($0))=\(Self.plain($1.text))" }
    return String(parts.joined(separator: ",").prefix(100))
  }

  private static func plain(_ text: String) -> String {
    String(
      decoding: text.utf8.map { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x5f, 0x2b, 0x2d: byte
        default: UInt8(ascii: "_")
        }
      }, as: UTF8.self)
  }
}

extension Parameters: CustomStringConvertible {}
