/// What `#PJM` lines ask for (`api.md`, Script).
struct JobDirectives: Sendable, Hashable {
  /// Why pjsub refuses a script.
  struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Line of the script, from 1; 0 where it is the script as a whole.
    var line: Int
    var reason: String

    var description: String { line > 0 ? "line \(line): \(reason)" : reason }
  }

  /// Which statistics file is wanted.
  enum Statistics: Sendable, Hashable { case none, brief, detailed }

  /// One variable of the job.
  struct Variable: Sendable, Hashable {
    var name: String
    var value: String
  }

  var name: String?
  /// As the list shows it: `12` or `12:2x3x2`.
  var nodeRequest = "1"
  var nodes = 1
  /// "default elapse 1 min".
  var elapse: Duration = .seconds(60)
  var resourceGroup = "small"
  var group: String?
  var variables: [Variable] = []
  var output: String?
  var error: String?
  var joinsOutputs = false
  var statistics = Statistics.none
  var statisticsPath: String?
  var mayRestart = true
  var mpi: String?
  var priority = 127

  init() {}

  /// Reads the lines before the first one that is neither empty nor a comment.
  init(parsing script: [UInt8]) throws(Refusal) {
    var number = 0
    for bytes in script.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let line = String(decoding: bytes, as: UTF8.self)
      let text = line.drop { $0 == " " || $0 == "\t" }
      if text.isEmpty || text == "\r" { continue }
      guard text.hasPrefix("#") else { return }
      guard line.hasPrefix("#PJM"), let next = line.dropFirst(4).first, next == " " || next == "\t"
      else { continue }
      do throws(ReasonOnly) {
        try apply(words: Self.words(line.dropFirst(5)))
      } catch {
        throw Refusal(line: number, reason: error.reason)
      }
    }
  }

  private struct ReasonOnly: Error {
    var reason: String
  }

  /// Splits as a shell would, quotes and backslashes included.
  private static func words(_ line: Substring) throws(ReasonOnly) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var escaped = false
    for character in line where character != "\r" {
      if escaped {
        word = (word ?? "") + String(character)
        escaped = false
      } else if character == "\\" && quote != "'" {
        escaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !escaped else { throw ReasonOnly(reason: "a quote is not closed") }
    if let word { words.append(word) }
    return words
  }

  private static let valued: Set<String> = [
    "-L", "--rsc-list", "-g", "--grpname", "-N", "--name", "-o", "--out", "-e", "--err", "-x",
    "--vset", "-p", "--priority", "-m", "--mail-list", "--mpi", "--spath", "-P", "--llio", "--fs",
    "--comment", "--appname", "--net-route", "-i", "--in",
  ]
  private static let plain: Set<String> = [
    "-j", "--join", "-s", "-S", "-X", "-w", "--norestart", "--restart",
  ]

  private mutating func apply(words: [String]) throws(ReasonOnly) {
    var rest = words[...]
    while let word = rest.popFirst() {
      // `--long=value` and `-Lvalue` are one word.
      var option = word
      var value: String?
      if word.hasPrefix("--"), let equals = word.firstIndex(of: "=") {
        option = String(word[..<equals])
        value = String(word[word.index(after: equals)...])
      } else if !word.hasPrefix("--"), word.count > 2, Self.valued.contains(String(word.prefix(2)))
      {
        option = String(word.prefix(2))
        value = String(word.dropFirst(2))
      }
      if Self.plain.contains(option), value == nil {
        set(option)
      } else if Self.valued.contains(option) {
        guard let argument = value ?? rest.popFirst() else {
          throw ReasonOnly(reason: "\(option) needs a value")
        }
        try set(option, argument)
      } else if ["--bulk", "--step", "--interact", "--sparam", "--mswk"].contains(option) {
        throw ReasonOnly(reason: "\(option) is not simulated")
      } else {
        throw ReasonOnly(reason: "unknown option \(word)")
      }
    }
  }

  private mutating func set(_ option: String) {
    switch option {
    case "-j", "--join": joinsOutputs = true
    case "-s": statistics = statistics == .detailed ? .detailed : .brief
    case "-S": statistics = .detailed
    case "--norestart": mayRestart = false
    case "--restart": mayRestart = true
    default: break
    }
  }

  private mutating func set(_ option: String, _ value: String) throws(ReasonOnly) {
    switch option {
    case "-L", "--rsc-list":
      for item in value.split(separator: ",") { try setResource(String(item)) }
    case "-g", "--grpname": group = value
    case "-N", "--name":
      guard Self.isName(value) else {
        throw ReasonOnly(
          reason: "\"\(value)\" is no job name: a letter, then letters, digits, . _ -")
      }
      name = value
    case "-o", "--out": output = value
    case "-e", "--err": error = value
    case "-x", "--vset": try setVariables(value)
    case "-p", "--priority":
      guard let number = Int(value), (0...255).contains(number) else {
        throw ReasonOnly(reason: "\"\(value)\" is no priority (0 to 255)")
      }
      priority = number
    case "--mpi": mpi = value
    case "--spath": statisticsPath = value
    default: break
    }
  }

  private mutating func setResource(_ item: String) throws(ReasonOnly) {
    guard let equals = item.firstIndex(of: "=") else {
      throw ReasonOnly(reason: "\"\(item)\" is no resource (name=value)")
    }
    let value = String(item[item.index(after: equals)...])
    switch item[..<equals] {
    case "node":
      (nodes, nodeRequest) = try Self.nodes(value)
    case "elapse":
      guard let limit = Self.elapse(value) else {
        throw ReasonOnly(reason: "\"\(value)\" is no elapse limit ([[hours:]minutes:]seconds)")
      }
      elapse = limit
    case "rscgrp", "rg":
      guard !value.isEmpty else { throw ReasonOnly(reason: "rscgrp names nothing") }
      resourceGroup = value
    default: break
    }
  }

  private mutating func setVariables(_ text: String) throws(ReasonOnly) {
    for item in text.split(separator: ",") {
      // A name alone would copy a variable of the shell that submits; the API has none.
      guard let equals = item.firstIndex(of: "=") else { continue }
      let name = String(item[..<equals])
      guard let first = name.utf8.first, !(0x30...0x39).contains(first),
        name.utf8.allSatisfy({ isWordByte($0) })
      else { throw ReasonOnly(reason: "\"\(name)\" is no name of a variable") }
      variables.append(Variable(name: name, value: String(item[item.index(after: equals)...])))
    }
  }

  /// `12`, `12:2x3x2`, `2x3x2:torus`: the count, and how the list shows it.
  private static func nodes(_ text: String) throws(ReasonOnly) -> (Int, String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let sizes = parts[0].split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    var count: Int? = 1
    for size in sizes {
      guard let size, size > 0, let so = count else {
        count = nil
        break
      }
      let (product, overflow) = so.multipliedReportingOverflow(by: size)
      count = overflow ? nil : product
    }
    guard let count else { throw ReasonOnly(reason: "\"\(text)\" is no number of nodes") }
    if sizes.count > 1 { return (count, "\(count):\(parts[0])") }
    let shape = parts.dropFirst().first { $0.contains("x") && Int($0.prefix(1)) != nil }
    return (count, shape.map { "\(count):\($0)" } ?? "\(count)")
  }

  /// `[[hours:]minutes:]seconds`; of a range the end.
  private static func elapse(_ text: String) -> Duration? {
    guard let last = text.split(separator: "-").last else { return nil }
    let parts = last.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...3).contains(parts.count) else { return nil }
    var seconds = 0
    for part in parts {
      guard part.utf8.count <= 7, let number = UInt(part) else { return nil }
      seconds = seconds * 60 + Int(number)
    }
    return seconds > 0 ? .seconds(seconds) : nil
  }

  /// "letter first, `[A-Za-z0-9._-]`, ≤63".
  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, (1...63).contains(text.utf8.count) else { return false }
    let isLetter = (0x41...0x5a).contains(first) || (0x61...0x7a).contains(first)
    return isLetter && text.utf8.allSatisfy { isWordByte($0) || $0 == 0x2e || $0 == 0x2d }
  }
}

/// A letter, digit or underscore of ASCII.
func isWordByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
  default: false
  }
}
