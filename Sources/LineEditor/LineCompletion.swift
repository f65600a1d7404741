/// What Tab found for the place of the cursor.
public struct LineCompletion: Sendable, Equatable {
  /// One thing that could stand there.
  public struct Candidate: Sendable, Equatable {
    /// What stands in the form once chosen, in place of everything from ``LineCompletion/start``.
    public var text: String
    /// What follows when it is the only one: a closing quote, ` = `, nothing.
    public var suffix: String
    /// How lists show it.
    public var label: String

    public init(_ text: String, suffix: String = "", label: String? = nil) {
      self.text = text
      self.suffix = suffix
      self.label = label ?? text
    }
  }

  /// Byte of the form where the word begins that the candidates replace.
  public var start: Int
  /// In the order in which they are listed.
  public var candidates: [Candidate]

  public init(start: Int, candidates: [Candidate]) {
    self.start = start
    self.candidates = candidates
  }

  /// No candidate.
  public static let none = LineCompletion(start: 0, candidates: [])

  /// What Tab does.
  public enum Action: Sendable, Equatable {
    /// Nothing fits.
    case ring
    /// The bytes from ``LineCompletion/start`` to the cursor become this.
    case replace([UInt8])
    /// Nothing more is certain: show the candidates.
    case list
  }

  /// Decides what Tab does.
  ///
  /// - Parameter word: the bytes from ``start`` to the cursor.
  public func action(for word: [UInt8]) -> Action {
    guard let first = candidates.first else { return .ring }
    if candidates.count == 1 {
      let whole = Array((first.text + first.suffix).utf8)
      return whole == word ? .ring : .replace(whole)
    }
    let common = Self.commonPrefix(candidates.map(\.text))
    return common.count > word.count ? .replace(common) : .list
  }

  /// The longest beginning that all texts share, whole characters only.
  static func commonPrefix(_ texts: [String]) -> [UInt8] {
    guard let first = texts.first else { return [] }
    var common = Array(first.utf8)
    for text in texts.dropFirst() {
      let shared = zip(common, text.utf8).prefix { $0 == $1 }.count
      common.removeLast(common.count - shared)
    }
    while let last = common.last, last >= 0x80, String(validating: common, as: UTF8.self) == nil {
      common.removeLast()
    }
    return common
  }
}
