#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a sampled parameter may be.
public enum SampleAxis: Sendable, Hashable {
  /// A real number from `min` to `max`, equally likely on a straight or a logarithmic scale.
  case interval(min: Double, max: Double, logarithmic: Bool = false)
  /// One of some values.
  case choices([ParameterValue])

  /// Refuses bounds and choices that make no sense.
  func check(_ name: String) throws(SpaceError) {
    switch self {
    case .interval(let min, let max, let logarithmic):
      guard min.isFinite, max.isFinite else { throw .notFinite(name) }
      guard min <= max else { throw .axis(name, "has min \(min) above max \(max)") }
      guard !logarithmic || min > 0 else {
        throw .axis(name, "is logarithmic and has min \(min), which is not above zero")
      }
    case .choices(let values):
      if values.isEmpty { throw .axis(name, "has no choices") }
      guard values.allSatisfy(\.isFinite) else { throw .notFinite(name) }
    }
  }

  /// The value at `unit` in [0, 1).
  func value(at unit: Double) -> ParameterValue {
    switch self {
    case .interval(let min, let max, false):
      return Series.computed(min * (1 - unit) + max * unit)
    case .interval(let min, let max, true):
      return Series.computed(pow(10, log10(min) * (1 - unit) + log10(max) * unit))
    case .choices(let values):
      return values[Swift.min(Int(unit * Double(values.count)), values.count - 1)]
    }
  }
}

/// How the points of a sample are spread.
public enum SampleDesign: Sendable, Hashable {
  /// Independent and uniform.
  case random(seed: UInt64)
  /// Latin hypercube: each of n equal slices of every axis holds one point.
  case latinHypercube(seed: UInt64)
  /// Sobol sequence (Joe-Kuo direction numbers); a seed shifts it digit by digit.
  case sobol(seed: UInt64?)
}

/// A sample: any point is computed from its number alone.
struct Sample: Sendable {
  let count: Int
  let axes: [SampleAxis]
  let design: SampleDesign
  private let sobol: Sobol?

  init(count: Int, axes: [SampleAxis], design: SampleDesign) {
    self.count = count
    self.axes = axes
    self.design = design
    if case .sobol(let seed) = design, !axes.isEmpty {
      sobol = Sobol(dimensions: axes.count, seed: seed)
    } else {
      sobol = nil
    }
  }

  func append(_ index: Int, to values: inout [ParameterValue]) {
    for (dimension, axis) in axes.enumerated() {
      values.append(axis.value(at: unit(index, dimension)))
    }
  }

  private func unit(_ index: Int, _ dimension: Int) -> Double {
    switch design {
    case .random(let seed):
      return SplitMix.unit(seed, UInt64(index), UInt64(dimension))
    case .latinHypercube(let seed):
      let slices = Permutation(count: count, seed: SplitMix.bits(seed, UInt64(dimension), 1))
      let jitter = SplitMix.unit(seed, UInt64(index), UInt64(dimension) &+ 1 << 32)
      return (Double(slices[index]) + jitter) / Double(count)
    case .sobol:
      return sobol?.coordinate(dimension, at: index) ?? 0
    }
  }
}
