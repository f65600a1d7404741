// swift-tools-version: 6.2
import PackageDescription

/// One set of settings for every target: see docs/architecture.md.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .strictMemorySafety(),
]

func swift(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [])
  -> Target
{
  .target(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [])
  -> Target
{
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], resources: resources,
    swiftSettings: settings)
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let package = Package(
  name: "hpc",
  products: [
    .executable(name: "hpc", targets: ["hpc"]),
    .library(name: "HPCClient", targets: ["HPCClient", "CurlTransport"]),
    .library(name: "ObjectStore", targets: ["ObjectStore", "CurlTransport"]),
    .library(name: "HomeFiles", targets: ["HomeFiles", "CurlTransport"]),
  ],
  traits: [
    .trait(
      name: "Readline",
      description: "Line editing through GNU readline (GPL-3); without it, lines as they come."),
    .default(enabledTraits: ["Readline"]),
  ],
  targets: [
    system("CLua", pkgConfig: "lua5.4", apt: "liblua5.4-dev"),
    system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
    system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
    system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
    system("CExpat", pkgConfig: "expat", apt: "libexpat1-dev"),
    system("CMicrohttpd", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
    // Not by pkg-config: what its tinfo adds to the flags SwiftPM refuses with a warning.
    .systemLibrary(
      name: "CReadline", path: "Sources/System/CReadline", providers: [.apt(["libreadline-dev"])]),
    .systemLibrary(name: "CTerminal", path: "Sources/System/CTerminal"),

    .target(
      name: "CLuaShim", dependencies: ["CLua"],
      cxxSettings: [.define("SIMDJSON_THREADS_ENABLED", to: "1")],
      linkerSettings: [.linkedLibrary("simdjson")]),
    .target(
      name: "CJSON",
      cxxSettings: [.define("SIMDJSON_THREADS_ENABLED", to: "1")],
      linkerSettings: [.linkedLibrary("simdjson")]),

    swift("JSON", ["CJSON"]),
    swift("XML", ["CExpat"]),
    swift("HTTP"),
    swift("SigV4", ["HTTP", "CCrypto"]),
    swift("CurlTransport", ["HTTP", "CCurl"]),
    swift("HPCClient", ["HTTP", "SigV4", "JSON"]),
    swift("ObjectStore", ["HTTP", "SigV4", "XML"]),
    swift("HomeFiles", ["HPCClient", "ObjectStore", "HTTP"]),
    swift("Sweeps", ["CSQLite", "JSON", "HTTP", "SigV4", "HPCClient", "ObjectStore"]),
    swift("LuaRuntime", ["CLua", "CLuaShim"]),
    swift(
      "LuaAPI",
      ["LuaRuntime", "HPCClient", "HTTP", "JSON", "SigV4", "ObjectStore", "HomeFiles", "Sweeps"],
      resources: [
        .embedInCode("prelude.lua"), .embedInCode("sweeps.lua"), .embedInCode("files.lua"),
        .embedInCode("tables.lua"), .embedInCode("csv.lua"),
      ]),
    swift("Simulator", ["HTTP", "SigV4", "JSON", "XML", "CMicrohttpd"]),
    swift(
      "LineEditor",
      ["CTerminal", .target(name: "CReadline", condition: .when(traits: ["Readline"]))]),
    swift(
      "Console", ["LuaRuntime", "LuaAPI", "LineEditor"],
      resources: [
        .embedInCode("shell.lua"), .embedInCode("sweep-shell.lua"), .embedInCode("watch.lua"),
        .embedInCode("emit.lua"),
      ]),
    .executableTarget(
      name: "hpc",
      dependencies: [
        "Console", "LuaAPI", "LuaRuntime", "HPCClient", "HTTP", "CurlTransport", "ObjectStore",
        "SigV4",
        "Simulator", "Sweeps", "LineEditor",
      ],
      swiftSettings: settings,
      linkerSettings: [
        .unsafeFlags(
          [
            "-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections",
            "-lswiftSynchronization",
            // Half a millisecond of start-up each: docs/decisions.md.
            "-Xlinker", "--no-export-dynamic", "-Xclang-linker", "-no-pie",
          ], .when(configuration: .release))
      ]),

    .target(
      name: "TestSupport", dependencies: ["HTTP", "HPCClient"], path: "Tests/TestSupport",
      swiftSettings: settings),
    tests("JSONTests", ["JSON"]),
    tests("XMLTests", ["XML"]),
    tests("HTTPTests", ["HTTP"]),
    tests("SigV4Tests", ["SigV4", "JSON"], resources: [.copy("Vectors")]),
    tests("CurlTransportTests", ["CurlTransport"]),
    tests(
      "HPCClientTests",
      ["HPCClient", "HTTP", "JSON", "SigV4", "CurlTransport", "Simulator", "PlainProgram"]),
    tests(
      "SweepsTests",
      [
        "Sweeps", "HPCClient", "ObjectStore", "HTTP", "SigV4", "JSON", "CurlTransport", "Simulator",
      ]),
    tests("ObjectStoreTests", ["ObjectStore", "HTTP", "SigV4", "XML"]),
    tests("HomeFilesTests", ["HomeFiles", "HPCClient", "HTTP", "ObjectStore", "SigV4"]),
    tests("LuaRuntimeTests", ["LuaRuntime"], resources: [.copy("Corpus")]),
    tests(
      "LuaAPITests",
      ["LuaAPI", "LuaRuntime", "HPCClient", "HomeFiles", "HTTP", "ObjectStore", "Sweeps"]),
    tests("LineEditorTests", ["LineEditor"]),
    tests("ConsoleTests", ["Console"]),
    tests("SimulatorTests", ["Simulator", "CurlTransport", "SigV4"]),
    .executableTarget(
      name: "PlainProgram", dependencies: ["HPCClient", "CurlTransport"],
      path: "Tests/PlainProgram", swiftSettings: settings),
    .executableTarget(
      name: "Benchmarks",
      dependencies: ["SigV4", "HPCClient", "CurlTransport", "ObjectStore", "HTTP", "JSON"],
      path: "Tests/Benchmarks", swiftSettings: settings),
  ],
  cxxLanguageStandard: .cxx17
)

// Types of one target lie within those of targets above, and code there knows their layout, while SwiftPM
// builds anew only what depends directly on a target that changed: so each depends on all below it.
let targets = Dictionary(
  uniqueKeysWithValues: package.targets.filter { $0.type != .system }.map { ($0.name, $0) })
for target in targets.values {
  var known = Set<String>()
  func note(_ dependencies: [Target.Dependency]) {
    for case .byNameItem(let name, _) in dependencies where known.insert(name).inserted {
      note(targets[name]?.dependencies ?? [])
    }
  }
  note(target.dependencies)
  for case .byNameItem(let name, _) in target.dependencies { known.remove(name) }
  target.dependencies += known.filter { targets[$0] != nil }.sorted().map { .byName(name: $0) }
}
