/// How a script is run, as the kernel reads `#!`.
enum ScriptInterpreter {
  /// Program and its one argument; `/bin/sh` where the script names none.
  static func command(for script: [UInt8]) -> [String] {
    guard script.starts(with: "#!".utf8) else { return ["/bin/sh"] }
    let line = String(
      decoding: script.dropFirst(2).prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
    let words = trimmed(line[...])
    let program = words.prefix { $0 != " " && $0 != "\t" }
    guard !program.isEmpty else { return ["/bin/sh"] }
    let argument = trimmed(words[program.endIndex...])
    return argument.isEmpty ? [String(program)] : [String(program), String(argument)]
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
