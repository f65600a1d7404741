/// SplitMix64 as a hash: random numbers by position, so that any point of a sample can be computed
/// without those before it.
///
/// Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014; constants of the reference implementation by S. Vigna.
enum SplitMix {
  /// 64 bits that depend on every bit of the seed and of the positions.
  static func bits(_ seed: UInt64, _ a: UInt64, _ b: UInt64 = 0) -> UInt64 {
    mixed(mixed(mixed(seed) &+ a) &+ b)
  }

  /// A number in [0, 1) with 53 random bits.
  static func unit(_ seed: UInt64, _ a: UInt64, _ b: UInt64 = 0) -> Double {
    Double(bits(seed, a, b) >> 11) * 0x1p-53
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// A seeded generator for everything that draws in order.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private let seed: UInt64
  private var position: UInt64 = 0

  public init(seed: UInt64) {
    self.seed = seed
  }

  public mutating func next() -> UInt64 {
    position &+= 1
    return SplitMix.bits(seed, position)
  }
}
