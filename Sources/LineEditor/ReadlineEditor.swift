#if Readline
  import Glibc
  internal import CReadline

  /// GNU readline through its callback interface.
  ///
  /// Readline is one per process, so is this. It reads the terminal byte by byte: what is typed
  /// after Return stays in the kernel for whoever reads next, a program that the form runs perhaps.
  @safe public final class ReadlineEditor: LineEditor {
    public let descriptor: Int32
    public private(set) var isActive = false
    let output: Int32
    let hooks: LineEditorHooks
    /// Bytes read beyond the end of a paste.
    private var ahead: ArraySlice<UInt8> = []
    private var paste: PasteDecoder?
    /// The history, while a question is asked.
    private var hidden: UnsafeMutablePointer<HISTORY_STATE>?
    private var event: LineEvent?
    private var isClosed = false
    /// The terminal's modes while a prompt is up, but for ISIG.
    private var modes = termios()
    private var makesSignals = true
    private var interruptKey: UInt8 = 3
    private var lastRemembered: [UInt8] = []
    /// The line above the prompt.
    private var status: [UInt8] = []
    /// Our own stream onto the terminal: descriptor 1 may lead elsewhere while a prompt is up.
    private let stream: UnsafeMutablePointer<FILE>

    /// The one editor. `nonisolated(unsafe)`: readline calls back without a context, and only on
    /// the thread that called it, which is the editor's.
    nonisolated(unsafe) private static weak var shared: ReadlineEditor?
    static var current: ReadlineEditor? { unsafe shared }

    /// Takes the terminal.
    ///
    /// - Parameters:
    ///   - input: the terminal's descriptor, normally 0.
    ///   - output: a descriptor of the same terminal that stays open.
    ///   - hooks: what is asked of the owner.
    /// - Returns: nil when these are no terminal, or another editor exists.
    public init?(input: Int32 = 0, output: Int32, hooks: LineEditorHooks) {
      guard Self.current == nil, TerminalGuard.arm(input), isatty(output) == 1,
        let stream = unsafe fdopen(fcntl(output, F_DUPFD_CLOEXEC, 10), "w")
      else { return nil }
      descriptor = input
      self.output = output
      self.hooks = hooks
      unsafe self.stream = unsafe stream
      unsafe Self.shared = self
      unsafe hpc_rl_configure(
        stream, { _ in ReadlineEditor.current?.nextByte() ?? EOF },
        { ReadlineEditor.current?.hasTypedAhead == true ? 1 : 0 },
        { ReadlineEditor.current?.takeTerminal($0) })
      _ = rl_initialize()
      // The one command of readline's that waits in place, for half a second.
      _ = unsafe rl_variable_bind("blink-matching-paren", "off")
      hpc_rl_comment_as_lua()
      using_history()
      bindKeys()
    }

    deinit { unsafe fclose(stream) }

    public func begin(prompt: String, isQuestion: Bool) {
      guard !isActive else { return }
      isActive = true
      event = nil
      if isQuestion { unsafe hidden = unsafe hpc_rl_hide_history() }
      hpc_rl_forget_eof()
      // Another program, or a full screen, may have seen the size change.
      rl_reset_screen_size()
      fitScreen()
      _ = TerminalGuard.arm(descriptor)
      TerminalGuard.setPrompting(true)
      unsafe rl_callback_handler_install(Self.marked(prompt)) { line in
        unsafe ReadlineEditor.current?.accept(line)
      }
      // It has looked at the environment's locale again.
      hpc_rl_read_utf8()
    }

    /// Colour sequences of a prompt within the marks by which readline knows what takes no room.
    static func marked(_ prompt: String) -> String {
      var result = ""
      var isSequence = false
      for scalar in prompt.unicodeScalars {
        if scalar == "\u{1b}", !isSequence {
          isSequence = true
          result += "\u{01}"
        }
        result.unicodeScalars.append(scalar)
        if isSequence, scalar == "m" {
          isSequence = false
          result += "\u{02}"
        }
      }
      return result
    }

    /// Called by readline when a line is accepted or Ctrl-D was typed.
    private func accept(_ line: UnsafeMutablePointer<CChar>?) {
      leave()
      guard let line = unsafe line else {
        event = isClosed ? .closed : .endOfInput
        return
      }
      event = isClosed ? .closed : .form(unsafe Self.bytes(line, Int(strlen(line))))
      unsafe free(line)
    }

    private func leave() {
      guard isActive else { return }
      isActive = false
      paste = nil
      status = []
      rl_callback_handler_remove()
      if let history = unsafe hidden {
        unsafe hpc_rl_show_history(history)
        unsafe hidden = nil
      }
      TerminalGuard.setPrompting(false)
    }

    public func process() -> LineEvent? {
      var budget = 4096
      while isActive, hasInput, budget > 0 || !ahead.isEmpty {
        if paste != nil {
          budget -= readPaste()
        } else if peek() == interruptKey, interruptKey != 0 {
          ahead.removeFirst()
          abandon()
          event = .interrupted
        } else {
          hpc_rl_read_char()
          budget -= 1
        }
        if isClosed, event == nil {
          leave()
          event = .closed
        }
        if event != nil { break }
      }
      defer { event = nil }
      return event
    }

    /// Whether readline may take more at once; never past Ctrl-C.
    private var hasTypedAhead: Bool {
      hasInput && (interruptKey == 0 || peek() != interruptKey)
    }

    /// The next byte, which stays; nil at the end.
    private func peek() -> UInt8? {
      if ahead.isEmpty { ahead = Descriptor.read(descriptor, atMost: 1)[...] }
      if ahead.isEmpty { isClosed = true }
      return ahead.first
    }

    private var hasInput: Bool { !ahead.isEmpty || Descriptor.isReadable(descriptor) }

    /// Raw modes as readline wants them. Pasted bytes must neither stop nor end the process (see
    /// also ``willWait()``), nor halt the output (Ctrl-S).
    private func takeTerminal(_ meta: Int32) {
      rl_prep_terminal(meta)
      guard unsafe tcgetattr(descriptor, &modes) == 0 else { return }
      interruptKey = modes.c_cc.0  // VINTR
      modes.c_iflag &= ~UInt32(IXON)
      modes.c_cc.1 = 0  // VQUIT
      modes.c_cc.10 = 0  // VSUSP
      // The prompt may show before the first wait: a Ctrl-C in a paste would throw its beginning away.
      modes.c_lflag &= ~UInt32(ISIG)
      makesSignals = false
      _ = unsafe tcsetattr(descriptor, TCSADRAIN, &modes)
    }

    public func willWait() { setSignals(false) }
    public func didWait() { setSignals(true) }

    private func setSignals(_ wanted: Bool) {
      // The rest of a paste is on its way: two Ctrl-C in it would end the session.
      let wanted = wanted && paste == nil
      guard isActive, wanted != makesSignals else { return }
      makesSignals = wanted
      if wanted { modes.c_lflag |= UInt32(ISIG) } else { modes.c_lflag &= ~UInt32(ISIG) }
      _ = unsafe tcsetattr(descriptor, TCSANOW, &modes)
    }

    /// The next byte for readline.
    private func nextByte() -> Int32 {
      guard peek() != nil, let byte = ahead.popFirst() else { return EOF }
      return Int32(byte)
    }

    /// Key of the sequence that opens a bracketed paste: what follows is not for readline, which
    /// would wait for its end in place.
    func beginPaste() { paste = PasteDecoder(at: .now) }

    private func readPaste() -> Int {
      let input: ArraySlice<UInt8>
      if ahead.isEmpty {
        input = Descriptor.read(descriptor, atMost: 65_536)[...]
        if input.isEmpty {
          isClosed = true
          return 1
        }
      } else {
        input = ahead
        ahead = []
      }
      if paste?.isGivenUp(by: input, interruptKey, at: .now) == true {
        abandon()
        event = .interrupted
      } else if let (text, rest) = paste?.take(input, at: .now) {
        paste = nil
        ahead = rest
        insert(text)
        rl_redisplay()
      }
      return 64
    }

    func insert(_ text: [UInt8]) {
      _ = unsafe (text + [0]).withUnsafeBytes { buffer in
        unsafe buffer.bindMemory(to: CChar.self).baseAddress.map { unsafe rl_insert_text($0) } ?? 0
      }
    }

    /// The form as it stands.
    var form: [UInt8] {
      unsafe hpc_rl_buffer().map { unsafe Self.bytes($0, Int(hpc_rl_end())) } ?? []
    }

    static func bytes(_ pointer: UnsafePointer<CChar>, _ count: Int) -> [UInt8] {
      unsafe Array(UnsafeRawBufferPointer(start: pointer, count: count))
    }

    public func showAbove(_ text: [UInt8]) {
      guard !text.isEmpty else { return }
      guard isActive else {
        Descriptor.write(text, to: output)
        return
      }
      write(text + (text.last == 0x0a ? [] : [0x0a]), status: status)
    }

    public func showStatus(_ text: [UInt8]) {
      guard isActive, text != status else { return }
      write([], status: text)
    }

    /// Writes where the prompt is, a status line and the prompt below it; the old one goes away.
    private func write(_ text: [UInt8], status new: [UInt8]) {
      _ = rl_clear_visible_line()
      unsafe fflush(stream)
      // The line above, to its beginning, erased.
      let erase = status.isEmpty ? [] : Array("\u{1b}[A\r\u{1b}[K".utf8)
      status = new
      Descriptor.write(erase + text + (new.isEmpty ? [] : new + [0x0a]), to: output)
      _ = rl_forced_update_display()
    }

    public func abandon() {
      guard isActive else { return }
      showStatus([])
      rl_callback_sigcleanup()
      hpc_rl_set_point(hpc_rl_end())
      rl_redisplay()
      unsafe fflush(stream)
      rl_free_line_state()
      _ = unsafe rl_replace_line("", 0)
      Descriptor.write(Array("^C".utf8), to: output)
      leave()
      Descriptor.write(Array("\r\n".utf8), to: output)
    }

    public func resize() {
      if isActive, fitScreen() {
        _ = rl_clear_visible_line()
        _ = rl_forced_update_display()
      } else if isActive {
        rl_resize_terminal()
      }
    }

    /// Readline divides by a third of the width, and scrolls sideways in a single line: it is told
    /// of a larger screen where there is hardly any.
    ///
    /// - Returns: whether it had to be.
    @discardableResult
    private func fitScreen() -> Bool {
      let (columns, rows) = TerminalGuard.size(of: output)
      guard columns < Self.leastColumns || rows < 2 else { return false }
      rl_set_screen_size(Int32(max(2, rows)), Int32(max(Self.leastColumns, columns)))
      return true
    }

    private static let leastColumns = 8

    public func suspend() {
      guard isActive else { return }
      rl_deprep_terminal()
      TerminalGuard.setPrompting(false)
    }

    public func resume() {
      guard isActive else { return }
      TerminalGuard.setPrompting(true)
      takeTerminal(1)
      _ = rl_forced_update_display()
    }

    public func remember(_ form: [UInt8]) {
      guard !form.isEmpty, form != lastRemembered, !form.contains(0) else { return }
      lastRemembered = form
      unsafe (form + [0]).withUnsafeBytes { buffer in
        if let text = unsafe buffer.bindMemory(to: CChar.self).baseAddress {
          unsafe add_history(text)
        }
      }
    }

    public func close() {
      guard isActive else { return }
      leave()
      Descriptor.write(Array("\r\n".utf8), to: output)
    }
  }
#endif
