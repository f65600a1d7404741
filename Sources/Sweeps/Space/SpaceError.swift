/// What is wrong with a space; `description` is the message.
public enum SpaceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A bad argument of range, linspace or logspace: its position from 1.
  case series(argument: Int, String)
  /// A name that no parameter may have.
  case name(String, reason: String)
  /// The same name on two axes.
  case repeatedName(String)
  /// An axis without values, a sample of no points, or a filter that keeps none.
  case empty(String)
  /// zip of axes that are not equally long.
  case lengths([String: Int])
  /// A row of a list that lacks or adds a name: number from 1, and the name.
  case row(Int, name: String)
  /// An infinite or NaN value.
  case notFinite(String)
  /// Bounds or choices of a sampled axis that make no sense.
  case axis(String, String)
  /// More points than can be counted or were allowed.
  case tooMany(count: Int?, limit: Int)
  /// Two equal points: numbers from 1, and the parameters.
  case duplicate(first: Int, second: Int, Parameters)

  public var description: String {
    switch self {
    case .series(_, let message): message
    case .name(let name, let reason): "a parameter cannot be named \"\(name)\": \(reason)"
    case .repeatedName(let name): "the parameter \"\(name)\" is there twice"
    case .empty(let what): "the space is empty: \(what)"
    case .lengths(let lengths):
      "zip needs axes of one length: "
        + lengths.sorted { $0.key < $1.key }.map { "\($0.key) has \($0.value)" }
        .joined(separator: ", ")
    case .row(let row, let name):
      "row \(row) of the list and row 1 do not have the same parameters: see \"\(name)\""
    case .notFinite(let name): "the parameter \"\(name)\" has a value that is not finite"
    case .axis(let name, let problem): "the axis \"\(name)\" \(problem)"
    case .tooMany(let count?, let limit):
      "the space has \(count) points; more than \(limit) must be confirmed"
    case .tooMany(nil, _): "the space has more points than can be counted"
    case .duplicate(let first, let second, let parameters):
      "points \(first) and \(second) are the same: \(parameters). "
        + "To run a point several times, use repeats"
    }
  }
}
