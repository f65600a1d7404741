/// The words for states that a command line takes.
public struct StateWords: Sendable {
  private let words: [String]

  /// Of points of a sweep.
  public static let ofPoints = StateWords(words: APISpec.pointStates)
  /// Of jobs, PJM's own among them.
  public static let ofJobs = StateWords(words: APISpec.states + APISpec.pjmStates)

  /// What is wrong with a word, to follow the option's name; nil for one that is a state.
  public func problem(with word: String) -> String? {
    guard !words.contains(word) else { return nil }
    let near = NearestName.find(word, in: words).map { " (did you mean \($0)?)" } ?? ""
    return "takes one of \(words.joined(separator: ", ")); got '\(word)'\(near)"
  }
}
