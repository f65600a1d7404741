import LuaRuntime
import Sweeps

/// `hpc.grid`, `hpc.space.*`, `hpc.range` and its kin, and `hpc.render`.
final class SpaceBindings {
  /// A space as userdata: printable, `#space` points, `space[i]` computed when asked for.
  let type: LuaObjectType<SpaceBox>

  init(in state: LuaState) throws {
    let type = try state.objectType("Space", holding: SpaceBox.self)
    self.type = type
    func box(_ call: borrowing LuaCall) throws -> SpaceBox { try call.object(1, type) }
    let text = try state.function("tostring") { call in
      let space = try box(call).space
      return .value(.string("\(space.summary), \(space.count) point\(space.count == 1 ? "" : "s")"))
    }
    let length = try state.function("len") { call in .value(.integer(try box(call).space.count)) }
    let index = try state.function("Space") { call in
      let space = try box(call).space
      let key = try call.value(2)
      if let number = key.asInteger {
        guard (1...max(space.count, 1)).contains(number) else { return .value(.nil) }
        return .value(ParameterReader.table(space[number - 1]))
      }
      switch key.text {
      case "count": return .value(.integer(space.count))
      case "names": return .value(.array(space.names.map { .string($0) }))
      default: return .value(.nil)
      }
    }
    for (name, function) in [("__tostring", text), ("__len", length), ("__index", index)] {
      try state.rawSet(type.metatable, .string(name), .reference(function))
    }
  }

  /// The space of a userdata; nil for other values.
  func space(_ value: LuaValue, in state: LuaState) -> Space? {
    guard let userdata = value.asReference, userdata.type == .userdata else { return nil }
    return state.object(of: userdata, type)?.space
  }

  func bodies() -> [String: APIBody] {
    [
      "hpc.grid": make { .grid(try ParameterReader.axes($0.table(1), in: $0.state)) },
      "hpc.space.zip": make { .zip(try ParameterReader.axes($0.table(1), in: $0.state)) },
      "hpc.space.list": make { .list(try Self.rows($0.table(1), in: $0.state)) },
      "hpc.space.product": make { [self] call in
        var spaces: [Space] = []
        for position in 1..<(call.count + 1) {
          guard let space = space(try call.value(position), in: call.state) else {
            throw LuaError.type(position, expected: "Space")
          }
          spaces.append(space)
        }
        return .product(spaces)
      },
      "hpc.space.random": sample { .random(seed: $0 ?? 1) },
      "hpc.space.lhs": sample { .latinHypercube(seed: $0 ?? 1) },
      "hpc.space.sobol": sample { .sobol(seed: $0) },
      "hpc.range": series { call throws in
        let step = call.isAbsent(3) ? .integer(1) : try Self.number(call, 3)
        return try Series.range(Self.number(call, 1), Self.number(call, 2), by: step)
      },
      "hpc.linspace": series { call throws in
        try Series.linspace(
          Self.number(call, 1), Self.number(call, 2), count: call.integer(3))
      },
      "hpc.logspace": series { call throws in
        try Series.logspace(
          Self.number(call, 1), Self.number(call, 2), count: call.integer(3))
      },
      "hpc.render": .native { call in
        do {
          return .value(.string(try Self.render(call)))
        } catch let error as TemplateError {
          throw LuaError.argument(1, error.description)
        }
      },
    ]
  }

  // MARK: Pieces

  /// What a call asks for, before anything is checked that only the space knows.
  private enum Request {
    case grid([String: [ParameterValue]])
    case zip([String: [ParameterValue]])
    case list([[String: ParameterValue]])
    case product([Space])
    case sample(Int, [String: SampleAxis], SampleDesign)

    func make() throws(SpaceError) -> Space {
      switch self {
      case .grid(let axes): try .grid(axes)
      case .zip(let axes): try .zip(axes)
      case .list(let rows): try .list(rows)
      case .product(let spaces): try .product(spaces)
      case .sample(let count, let axes, let design): try .sample(count, axes, design)
      }
    }
  }

  private func make(_ read: @escaping (borrowing LuaCall) throws -> Request) -> APIBody {
    .native { [type] call in
      do {
        let space = try read(call).make()
        return .value(.reference(try call.state.make(SpaceBox(space), as: type)))
      } catch let error as SpaceError {
        throw LuaError.argument(1, error.description)
      } catch let error as ParameterReader.Problem {
        throw LuaError.argument(1, error.description)
      }
    }
  }

  private func sample(_ design: @escaping (UInt64?) -> SampleDesign) -> APIBody {
    make { call in
      let axes = try ParameterReader.sampleAxes(call.table(2), in: call.state)
      var seed: UInt64?
      if !call.isAbsent(3) {
        seed = try call.state.rawGet(call.table(3), "seed").asInteger.map {
          UInt64(bitPattern: Int64($0))
        }
      }
      return .sample(try call.integer(1), axes, design(seed))
    }
  }

  private func series(
    _ values: @escaping (borrowing LuaCall) throws -> [ParameterValue]
  ) -> APIBody {
    .native { call in
      do {
        return .value(.array(try values(call).map { ParameterReader.value($0) }))
      } catch let error as SpaceError {
        guard case .series(let argument, let message) = error else { throw error }
        throw LuaError.argument(argument, message)
      }
    }
  }

  private static func number(_ call: borrowing LuaCall, _ position: Int) throws -> ParameterValue {
    if case .integer(let number) = try call.value(position) { return .integer(Int64(number)) }
    return .double(try call.number(position))
  }

  /// Rows of a list; a row of a sweep, which has more than its parameters, gives those.
  private static func rows(_ list: LuaReference, in state: LuaState) throws
    -> [[String: ParameterValue]]
  {
    try state.read(list: list).enumerated().map { index, item in
      guard var row = item.asReference, row.type == .table else {
        throw ParameterReader.Problem(
          description: "row \(index + 1) must be a table, not a \(try state.typeName(of: item))")
      }
      if try ObjectTypes().name(of: item, in: state) == "Row",
        let parameters = try state.get(row, "parameters").asReference
      {
        row = parameters
      }
      return Dictionary(try ParameterReader.parameters(row, in: state)) { $1 }
    }
  }

  private static func render(_ call: borrowing LuaCall) throws -> String {
    let values: [String: ParameterValue]
    do {
      values = Dictionary(try ParameterReader.parameters(call.table(2), in: call.state)) { $1 }
    } catch let error as ParameterReader.Problem {
      throw LuaError.argument(2, error.description)
    }
    var markers = Template.Markers.braces
    if !call.isAbsent(3),
      let list = try call.state.rawGet(call.table(3), "markers").asReference
    {
      markers = try Self.markers(list, position: 3, in: call.state)
    }
    let template = try Template(try call.string(1), markers: markers)
    try template.check(known: values.keys)
    return try template.render { values[$0] }
  }

  /// `{"@", "@"}`.
  static func markers(_ list: LuaReference, position: Int, in state: LuaState) throws
    -> Template.Markers
  {
    let texts = try state.read(list: list).compactMap(\.text)
    guard texts.count == 2, texts.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(0x0a) }) else {
      throw LuaError.argument(position, "option 'markers' must be two strings, such as {'@', '@'}")
    }
    return Template.Markers(open: texts[0], close: texts[1])
  }
}

/// Holds a space for Lua.
final class SpaceBox {
  let space: Space

  init(_ space: Space) {
    self.space = space
  }
}
