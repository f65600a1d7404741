/// What a job asks for; nil leaves it to the script's own `#PJM` lines.
public struct Resources: Sendable, Hashable {
  /// Nodes: a number or PJM's shape, `12`, `4x3x2`, `12:torus`.
  public var node: String?
  /// Elapse limit in seconds.
  public var elapse: Int?
  /// Resource group.
  public var rscgrp: String?
  /// Group that is charged.
  public var group: String?
  /// The value of `--mpi`, such as `proc=48`.
  public var mpi: String?
  /// Further `#PJM` lines, with or without their `#PJM`.
  public var pjm: [String]

  public init(
    node: String? = nil, elapse: Int? = nil, rscgrp: String? = nil, group: String? = nil,
    mpi: String? = nil, pjm: [String] = []
  ) {
    self.node = node
    self.elapse = elapse
    self.rscgrp = rscgrp
    self.group = group
    self.mpi = mpi
    self.pjm = pjm
  }

  /// Refuses values that would break out of a `#PJM` line or that PJM cannot mean.
  public func check() throws(ResourceError) {
    if let node, Self.nodes(node) == nil { throw .value("node", node) }
    if let elapse, !(1...Elapse.longest).contains(elapse) { throw .value("elapse", "\(elapse)") }
    for (key, value) in [("rscgrp", rscgrp), ("group", group)] {
      if let value, value.isEmpty || !value.utf8.allSatisfy(Self.isWord) {
        throw .value(key, value)
      }
    }
    for (key, value) in [("mpi", mpi)] + pjm.map({ ("pjm", $0) }) {
      if let value, value.isEmpty || value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
        throw .value(key, value)
      }
    }
    if let mpi, mpi.contains("\"") { throw .value("mpi", mpi) }
  }

  /// Number of nodes of PJM's text: the product of a shape; nil for what is none.
  static func nodes(_ text: String) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let shape = parts.first else { return nil }
    guard parts.dropFirst().allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isWord) }) else {
      return nil
    }
    let axes = shape.split(separator: "x", omittingEmptySubsequences: false)
    guard (1...3).contains(axes.count) else { return nil }
    var product = 1
    for axis in axes {
      guard axis.utf8.allSatisfy({ (0x30...0x39).contains($0) }), axis.count <= 6,
        let length = Int(axis), length > 0
      else { return nil }
      product *= length
    }
    return product
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    ParameterName.isIdentifierByte(byte) || byte == 0x2d || byte == 0x2e
  }
}

/// What is wrong with resources or with a script's directives.
public enum ResourceError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A key of `resources` and its value.
  case value(String, String)
  /// An option that a sweep's job cannot have: line (0 for `resources.pjm`), option, reason.
  case refused(line: Int, option: String, reason: String)
  /// A directive that cannot be read: line (0 for `resources.pjm`) and text.
  case unreadable(line: Int, text: String)

  public var description: String {
    switch self {
    case .value(let key, let value): "resources.\(key) cannot be \"\(value)\""
    case .refused(let line, let option, let reason):
      "\(Self.place(line)): #PJM \(option) \(reason)"
    case .unreadable(let line, let text): "\(Self.place(line)): cannot read \"\(text)\""
    }
  }

  /// Whether it is about a line of the script.
  var isOfScript: Bool {
    switch self {
    case .value: false
    case .refused(let line, _, _), .unreadable(let line, _): line > 0
    }
  }

  private static func place(_ line: Int) -> String {
    line == 0 ? "resources.pjm" : "line \(line)"
  }
}
