/// How a file is cut into parts.
struct MultipartPlan: Sendable, Hashable {
  /// Most parts of an upload (`api.md`, Online Object Storage).
  static let maximumParts: Int64 = 10_000
  /// Parts of large files are whole multiples of this.
  private static let step: Int64 = 1 << 20

  let size: Int64
  let partSize: Int64

  /// - Parameters:
  ///   - size: bytes of the file.
  ///   - partSize: bytes of a part, unless there would be too many.
  init(size: Int64, partSize: Int64) {
    self.size = size
    let least = Self.pieces(size, of: Self.maximumParts)
    self.partSize =
      least <= partSize ? partSize : Self.pieces(least, of: Self.step) * Self.step
  }

  /// Number of parts; at least one.
  var count: Int { Int(max(1, Self.pieces(size, of: partSize))) }

  /// Where a part, counted from 0, lies in the file.
  func range(of part: Int) -> Range<Int64> {
    let start = Int64(part) * partSize
    return start..<(start + min(partSize, size - start))
  }

  /// How many pieces of a length something is cut into, the last one perhaps shorter.
  private static func pieces(_ size: Int64, of length: Int64) -> Int64 {
    size > 0 ? (size - 1) / length + 1 : 0
  }
}
