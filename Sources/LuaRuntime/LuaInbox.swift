import CLuaShim
import Synchronization

/// Messages to the Lua thread from anywhere. The loop sleeps on its event descriptor.
final class LuaInbox: Sendable {
  enum Message: Sendable {
    case completed(UInt64)
    case posted(port: UInt64, any Sendable)
    case closed(port: UInt64)
  }

  private struct State {
    var messages: [Message] = []
    /// Whether the loop sleeps, or is about to, and has to be woken.
    var isAsleep = false
  }

  let descriptor: Int32
  private let state = Mutex(State())

  init() throws {
    descriptor = lrt_eventfd()
    if descriptor < 0 { throw LuaError("cannot create an event descriptor") }
  }

  deinit { lrt_close_fd(descriptor) }

  func send(_ message: Message) {
    let wakes = state.withLock { state in
      state.messages.append(message)
      defer { state.isAsleep = false }
      return state.isAsleep
    }
    if wakes { lrt_eventfd_signal(descriptor) }
  }

  func take() -> [Message] {
    state.withLock { state in
      state.isAsleep = false
      if state.messages.isEmpty { return [] }
      defer { state.messages = [] }
      return state.messages
    }
  }

  var isEmpty: Bool { state.withLock { $0.messages.isEmpty } }

  /// Whether the loop may sleep: nothing has come, and whatever comes wakes it.
  func mayRest() -> Bool {
    state.withLock { state in
      state.isAsleep = state.messages.isEmpty
      return state.isAsleep
    }
  }
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
