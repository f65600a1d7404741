/// Colours of the prompt's output; off for pipes, `NO_COLOR`, `TERM=dumb` and `--no-color`.
struct Palette: Sendable {
  /// What a piece of text is.
  enum Style: Sendable {
    case string, number, constant, faint, error, heading, good, waiting

    /// Parameters of "Select Graphic Rendition" (ECMA-48, 8.3.117); the sixteen colours that every
    /// scheme of a terminal makes readable.
    fileprivate var parameters: String {
      switch self {
      case .string: "32"
      case .number: "36"
      case .constant: "35"
      case .faint: "2"
      case .error: "31"
      case .heading: "1"
      case .good: "32"
      case .waiting: "33"
      }
    }
  }

  let isOn: Bool

  /// Whether colours are wanted.
  ///
  /// - Parameters:
  ///   - isTerminal: whether the output goes to one.
  ///   - allowed: false for `--no-color`.
  ///   - variables: the environment; `NO_COLOR` counts when it is not empty (no-color.org).
  static func isWanted(isTerminal: Bool, allowed: Bool, variables: [String: String]) -> Bool {
    isTerminal && allowed && variables["NO_COLOR", default: ""].isEmpty
      && !["dumb", ""].contains(variables["TERM", default: ""])
  }

  /// The text in the colour of its style.
  func paint(_ text: String, _ style: Style) -> String {
    isOn && !text.isEmpty ? "\u{1b}[\(style.parameters)m\(text)\u{1b}[0m" : text
  }

  /// What stands before and after a text of a style; nil without colours.
  func marks(_ style: Style) -> (before: String, after: String)? {
    isOn ? ("\u{1b}[\(style.parameters)m", "\u{1b}[0m") : nil
  }

  /// The colour of a job's state, in PJM's words or in those of `job.state`.
  static func style(ofState state: String) -> Style? {
    switch state {
    case "RUN", "RNA", "RNP", "RNE", "RNO", "running", "starting", "ending": .good
    case "ACC", "QUE", "HLD", "SPP", "SPD", "RSM", "queued", "held", "suspended": .waiting
    case "ERR", "RJT", "CCL", "failed", "rejected", "cancelled", "gone", "unknown": .error
    case "EXT", "done": .faint
    default: nil
    }
  }
}
