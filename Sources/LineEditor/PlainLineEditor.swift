import Glibc

/// Reads lines as the terminal or a pipe delivers them: for pipes, dumb terminals, and builds
/// without readline.
public final class PlainLineEditor: LineEditor {
  public let descriptor: Int32
  public private(set) var isActive = false
  private let output: Int32
  private let isComplete: ([UInt8]) -> Bool
  /// The second prompt, as stock Lua's.
  private let continuation = ">> "
  /// A pipe is read byte by byte: what follows a line belongs to the program that the line starts.
  private let readSize: Int
  private var prompt = ""
  private var form: [UInt8] = []
  private var line: [UInt8] = []
  private var isAtEnd = false

  /// - Parameters:
  ///   - input, output: descriptors; they stay open.
  ///   - isComplete: whether a form can run, or needs further lines.
  public init(input: Int32 = 0, output: Int32 = 1, isComplete: @escaping ([UInt8]) -> Bool) {
    descriptor = input
    self.output = output
    self.isComplete = isComplete
    readSize = isatty(input) == 1 ? 4096 : 1
  }

  public func begin(prompt: String, isQuestion: Bool) {
    self.prompt = prompt
    isActive = true
    Descriptor.write(prompt.utf8, to: output)
  }

  public func process() -> LineEvent? {
    var budget = 65_536
    while isActive, budget > 0, Descriptor.isReadable(descriptor) {
      let bytes = Descriptor.read(descriptor, atMost: readSize)
      budget -= max(1, bytes.count)
      if bytes.isEmpty { return end() }
      line += bytes
      if bytes.last == 0x0a, let event = takeLine() { return event }
    }
    return nil
  }

  private func takeLine() -> LineEvent? {
    line.removeLast()
    if line.last == 0x0d { line.removeLast() }
    if !form.isEmpty { form.append(0x0a) }
    form += line
    line = []
    guard form.isEmpty || isComplete(form) else {
      Descriptor.write(continuation.utf8, to: output)
      return nil
    }
    isActive = false
    defer { form = [] }
    return .form(form)
  }

  /// The end of the input: what is there is a form all the same, so that its error is seen.
  private func end() -> LineEvent {
    isActive = false
    if !line.isEmpty || !form.isEmpty, !isAtEnd {
      isAtEnd = true
      if !form.isEmpty, !line.isEmpty { form.append(0x0a) }
      defer {
        form = []
        line = []
      }
      return .form(form + line)
    }
    if isatty(output) == 1 { Descriptor.write([0x0a], to: output) }
    return .endOfInput
  }

  public func showAbove(_ text: [UInt8]) {
    guard isActive else { return }
    Descriptor.write([0x0a] + text + (text.last == 0x0a ? [] : [0x0a]), to: output)
    Descriptor.write((form.isEmpty ? prompt : continuation).utf8, to: output)
  }

  public func abandon() {
    guard isActive else { return }
    isActive = false
    form = []
    line = []
    Descriptor.write([0x0a], to: output)
  }

  // A terminal that only prints lines has no place for it.
  public func showStatus(_ text: [UInt8]) {}

  public func willWait() {}
  public func didWait() {}
  public func resize() {}
  public func suspend() {}
  public func resume() { if isActive { Descriptor.write(prompt.utf8, to: output) } }
  public func remember(_ form: [UInt8]) {}
  public func close() { isActive = false }
}
