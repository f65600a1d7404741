/// Gathers a bracketed paste, from after its opening sequence to its closing one (xterm's control
/// sequences, "Bracketed Paste Mode").
struct PasteDecoder {
  private static let terminator = Array("\u{1b}[201~".utf8)
  /// A paste that never ends must not eat all memory: what comes later is dropped.
  private static let limit = 64 << 20

  /// Terminals send a paste at once: after such a silence somebody types.
  private static let silence = Duration.seconds(1)

  private var bytes: [UInt8] = []
  private var lastInput: ContinuousClock.Instant

  /// - Parameter start: when the opening sequence came.
  init(at start: ContinuousClock.Instant) { lastInput = start }

  /// Whether Ctrl-C was typed because the end of the paste does not come: alone, after a silence.
  ///
  /// - Parameters:
  ///   - input: bytes as they were read, not yet taken.
  ///   - interruptKey: the byte that Ctrl-C sends.
  ///   - now: when they were read.
  func isGivenUp(
    by input: ArraySlice<UInt8>, _ interruptKey: UInt8, at now: ContinuousClock.Instant
  ) -> Bool {
    interruptKey != 0 && input.count == 1 && input.first == interruptKey
      && now - lastInput >= Self.silence
  }

  /// Takes input.
  ///
  /// - Parameters:
  ///   - input: bytes as they were read.
  ///   - now: when they were read.
  /// - Returns: nil while the paste goes on; else the text, ready to be inserted, and what follows
  ///   it in the input.
  mutating func take(_ input: ArraySlice<UInt8>, at now: ContinuousClock.Instant) -> (
    text: [UInt8], rest: ArraySlice<UInt8>
  )? {
    lastInput = now
    let before = bytes.count
    bytes.append(contentsOf: input)
    let from = max(0, before - Self.terminator.count + 1)
    guard let end = Self.find(Self.terminator, in: bytes, from: from) else {
      if bytes.count > Self.limit {
        bytes.removeSubrange((Self.limit / 2)..<(bytes.count - Self.terminator.count))
      }
      return nil
    }
    let after = bytes.count - (end + Self.terminator.count)
    let text = Self.cleaned(bytes[..<end])
    bytes = []
    return (text, input.suffix(after))
  }

  /// Newlines as Lua has them, no NUL (readline's texts end there), none of the newlines at the end.
  static func cleaned(_ pasted: ArraySlice<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(pasted.count)
    var previous: UInt8 = 0
    for byte in pasted {
      switch byte {
      case 0: break
      case 0x0d: text.append(0x0a)
      case 0x0a where previous == 0x0d: break
      default: text.append(byte)
      }
      previous = byte
    }
    while text.last == 0x0a { text.removeLast() }
    return text
  }

  private static func find(_ pattern: [UInt8], in bytes: [UInt8], from: Int) -> Int? {
    var index = from
    while index + pattern.count <= bytes.count {
      if bytes[index] == pattern[0],
        bytes[index..<(index + pattern.count)].elementsEqual(pattern)
      {
        return index
      }
      index += 1
    }
    return nil
  }
}
