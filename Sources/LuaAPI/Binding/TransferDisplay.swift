public import HomeFiles

/// Shows a push or pull while it goes on.
public struct TransferDisplay: Sendable {
  /// Told of every step, from any thread; must not block.
  public var update: @Sendable (HomeFiles.Step) -> Void
  /// Told that it is over, however it went.
  public var end: @Sendable () -> Void

  public init(
    update: @escaping @Sendable (HomeFiles.Step) -> Void, end: @escaping @Sendable () -> Void
  ) {
    self.update = update
    self.end = end
  }
}
