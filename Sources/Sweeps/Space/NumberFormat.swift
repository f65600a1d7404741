#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Numbers in C's formats: the only caller of `vsnprintf`.
enum NumberFormat {
  /// A double through a format with exactly one conversion for a double, such as `%.15g`.
  static func text(_ value: Double, _ format: String) -> String {
    print(format, [value])
  }

  /// An integer through a format with exactly one conversion for a `long long`, such as `%05lld`.
  static func text(_ value: Int64, _ format: String) -> String {
    print(format, [value])
  }

  /// The nearest double with 15 significant decimal digits.
  static func rounded(_ value: Double) -> Double {
    Double(text(value, "%.15g")) ?? value
  }

  private static func print(_ format: String, _ arguments: [any CVarArg]) -> String {
    // Wide enough for `%99.99f` of the largest double: 309 digits, a point and 99 more.
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
      let length = unsafe withVaList(arguments) {
        unsafe vsnprintf(buffer.baseAddress, buffer.count, format, $0)
      }
      let count = min(max(Int(length), 0), buffer.count - 1)
      return unsafe String(
        decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]),
        as: UTF8.self)
    }
  }
}
