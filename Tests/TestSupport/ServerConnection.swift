import Glibc
import HTTP

/// One connection of a ``ScriptedServer``: reads requests, takes their steps one after another.
final class ServerConnection {
  typealias Instant = ContinuousClock.Instant

  /// What the loop waits for next.
  enum Interest {
    case reads, writes
    case closed(reset: Bool)
  }

  let descriptor: Int32
  private let number: Int
  private var input: [UInt8] = []
  private var steps: [ScriptedServer.Step] = []
  private var turn = 0
  private var peerClosed = false
  private(set) var pausedUntil: Instant?
  /// What the loop waits for, as `advance` last said.
  var writes = false

  init(_ descriptor: Int32, number: Int) {
    self.descriptor = descriptor
    self.number = number
  }

  /// Takes what has arrived, and steps for every request that is whole.
  func read(_ server: ScriptedServer) {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
      if count > 0 {
        input += buffer[..<count]
      } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
        peerClosed = true
        break
      } else if errno == EAGAIN {
        break
      }
    }
    if steps.isEmpty { takeRequest(server) }
  }

  private func takeRequest(_ server: ScriptedServer) {
    guard !input.isEmpty else { return }
    if let early = server.stepsAtFirstByte(connection: number, turn: turn) {
      steps = early
      turn += 1
    } else if let request = nextRequest() {
      steps = server.steps(for: request)
      turn += 1
    }
  }

  /// Goes as far as it can without waiting.
  func advance(_ server: ScriptedServer) -> Interest {
    while !peerClosed {
      guard let step = steps.first else {
        takeRequest(server)
        if steps.isEmpty { return .reads }
        continue
      }
      switch step {
      case .send(let bytes):
        let sent = bytes.isEmpty ? 0 : write(bytes)
        guard let sent else { return .closed(reset: false) }
        if sent < bytes.count {
          steps[0] = .send(Array(bytes[sent...]))
          return .writes
        }
        steps.removeFirst()
      case .fill(let byte, let count):
        guard count > 0 else {
          steps.removeFirst()
          continue
        }
        let block = [UInt8](repeating: byte, count: Int(min(count, 256 << 10)))
        guard let sent = write(block) else { return .closed(reset: false) }
        steps[0] = .fill(byte, count: count - Int64(sent))
        if sent < block.count { return .writes }
      case .pause(let duration):
        let until = pausedUntil ?? .now + duration
        guard until <= .now else {
          pausedUntil = until
          return .reads
        }
        pausedUntil = nil
        steps.removeFirst()
      case .wait(let gate):
        guard gate.isOpen else {
          pausedUntil = .now + .milliseconds(5)
          return .reads
        }
        pausedUntil = nil
        steps.removeFirst()
      case .close: return .closed(reset: false)
      case .reset: return .closed(reset: true)
      case .hold: return .reads
      }
    }
    return .closed(reset: false)
  }

  /// Bytes written; nil where the peer is gone.
  private func write(_ bytes: [UInt8]) -> Int? {
    let count = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    if count < 0 { return errno == EAGAIN || errno == EINTR ? 0 : nil }
    return count
  }

  /// The next whole request of the input; chunked bodies are not understood.
  private func nextRequest() -> ScriptedServer.Request? {
    guard let end = endOfHead() else { return nil }
    let lines = String(decoding: input[..<end], as: UTF8.self).split(separator: "\r\n")
    let start = lines.first?.split(separator: " ") ?? []
    var headers = HTTPHeaders()
    for line in lines.dropFirst() {
      let name = line.prefix { $0 != ":" }
      let value = line.dropFirst(name.count + 1).drop { $0 == " " }
      headers.add(String(name), String(value))
    }
    let length = headers["Content-Length"].flatMap { Int($0) } ?? 0
    let bodyStart = end + 4
    guard start.count >= 2, input.count >= bodyStart + length else { return nil }
    let body = Array(input[bodyStart..<bodyStart + length])
    input.removeFirst(bodyStart + length)
    return ScriptedServer.Request(
      method: String(start[0]), target: String(start[1]), headers: headers, body: body,
      connection: number, turn: turn, number: 0, openConnections: 0)
  }

  private func endOfHead() -> Int? {
    guard input.count >= 4 else { return nil }
    return (0...input.count - 4).first {
      input[$0] == 13 && input[$0 + 1] == 10 && input[$0 + 2] == 13 && input[$0 + 3] == 10
    }
  }
}
