/// The Sobol sequence in Gray-code order (Antonov and Saleev), as SciPy's `qmc.Sobol` gives it
/// without scrambling: the first point is the origin.
struct Sobol {
  /// How many dimensions the direction numbers cover.
  static let dimensions = SobolDirections.table.count + 1
  /// How many points there are at 32 bits.
  static let limit = 1 << 32

  /// For each dimension the 32 direction numbers.
  private let directions: [[UInt32]]
  /// Added to each coordinate bit by bit: a random digital shift keeps the net's structure.
  private let shifts: [UInt32]

  /// - Parameters:
  ///   - dimensions: 1 to ``dimensions``.
  ///   - seed: of the digital shift; nil for the sequence as published.
  init(dimensions: Int, seed: UInt64?) {
    precondition((1...Self.dimensions).contains(dimensions))
    directions = (0..<dimensions).map(Self.directions(of:))
    shifts = (0..<dimensions).map { dimension in
      seed.map { UInt32(truncatingIfNeeded: SplitMix.bits($0, UInt64(dimension)) >> 32) } ?? 0
    }
  }

  /// A coordinate of a point, in [0, 1).
  func coordinate(_ dimension: Int, at index: Int) -> Double {
    var gray = UInt32(truncatingIfNeeded: index ^ (index >> 1))
    var bits = shifts[dimension]
    while gray != 0 {
      bits ^= directions[dimension][gray.trailingZeroBitCount]
      gray &= gray - 1
    }
    return Double(bits) * 0x1p-32
  }

  /// The recurrence of Joe and Kuo 2008, section 2.
  private static func directions(of dimension: Int) -> [UInt32] {
    guard dimension > 0 else { return (0..<32).map { UInt32(1) << (31 - $0) } }
    let (degree, coefficients, initial) = SobolDirections.table[dimension - 1]
    var numbers = initial.enumerated().map { $1 << (31 - UInt32($0)) }
    for i in degree..<32 {
      var number = numbers[i - degree] ^ (numbers[i - degree] >> UInt32(degree))
      for k in 1..<max(degree, 1) where coefficients >> UInt32(degree - 1 - k) & 1 == 1 {
        number ^= numbers[i - k]
      }
      numbers.append(number)
    }
    return numbers
  }
}
