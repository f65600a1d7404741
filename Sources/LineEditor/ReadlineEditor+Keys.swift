#if Readline
  internal import CReadline
  import Glibc

  extension ReadlineEditor {
    /// The keys that work differently from readline's own: see the functions below.
    func bindKeys() {
      for keys in ["\\C-m", "\\C-j"] {
        _ = unsafe hpc_rl_bind(keys) { _, key in ReadlineEditor.current?.returnKey(key) ?? 0 }
        _ = unsafe hpc_rl_bind_vi_command(keys) { _, key in
          ReadlineEditor.current?.returnKey(key) ?? 0
        }
      }
      _ = unsafe hpc_rl_bind("\\e\\C-m") { _, _ in ReadlineEditor.current?.newLineKey() ?? 0 }
      // Others of readline that complete know files only.
      hpc_rl_complete_nothing()
      for keys in ["\\C-i", "\\e?", "\\e="] {
        _ = unsafe hpc_rl_bind(keys) { _, _ in ReadlineEditor.current?.tabKey() ?? 0 }
      }
      for keys in ["\\e[A", "\\eOA", "\\C-p"] {
        _ = unsafe hpc_rl_bind(keys) { count, key in
          ReadlineEditor.current?.upKey(count, key) ?? 0
        }
      }
      for keys in ["\\e[B", "\\eOB", "\\C-n"] {
        _ = unsafe hpc_rl_bind(keys) { count, key in
          ReadlineEditor.current?.downKey(count, key) ?? 0
        }
      }
      bindLineKeys()
      _ = unsafe hpc_rl_bind("\\e[200~") { _, _ in
        ReadlineEditor.current?.beginPaste()
        return 0
      }
      _ = unsafe hpc_rl_bind_vi_command("\\e[200~") { _, _ in
        ReadlineEditor.current?.beginPaste()
        return 0
      }
      // Ctrl-Z comes as a key: see takeTerminal.
      _ = unsafe hpc_rl_bind("\\C-z") { _, _ in ReadlineEditor.current?.stopKey() ?? 0 }
      _ = unsafe hpc_rl_bind_vi_command("\\C-z") { _, _ in ReadlineEditor.current?.stopKey() ?? 0 }
    }

    /// Within a form of several lines these mean the cursor's line, not the whole form.
    private func bindLineKeys() {
      for keys in ["\\C-a", "\\e[H", "\\eOH", "\\e[1~"] {
        _ = unsafe hpc_rl_bind(keys) { _, _ in
          ReadlineEditor.current?.move { FormCursor.lineStart($0, $1) } ?? 0
        }
      }
      for keys in ["\\C-e", "\\e[F", "\\eOF", "\\e[4~"] {
        _ = unsafe hpc_rl_bind(keys) { _, _ in
          ReadlineEditor.current?.move { FormCursor.lineEnd($0, $1) } ?? 0
        }
      }
      _ = unsafe hpc_rl_bind("\\C-k") { _, _ in ReadlineEditor.current?.killLineKey() ?? 0 }
    }

    private func move(_ target: (_ form: [UInt8], _ point: Int) -> Int) -> Int32 {
      hpc_rl_set_point(Int32(target(form, Int(hpc_rl_point()))))
      return 0
    }

    /// Kills to the end of the line; at its end, the newline.
    private func killLineKey() -> Int32 {
      let point = Int(hpc_rl_point())
      let end = FormCursor.lineEnd(form, point)
      _ = rl_kill_text(Int32(point), Int32(end == point ? min(point + 1, form.count) : end))
      return 0
    }

    /// Stops the process as a shell's job until it is continued.
    private func stopKey() -> Int32 {
      suspend()
      kill(0, SIGTSTP)
      resume()
      return 0
    }

    /// Ends the form, or begins a new line while the form needs one.
    private func returnKey(_ key: Int32) -> Int32 {
      let form = form
      if form.isEmpty || hooks.isComplete(form) {
        // Its time is over with the prompt's.
        showStatus([])
        return rl_newline(1, key)
      }
      return newLineKey()
    }

    private func newLineKey() -> Int32 {
      insert([0x0a])
      return 0
    }

    private func upKey(_ count: Int32, _ key: Int32) -> Int32 {
      guard let point = FormCursor.up(form, Int(hpc_rl_point())) else {
        return rl_get_previous_history(count, key)
      }
      hpc_rl_set_point(Int32(point))
      return 0
    }

    private func downKey(_ count: Int32, _ key: Int32) -> Int32 {
      guard let point = FormCursor.down(form, Int(hpc_rl_point())) else {
        return rl_get_next_history(count, key)
      }
      hpc_rl_set_point(Int32(point))
      return 0
    }

    /// Completes; at the beginning of a line it indents.
    private func tabKey() -> Int32 {
      let form = form
      let point = Int(hpc_rl_point())
      let line = form[..<point].reversed().prefix { $0 != 0x0a }
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }), point > 0 || !form.isEmpty {
        insert([0x20, 0x20])
        return 0
      }
      let completion = hooks.complete(form, point)
      let start = min(max(0, completion.start), point)
      switch completion.action(for: Array(form[start..<point])) {
      case .ring: return rl_ding()
      case .replace(let text):
        _ = rl_begin_undo_group()
        _ = rl_delete_text(Int32(start), Int32(point))
        hpc_rl_set_point(Int32(start))
        insert(text)
        _ = rl_end_undo_group()
      case .list:
        let size = TerminalGuard.size(of: output)
        showAbove(hooks.list(completion.candidates, size.columns, size.rows))
      }
      return 0
    }
  }
#endif
