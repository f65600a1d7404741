/// Finds the name that was probably meant, for messages about unknown keys.
enum NearestName {
  /// Looks for the candidate with the fewest edits from `word`.
  ///
  /// - Parameters:
  ///   - word: what was written.
  ///   - candidates: what would have been valid; the first of equals wins.
  /// - Returns: the candidate, nil when all are far from the word.
  static func find(_ word: String, in candidates: [String]) -> String? {
    let limit = max(1, min(3, (word.count + 1) / 2))
    var best: (name: String, edits: Int)?
    for name in candidates {
      let edits = distance(Array(word.lowercased()), Array(name.lowercased()))
      if edits <= limit, edits < best?.edits ?? .max { best = (name, edits) }
    }
    return best?.name
  }

  /// Edits (insert, delete, replace, swap of neighbours) between two words: Damerau–Levenshtein,
  /// optimal string alignment.
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var current = [i + 1]
      for j in 0..<b.count {
        var edits = min(
          previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          edits = min(edits, before[j - 1] + 1)
        }
        current.append(edits)
      }
      before = previous
      previous = current
    }
    return previous[b.count]
  }
}
