import Glibc
import Synchronization

/// This process's place in the line of those that hold no slot and wait for one.
///
/// The line is a lock file: who holds it is first and takes the next free slot. A thread of its own
/// waits for it, because that is the order in which the kernel serves, and because the curl thread
/// must not block. It ends when the lock came; a place given up meanwhile is passed on then.
final class WaitingLine: Sendable {
  private enum Place {
    case none
    case waiting(isWanted: Bool)
    case first(Turn)
  }

  /// The locked file, on its way from the waiting thread to the curl thread.
  ///
  /// `@unchecked Sendable`: made by the waiting thread, which stores it under the mutex and never
  /// touches it again; afterwards it is used under the mutex only.
  private struct Turn: @unchecked Sendable {
    let file: LockFile
  }

  private let place = Mutex(Place.none)
  private let directory: LockDirectory
  private let name: String
  private let onFirst: @Sendable () -> Void

  /// `onFirst` is called from another thread when this process is the first.
  init(_ name: String, in directory: LockDirectory, onFirst: @escaping @Sendable () -> Void) {
    self.name = name
    self.directory = directory
    self.onFirst = onFirst
  }

  func join() {
    let mustStart = place.withLock { place in
      switch place {
      case .none:
        place = .waiting(isWanted: true)
        return true
      case .waiting:
        place = .waiting(isWanted: true)
        return false
      case .first:
        return false
      }
    }
    guard mustStart else { return }
    // Without a thread, the governor's own attempts remain.
    if LoopThread({ [self] in wait() }) == nil { place.withLock { $0 = .none } }
  }

  func leave() {
    place.withLock { place in
      switch place {
      case .none: break
      case .waiting: place = .waiting(isWanted: false)
      case .first(let turn):
        turn.file.unlock()
        place = .none
      }
    }
  }

  private func wait() {
    let file = LockFile(name, in: directory)
    let isFirst = file.lock(LOCK_EX, waits: true) == .locked
    let tells = place.withLock { place in
      guard isFirst, case .waiting(isWanted: true) = place else {
        file.unlock()
        place = .none
        return false
      }
      place = .first(Turn(file: file))
      return true
    }
    if tells { onFirst() }
  }
}
