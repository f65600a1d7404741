/// A random permutation of 0 ..< `count` whose values are computed one by one, without a table: a
/// Feistel network over the next even power of two, walked until it lands inside.
///
/// Source of cycle walking: J. Black and P. Rogaway, "Ciphers with arbitrary finite domains",
/// CT-RSA 2002.
struct Permutation {
  private let count: UInt64
  private let seed: UInt64
  private let halfBits: UInt64
  private let rounds: UInt64 = 6

  /// - Precondition: `count` is at least 1.
  init(count: Int, seed: UInt64) {
    precondition(count >= 1)
    self.count = UInt64(count)
    self.seed = seed
    let bits = UInt64.bitWidth - (self.count - 1).leadingZeroBitCount
    halfBits = UInt64(max(bits + 1, 2) / 2)
  }

  subscript(index: Int) -> Int {
    var value = UInt64(index)
    repeat { value = passed(value) } while value >= count
    return Int(value)
  }

  private func passed(_ value: UInt64) -> UInt64 {
    let mask = (UInt64(1) << halfBits) - 1
    var left = value >> halfBits
    var right = value & mask
    for round in 0..<rounds {
      (left, right) = (right, left ^ (SplitMix.bits(seed, round, right) & mask))
    }
    return left << halfBits | right
  }
}
