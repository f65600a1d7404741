import CLuaShim
import Synchronization

/// Messages to the Lua thread from anywhere. The loop sleeps on its event descriptor.
final class LuaInbox: Sendable {
  enum Message: Sendable {
    case completed(UInt64)
    case posted(port: UInt64, any Sendable)
    case closed(port: UInt64)
  }

  let descriptor: Int32
  private let messages = Mutex<[Message]>([])

  init() throws {
    descriptor = lrt_eventfd()
    if descriptor < 0 { throw LuaError("cannot create an event descriptor") }
  }

  deinit { lrt_close_fd(descriptor) }

  func send(_ message: Message) {
    let first = messages.withLock { messages in
      messages.append(message)
      return messages.count == 1
    }
    if first { lrt_eventfd_signal(descriptor) }
  }

  func take() -> [Message] {
    messages.withLock { messages in
      if messages.isEmpty { return [] }
      defer { messages = [] }
      return messages
    }
  }

  var isEmpty: Bool { messages.withLock { $0.isEmpty } }
}

/// A way to send messages to the Lua thread; see ``LuaState/port(of:handler:)``. The handler lives as
/// long as the port does.
public final class LuaPort<Message: Sendable>: Sendable {
  private let id: UInt64
  private let inbox: LuaInbox

  init(id: UInt64, inbox: LuaInbox) {
    self.id = id
    self.inbox = inbox
  }

  /// Has the handler called with `message` by the Lua thread, soon and in the order of sending.
  public func post(_ message: Message) { inbox.send(.posted(port: id, message)) }

  deinit { inbox.send(.closed(port: id)) }
}
