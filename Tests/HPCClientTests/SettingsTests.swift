import HPCClient
import HTTP
import SigV4
import Testing

@Suite struct SettingsTests {
  private typealias File = SettingsEnvironment.File

  /// Resolves over a home directory that exists only here.
  private func resolve(
    _ given: Settings.Given = .init(), _ variables: [String: String] = [:],
    files: [String: SettingsEnvironment.File] = [:]
  ) throws(HPCError) -> Settings {
    try Settings.resolve(
      given,
      in: SettingsEnvironment(variables: variables, home: "/home/u") {
        path throws(SettingsEnvironment.ReadFailure) in
        if path == "/unreadable" { throw SettingsEnvironment.ReadFailure(code: 13) }
        return files[path]
      })
  }

  private func failure(
    _ given: Settings.Given = .init(), _ variables: [String: String] = [:],
    files: [String: SettingsEnvironment.File] = [:]
  ) -> HPCError? {
    do {
      _ = try resolve(given, variables, files: files)
      return nil
    } catch {
      return error
    }
  }

  private static let own = "/home/u/.config/hpc/config.ini"
  private static let credentials = "/home/u/.nifcloud/credentials"
  private static let config = "/home/u/.nifcloud/config"

  private func source(_ settings: Settings, _ key: SettingKey) -> String? {
    settings.entries.first { $0.key == key }?.source?.description
  }

  @Test func defaultsAreTheOperators() throws {
    let settings = try resolve()
    #expect(settings.endpoint.description == "https://jp-east-1.hpc-api.api.nifcloud.com/")
    #expect(settings.storageEndpoint.description == "https://jp-east-1.storage.api.nifcloud.com/")
    #expect(settings.scope == SigningScope(region: "jp-east-1", service: "hpc-api"))
    #expect(settings.maxConnections == 10)
    #expect(settings.clockRate == 1)
    #expect(settings.retryDeadline == .seconds(300))
    #expect(settings.bucket == nil)
    #expect(source(settings, .region) == "default")
    #expect(source(settings, .endpoint) == "from region")
    #expect(settings.entries.map(\.key) == SettingKey.allCases)
  }

  /// Every source says something; taking the winner away leaves the next.
  @Test func theFirstSourceWins() throws {
    var explicit: [SettingKey: String] = [.region: "r-explicit"]
    var commandLine: [SettingKey: (option: String, value: String)] = [
      .region: ("--region", "r-option")
    ]
    var variables = ["HPC_REGION": "r-hpc", "NIFCLOUD_DEFAULT_REGION": "r-operator"]
    var files = [
      Self.own: File(text: "region = r-own"),
      Self.credentials: File(text: "[default]\nregion = r-credentials"),
      Self.config: File(text: "[default]\nregion = r-config"),
    ]
    func check(_ region: String, _ from: String) throws {
      let settings = try resolve(
        .init(explicit: explicit, commandLine: commandLine), variables, files: files)
      #expect(settings.scope.region == region)
      #expect(source(settings, .region) == from)
    }
    try check("r-explicit", "hpc.connect")
    explicit = [:]
    try check("r-option", "--region")
    commandLine = [:]
    try check("r-hpc", "HPC_REGION")
    variables["HPC_REGION"] = ""
    try check("r-operator", "NIFCLOUD_DEFAULT_REGION")
    variables = [:]
    try check("r-own", "\(Self.own):1")
    files[Self.own] = nil
    try check("r-credentials", "\(Self.credentials):2")
    files[Self.credentials] = nil
    try check("r-config", "\(Self.config):2")
  }

  @Test func everyVariableIsRead() throws {
    let settings = try resolve(
      .init(),
      [
        "HPC_ENDPOINT": "http://127.0.0.1:8080/base", "HPC_REGION": "r", "HPC_SERVICE": "s",
        "HPC_MAX_CONNECTIONS": "3", "HPC_BUCKET": "b", "HPC_STORAGE_ENDPOINT": "http://localhost:1",
        "HPC_STORAGE_PREFIX": "home/", "HPC_CLOCK_RATE": "60", "HPC_RETRY_DEADLINE": "7.5",
        "NIFCLOUD_ACCESS_KEY_ID": "AKIDEXAMPLE", "NIFCLOUD_SECRET_ACCESS_KEY": "topsecret",
        "NIFCLOUD_STORAGE_ACCESS_KEY_ID": "STORAGEKEY",
        "NIFCLOUD_STORAGE_SECRET_ACCESS_KEY": "storagesecret",
      ])
    #expect(settings.endpoint.description == "http://127.0.0.1:8080/base")
    #expect(settings.scope == SigningScope(region: "r", service: "s"))
    #expect(settings.maxConnections == 3)
    #expect(settings.bucket == "b")
    #expect(settings.storageEndpoint.origin == "http://localhost:1")
    #expect(settings.storagePrefix == "home/")
    #expect(settings.clockRate == 60)
    #expect(settings.retryDeadline == .milliseconds(7500))
    #expect(try settings.credentials().secretAccessKey == "topsecret")
    #expect(try settings.storageCredentials().accessKeyID == "STORAGEKEY")
    let configuration = try HPCClient.Configuration(settings)
    #expect(configuration.retry.deadline == .milliseconds(7500))
    #expect(configuration.retry.maintenanceDeadline == .seconds(90))
    for text in ["\(settings)", String(reflecting: settings)] {
      #expect(text.contains("AK…LE"))
      #expect(!text.contains("secret\""))
      #expect(!text.contains("topsecret"))
      #expect(!text.contains("storagesecret"))
    }
    var dumped = ""
    dump(settings, to: &dumped)
    #expect(!dumped.contains("topsecret"))
  }

