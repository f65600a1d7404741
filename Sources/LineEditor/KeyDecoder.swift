/// Keys that a full screen understands.
public enum ScreenKey: Sendable, Equatable {
  case character(Character)
  case up, down, pageUp, pageDown, home, end
  /// Ctrl-D, or the end of the input.
  case endOfInput
  /// Ctrl-Z.
  case stop
}

/// Makes keys of the bytes that a terminal sends (ECMA-48 cursor keys, xterm's variants).
struct KeyDecoder {
  private var pending: [UInt8] = []

  /// Takes bytes as they were read.
  ///
  /// - Returns: the keys that are whole; the rest of a sequence comes with the next bytes. An escape
  ///   that nothing follows is dropped.
  mutating func take(_ bytes: [UInt8]) -> [ScreenKey] {
    pending += bytes
    var keys: [ScreenKey] = []
    while let first = pending.first {
      if first == 0x1b {
        guard pending.count > 1 else { break }
        guard pending[1] == 0x5b || pending[1] == 0x4f else {
          pending.removeFirst()
          continue
        }
        guard let end = pending[2...].firstIndex(where: { (0x40...0x7e).contains($0) }) else {
          if pending.count > 16 { pending = [] }
          break
        }
        if let key = Self.key(of: Array(pending[2...end])) { keys.append(key) }
        pending.removeSubrange(...end)
      } else {
        pending.removeFirst()
        switch first {
        case 0x04: keys.append(.endOfInput)
        case 0x1a: keys.append(.stop)
        case 0x0d, 0x0a: keys.append(.down)
        case 0x20..<0x7f: keys.append(.character(Character(Unicode.Scalar(first))))
        default: break
        }
      }
    }
    return keys
  }

  private static func key(of sequence: [UInt8]) -> ScreenKey? {
    switch String(decoding: sequence, as: UTF8.self) {
    case "A": .up
    case "B": .down
    case "H", "1~", "7~": .home
    case "F", "4~", "8~": .end
    case "5~": .pageUp
    case "6~": .pageDown
    default: nil
    }
  }
}
