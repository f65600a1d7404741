/// Bounds on what a document may cost; beyond one, parsing stops with an ``XMLError``.
public struct XMLLimits: Sendable, Hashable {
  /// Bytes of the document.
  public var bytes: Int
  /// Elements inside each other.
  public var depth: Int
  /// Elements in all.
  public var elements: Int

  public init(bytes: Int = 64 << 20, depth: Int = 32, elements: Int = 1 << 20) {
    self.bytes = bytes
    self.depth = depth
    self.elements = elements
  }
}
