/// What typing led to.
public enum LineEvent: Sendable, Equatable {
  /// A whole form was accepted, several lines perhaps; without the last newline.
  case form([UInt8])
  /// Ctrl-D on an empty form, or the end of the input; the cursor has left the prompt's line.
  case endOfInput
  /// Ctrl-C: what was typed is gone.
  case interrupted
  /// The terminal is gone: nobody can be asked any more.
  case closed
}

/// Reads forms from people, without ever blocking: the owner waits for ``descriptor`` in its own
/// poll, so that background tasks go on while a prompt is up.
///
/// An editor belongs to one thread. It is idle until ``begin(prompt:isQuestion:)``; it becomes idle again with
/// the event that ``process()`` returns, and then the terminal is in the modes that programs expect.
public protocol LineEditor: AnyObject {
  /// The descriptor that is readable when ``process()`` has something to do.
  var descriptor: Int32 { get }

  /// Whether a prompt is up.
  var isActive: Bool { get }

  /// Shows a prompt and starts to take input.
  ///
  /// - Parameters:
  ///   - prompt: text of one line; may hold colour sequences.
  ///   - isQuestion: what is typed is an answer: no form is recalled.
  func begin(prompt: String, isQuestion: Bool)

  /// Takes what was typed, at most some kilobytes at a time. May be called whether or not the
  /// descriptor is readable.
  func process() -> LineEvent?

  /// The owner is about to wait: Ctrl-C is a key like others until ``didWait()``, so that pasted
  /// bytes make no signals.
  func willWait()

  /// Programs may run now: Ctrl-C is a signal, which stops even what keeps this thread busy.
  func didWait()

  /// Shows text above the prompt and what was typed so far.
  func showAbove(_ text: [UInt8])

  /// Keeps a line above the prompt, below what ``showAbove(_:)`` shows; an empty one takes it away.
  ///
  /// - Parameter text: one line that fits the terminal.
  func showStatus(_ text: [UInt8])

  /// Throws away what was typed and leaves the prompt: Ctrl-C.
  func abandon()

  /// Lays the form out again after the terminal changed its size.
  func resize()

  /// Hands the terminal back for a while, as when the process is stopped (Ctrl-Z).
  func suspend()

  /// Takes the terminal again after ``suspend()``.
  func resume()

  /// Adds a form to those that can be recalled.
  func remember(_ form: [UInt8])

  /// Ends the use of the terminal, off the line of a prompt that is up.
  func close()
}

/// What an editor asks its owner.
public struct LineEditorHooks {
  /// Whether Return ends the form; a new line is begun otherwise.
  public var isComplete: (_ form: [UInt8]) -> Bool
  /// What could stand at the cursor, which is `point` bytes into the form.
  public var complete: (_ form: [UInt8], _ point: Int) -> LineCompletion
  /// Text that lists candidates on a terminal of `columns` cells and `rows` lines.
  public var list:
    (_ candidates: [LineCompletion.Candidate], _ columns: Int, _ rows: Int) -> [UInt8]

  public init(
    isComplete: @escaping (_ form: [UInt8]) -> Bool,
    complete: @escaping (_ form: [UInt8], _ point: Int) -> LineCompletion,
    list:
      @escaping (_ candidates: [LineCompletion.Candidate], _ columns: Int, _ rows: Int) ->
      [UInt8]
  ) {
    self.isComplete = isComplete
    self.complete = complete
    self.list = list
  }
}