  private static let profiles: [String: SettingsEnvironment.File] = [
    credentials: .init(
      text: """
        [default]
        nifcloud_access_key_id = DEFAULTKEY
        nifcloud_secret_access_key = a
        [work]
        nifcloud_access_key_id=WORKKEY1 ; the office
        NIFCLOUD_SECRET_ACCESS_KEY = w=1
        """),
    config: .init(text: "# c\n[profile work]\nregion = r-work\nstray\n[broken\n"),
    own: .init(text: "bucket = all\n[work]\nbucket = mine\nendpoint = http://127.0.0.1:1\n"),
  ]

  @Test func profilesChooseSections() throws {
    let standard = try resolve(files: Self.profiles)
    #expect(try standard.credentials().accessKeyID == "DEFAULTKEY")
    #expect(standard.bucket == "all")
    let ways: [(Settings.Given, [String: String])] = [
      (.init(explicit: [.profile: "work"]), [:]),
      (.init(commandLine: [.profile: ("--profile", "work")]), [:]),
      (.init(), ["NIFCLOUD_PROFILE": "work"]), (.init(), ["NIFCLOUD_DEFAULT_PROFILE": "work"]),
    ]
    for (given, variables) in ways {
      let work = try resolve(given, variables, files: Self.profiles)
      #expect(try work.credentials().accessKeyID == "WORKKEY1")
      #expect(try work.credentials().secretAccessKey == "w=1")
      #expect(work.scope.region == "r-work")
      #expect(work.bucket == "mine")
      #expect(work.profile == "work")
    }
  }

