import Glibc
import Testing

@testable import LineEditor

struct PlainLineEditorTests {
  /// Runs an editor over pipes: what it says to `input`, and what it wrote.
  private func run(_ input: [String]) -> (events: [LineEvent], output: String) {
    var to: [Int32] = [0, 0]
    var from: [Int32] = [0, 0]
    #expect(unsafe pipe(&to) == 0 && pipe(&from) == 0)
    // A form is whole when it has as many "end" as "do".
    let editor = PlainLineEditor(input: to[0], output: from[1]) { form in
      let words = String(decoding: form, as: UTF8.self).split { " \n".contains($0) }
      return words.count { $0 == "do" } <= words.count { $0 == "end" }
    }
    var events: [LineEvent] = []
    for text in input {
      Descriptor.write(Array(text.utf8), to: to[1])
      while Descriptor.isReadable(to[0]) {
        if !editor.isActive { editor.begin(prompt: "> ", isQuestion: false) }
        if let event = editor.process() { events.append(event) }
      }
    }
    close(to[1])
    while events.last != .endOfInput {
      if !editor.isActive { editor.begin(prompt: "> ", isQuestion: false) }
      if let event = editor.process() { events.append(event) }
    }
    close(from[1])
    let output = Descriptor.read(from[0], atMost: 65_536)
    close(from[0])
    close(to[0])
    return (events, String(decoding: output, as: UTF8.self))
  }

  private func form(_ text: String) -> LineEvent { .form(Array(text.utf8)) }

  @Test func `lines are forms`() {
    let (events, output) = run(["a\nb\r\n\n"])
    #expect(events == [form("a"), form("b"), form(""), .endOfInput])
    #expect(output == "> > > > ")
  }

  @Test func `a form goes on until it is whole`() {
    let (events, output) = run(["do\n", "x\nend\n"])
    #expect(events == [form("do\nx\nend"), .endOfInput])
    #expect(output == "> >> >> > ")
  }

  @Test func `the end of the input ends a form that is not whole`() {
    #expect(run(["do\nx"]).events == [form("do\nx"), .endOfInput])
    #expect(run(["do\n"]).events == [form("do"), .endOfInput])
    #expect(run(["x"]).events == [form("x"), .endOfInput])
  }

  @Test func `output goes above the prompt`() {
    var from: [Int32] = [0, 0]
    #expect(unsafe pipe(&from) == 0)
    let editor = PlainLineEditor(input: from[0], output: from[1]) { _ in true }
    editor.begin(prompt: "> ", isQuestion: false)
    editor.showAbove(Array("news".utf8))
    editor.abandon()
    #expect(!editor.isActive)
    #expect(Descriptor.read(from[0], atMost: 100) == Array("> \nnews\n> \n".utf8))
    close(from[0])
    close(from[1])
  }
}
