/// Finds the name that was probably meant, for messages about unknown keys.
package enum NearestName {
  /// Looks for the candidate with the fewest edits from `word`.
  ///
  /// - Parameters:
  ///   - word: what was written.
  ///   - candidates: what would have been valid; the first of equals wins.
  /// - Returns: the candidate, nil when all are far from the word.
  package static func find(_ word: String, in candidates: [String]) -> String? {
    var best: (name: String, edits: Int)?
    for name in candidates {
      if let edits = edits(from: word, to: name), edits < best?.edits ?? .max {
        best = (name, edits)
      }
    }
    return best?.name
  }

  /// How far a word is from a name, in whatever case.
  ///
  /// - Returns: edits, nil where one was hardly meant by the other: a third of the letters may be
  ///   wrong, the first not, and the beginning of a name is as good as its farthest misspelling.
  static func edits(from word: String, to name: String) -> Int? {
    let (a, b) = (Array(word.lowercased()), Array(name.lowercased()))
    let edits = distance(a, b)
    let limit = min(3, (max(a.count, b.count) - 1) / 3)
    let isCut = edits == 1 && a.count > 1 && a.count < b.count
    let isSwapped = edits == 1 && a.sorted() == b.sorted()
    if isCut || isSwapped || edits <= limit && a.first == b.first { return edits }
    return a.count >= 3 && b.starts(with: a) ? 4 : nil
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