  @Test func aProfileThatWasAskedForBeatsTheEnvironmentsKeys() throws {
    let variables = [
      "NIFCLOUD_ACCESS_KEY_ID": "ENVKEY12", "NIFCLOUD_SECRET_ACCESS_KEY": "e",
      "NIFCLOUD_PROFILE": "default",
    ]
    #expect(
      try resolve(.init(), variables, files: Self.profiles).credentials().accessKeyID == "ENVKEY12")
    let asked = Settings.Given(commandLine: [.profile: ("--profile", "work")])
    #expect(
      try resolve(asked, variables, files: Self.profiles).credentials().accessKeyID == "WORKKEY1")
  }

  @Test func anUnknownProfileNamesTheKnown() throws {
    let error = try #require(
      failure(.init(commandLine: [.profile: ("--profile", "wrok")]), files: Self.profiles))
    #expect(error.message == #"no profile "wrok" (asked for by --profile)"#)
    #expect(error.hint == "Profiles in the configuration files: default, work.")
  }

  @Test func otherPathsAreFollowed() throws {
    let settings = try resolve(
      .init(),
      [
        "XDG_CONFIG_HOME": "/x", "NIFCLOUD_SHARED_CREDENTIALS_FILE": "~/c",
        "NIFCLOUD_CONFIG_FILE": "/y",
      ],
      files: [
        "/x/hpc/config.ini": File(text: "service = s1"),
        "/home/u/c": File(
          text: "[default]\nnifcloud_access_key_id=K\nnifcloud_secret_access_key=s"),
        "/y": File(text: "[default]\nregion = r1"),
      ])
    #expect(settings.scope == SigningScope(region: "r1", service: "s1"))
    #expect(try settings.credentials().accessKeyID == "K")
  }

  @Test func missingKeysNameThePlacesAndTheSimulator() throws {
    let settings = try resolve(files: [Self.own: File(text: "[other]\n")])
    let error = #expect(throws: HPCError.self) { try settings.credentials() }
    let text = "\(try #require(error))"
    #expect(error?.code == "NoCredentials")
    for part in [
      "NIFCLOUD_ACCESS_KEY_ID, NIFCLOUD_SECRET_ACCESS_KEY",
      "\(Self.own): nothing in it for profile default", "\(Self.credentials): no such file",
      "\(Self.config): no such file", "hpc --sim",
    ] {
      #expect(text.contains(part))
    }
  }

  @Test func keysNeverComeFromTwoPlaces() throws {
    let error = try #require(
      failure(.init(), ["NIFCLOUD_ACCESS_KEY_ID": "ENVKEY12"], files: Self.profiles))
    #expect(error.message == "the environment has access_key_id but not secret_access_key")
  }

  @Test(
    arguments: [
      ("HPC_ENDPOINT", "ftp://h"), ("HPC_ENDPOINT", "http://u:p@h"), ("HPC_ENDPOINT", "http://h?q"),
      ("HPC_ENDPOINT", "http://h/#frag"), ("HPC_STORAGE_ENDPOINT", "http://h#"),
      ("HPC_REGION", "a b"), ("HPC_REGION", "a/b"), ("HPC_SERVICE", "x\ny"),
      ("HPC_MAX_CONNECTIONS", "0"), ("HPC_MAX_CONNECTIONS", "11"), ("HPC_MAX_CONNECTIONS", "2.5"),
      ("HPC_MAX_CONNECTIONS", "ten"), ("HPC_CLOCK_RATE", "0"), ("HPC_CLOCK_RATE", "-1"),
      ("HPC_CLOCK_RATE", "nan"), ("HPC_CLOCK_RATE", "inf"), ("HPC_RETRY_DEADLINE", "-1"),
      ("HPC_BUCKET", "a/b"), ("HPC_STORAGE_PREFIX", "a\nb"), ("HPC_STORAGE_ENDPOINT", ""),
      ("HPC_STORAGE_ENDPOINT", "h"),
    ])
  func refusalsNameTheSourceAndWhatIsAllowed(name: String, value: String) throws {
    guard !value.isEmpty else {
      #expect(failure(.init(), [name: value]) == nil, "empty is not set")
      return
    }
    let error = try #require(failure(.init(), [name: value]))
    #expect(error.code == "InvalidSetting")
    #expect(error.message.contains(name))
    #expect(error.hint?.hasPrefix("Allowed: ") == true)
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:1", true), ("http://127.9.9.9", true), ("http://localhost", true),
      ("http://[::1]:2", true), ("http://127.0.0.1.evil.example", false),
      ("http://10.0.0.1", false),
      ("https://jp-east-1.hpc-api.api.nifcloud.com", false), ("http://127.0.0", false),
    ])
  func clocksRunFasterOnLoopbackOnly(endpoint: String, isAllowed: Bool) {
    let variables = ["HPC_ENDPOINT": endpoint, "HPC_CLOCK_RATE": "60"]
    #expect((failure(.init(), variables) == nil) == isAllowed)
    #expect(failure(.init(), ["HPC_ENDPOINT": endpoint, "HPC_CLOCK_RATE": "1"]) == nil)
  }

  @Test func secretsAreNotQuotedInErrors() throws {
    let error = try #require(
      failure(
        .init(), ["NIFCLOUD_ACCESS_KEY_ID": "K", "NIFCLOUD_SECRET_ACCESS_KEY": "top secret"]))
    #expect(error.message.contains("NIFCLOUD_SECRET_ACCESS_KEY"))
    #expect(!"\(error)".contains("top secret"))
  }

  @Test func warnings() throws {
    let settings = try resolve(
      .init(), ["HPC_ENDPOINT": "http://example.com"],
      files: [
        Self.credentials: File(text: "[x]\nnifcloud_secret_access_key = s", mode: 0o644),
        Self.config: File(text: "[x]\nregion = r", mode: 0o644),
        Self.own: File(text: "\nbuket = b\n"),
      ])
    #expect(
      settings.warnings == [
        "others can read the keys in \(Self.credentials): chmod 600 \(Self.credentials)",
        "\(Self.own):2: no setting \"buket\"; did you mean bucket?",
        "http://example.com is not encrypted: others on the way can read everything",
      ])
  }

  /// As Python's configparser has it, which the operator's tools read their files with.
  @Test func valuesMayStandBehindAColon() throws {
    let settings = try resolve(
      files: [
        Self.credentials: File(
          text: "[default]\nnifcloud_access_key_id: COLONKEY1234\n"
            + "nifcloud_secret_access_key : a=b:c  ; secret\n"),
        Self.config: File(text: "[default]\nregion:jp-west-1\n"),
        Self.own: File(text: "endpoint: http://127.0.0.1:8080/a=b\n"),
      ])
    #expect(try settings.credentials().accessKeyID == "COLONKEY1234")
    #expect(try settings.credentials().secretAccessKey == "a=b:c")
    #expect(settings.region == "jp-west-1")
    #expect("\(settings.endpoint)" == "http://127.0.0.1:8080/a=b")
  }

  @Test func brokenFilesAreNamedWithTheirLine() throws {
    #expect(
      failure(files: [Self.own: File(text: "a = b\nnonsense")])?.message
        == "\(Self.own):2: neither [section] nor key = value")
    #expect(
      failure(files: [Self.own: File(text: "[x")])?.message
        == "\(Self.own):1: a section without its closing bracket")
    #expect(
      failure(.init(), ["NIFCLOUD_CONFIG_FILE": "/unreadable"])?.message
        == "/unreadable cannot be read: Permission denied")
  }

  @Test(arguments: [("endpont", SettingKey.endpoint), ("bucket_", .bucket), ("xyzzyxyzzy", nil)])
  func findsTheNearestName(text: String, key: SettingKey?) {
    #expect(SettingKey.nearest(to: text) == key)
  }
}
