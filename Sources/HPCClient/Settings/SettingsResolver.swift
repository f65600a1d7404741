import HTTP
import SigV4

extension Settings {
  /// Values that a program or a command line gives, with their sources.
  public struct Given: Sendable {
    /// From `hpc.connect{}`.
    public var explicit: [SettingKey: String]
    /// From options, with the option's name.
    public var commandLine: [SettingKey: (option: String, value: String)]

    public init(
      explicit: [SettingKey: String] = [:],
      commandLine: [SettingKey: (option: String, value: String)] = [:]
    ) {
      self.explicit = explicit
      self.commandLine = commandLine
    }
  }

  /// Finds every setting; the first source that has one wins: program, command line, environment,
  /// `~/.config/hpc/config.ini`, the operator's own files, defaults.
  ///
  /// A profile that was asked for by program or option brings its own keys and region along: they
  /// win over the environment's.
  ///
  /// - Parameters:
  ///   - given: what program and command line say.
  ///   - environment: what else may be looked at.
  /// - Returns: the settings; missing keys are an error only when they are asked for.
  /// - Throws: which value of which source is not allowed, and what is.
  public static func resolve(
    _ given: Given = Given(), in environment: SettingsEnvironment
  ) throws(HPCError) -> Settings {
    var resolver = SettingsResolver(given, environment)
    return try resolver.resolve()
  }
}

/// One resolution on its way.
struct SettingsResolver {
  /// A value with its source.
  struct Value: Sendable, Hashable {
    var text: String
    var source: SettingSource
  }

  /// A configuration file and what it may hold.
  struct Layer: Sendable {
    var path: String
    var contents: INIFile?
    var isOperators: Bool

    func value(_ key: SettingKey, profile: String) -> Value? {
      guard let name = isOperators ? key.operatorName : key.rawValue,
        let entry = contents?[name, profile: profile]
      else { return nil }
      return Value(text: entry.value, source: .file(path: path, line: entry.line))
    }
  }

  let given: Settings.Given
  let environment: SettingsEnvironment
  var layers: [Layer] = []
  var profile = Value(text: "default", source: .standard)
  var warnings: [String] = []
  var entries: [SettingKey: Value] = [:]

  init(_ given: Settings.Given, _ environment: SettingsEnvironment) {
    self.given = given
    self.environment = environment
  }

  mutating func resolve() throws(HPCError) -> Settings {
    try readFiles()
    try chooseProfile()
    let region = try text(.region, default: "jp-east-1", isAllowed: Self.isName)
    let service = try text(.service, default: "hpc-api", isAllowed: Self.isName)
    let endpoint = try url(.endpoint, default: "https://\(region).hpc-api.api.nifcloud.com")
    let storage = try url(.storageEndpoint, default: "https://\(region).storage.api.nifcloud.com")
    let connections = try number(.maxConnections, default: 10) {
      $0 >= 1 && $0 <= 10 && $0.rounded() == $0
    }
    let deadline = try number(.retryDeadline, default: 300) { $0 >= 0 && $0 <= 86_400 }
    let rate = try clockRate(endpoint: endpoint)
    let bucket = try optional(.bucket, isAllowed: Self.isName)
    let prefix = try optional(.storagePrefix) { text in text.utf8.allSatisfy { $0 >= 0x20 } } ?? ""
    let found = try credentials(.accessKeyID, .secretAccessKey, token: .sessionToken)
    let storageKeys = try credentials(.storageAccessKeyID, .storageSecretAccessKey, token: nil)
    warnAboutOpenFiles()
    warnAboutUnknownKeys()
    if endpoint.scheme == .http, !Settings.isLoopback(endpoint.host) {
      warnings.append("\(endpoint.origin) is not encrypted: others on the way can read everything")
    }
    return Settings(
      profile: profile.text, endpoint: endpoint,
      scope: SigningScope(region: region, service: service), maxConnections: Int(connections),
      retryDeadline: .seconds(deadline), clockRate: rate, bucket: bucket, storageEndpoint: storage,
      storagePrefix: prefix, warnings: warnings, entries: listing(), found: found,
      foundForStorage: storageKeys)
  }

  // MARK: Sources

  private var paths: (own: String, credentials: String, config: String) {
    let variables = environment.variables
    func path(_ name: String, or standard: String) -> String {
      let text = variables[name].flatMap { $0.isEmpty ? nil : $0 } ?? standard
      return text.hasPrefix("~/") ? environment.home + text.dropFirst() : text
    }
    let configHome = path("XDG_CONFIG_HOME", or: "\(environment.home)/.config")
    return (
      "\(configHome)/hpc/config.ini",
      path("NIFCLOUD_SHARED_CREDENTIALS_FILE", or: "\(environment.home)/.nifcloud/credentials"),
      path("NIFCLOUD_CONFIG_FILE", or: "\(environment.home)/.nifcloud/config")
    )
  }

  private mutating func readFiles() throws(HPCError) {
    for (path, isOperators) in [
      (paths.own, false), (paths.credentials, true), (paths.config, true),
    ] {
      let file: SettingsEnvironment.File?
      do throws(SettingsEnvironment.ReadFailure) {
        file = try environment.read(path)
      } catch {
        throw HPCError(
          .invalidSetting, "\(path) cannot be read: \(error.text)",
          hint: "Make it readable for you, or remove it.")
      }
      var layer = Layer(path: path, contents: nil, isOperators: isOperators)
      if let file {
        do throws(INIFile.Fault) {
          layer.contents = try INIFile(parsing: file.text, isLenient: isOperators)
        } catch {
          throw HPCError(.invalidSetting, "\(path):\(error.line): \(error.what)")
        }
        modes[path] = file.mode
      }
      layers.append(layer)
    }
  }
  var modes: [String: UInt32] = [:]

  private mutating func chooseProfile() throws(HPCError) {
    guard let chosen = givenValue(.profile) ?? environmentValue(.profile) ?? ownDefaultProfile
    else {
      entries[.profile] = profile
      return
    }
    profile = chosen
    entries[.profile] = chosen
    let names = Set(layers.flatMap { $0.contents?.sections.keys.map { $0 } ?? [] }).subtracting([""]
    )
    guard names.contains(chosen.text) || chosen.text == "default" else {
      let known = names.isEmpty ? "none" : names.sorted().joined(separator: ", ")
      throw HPCError(
        .invalidSetting,
        "no profile \(ErrorText.quoted(chosen.text)) (asked for by \(chosen.source))",
        hint: "Profiles in the configuration files: \(known).")
    }
  }

  /// A `profile = x` before the first section of config.ini.
  private var ownDefaultProfile: Value? {
    guard let own = layers.first, let entry = own.contents?.sections[""]?["profile"] else {
      return nil
    }
    return Value(text: entry.value, source: .file(path: own.path, line: entry.line))
  }

  private func givenValue(_ key: SettingKey) -> Value? {
    if let text = given.explicit[key] { return Value(text: text, source: .explicit) }
    if let (option, text) = given.commandLine[key] {
      return Value(text: text, source: .commandLine(option))
    }
    return nil
  }

  func environmentValue(_ key: SettingKey) -> Value? {
    for name in key.variables {
      if let text = environment.variables[name], !text.isEmpty {
        return Value(text: text, source: .environment(name))
      }
    }
    return nil
  }

  private func fileValue(_ key: SettingKey) -> Value? {
    for layer in layers {
      if let value = layer.value(key, profile: profile.text) { return value }
    }
    return nil
  }

  /// Whether a profile was asked for by program or option: its files win over the environment.
  var isProfileAskedFor: Bool {
    switch profile.source {
    case .explicit, .commandLine: true
    default: false
    }
  }

  private func value(_ key: SettingKey) -> Value? {
    if let value = givenValue(key) { return value }
    let isOfProfile =
      key.operatorName != nil || key == .storageAccessKeyID
      || key == .storageSecretAccessKey || key == .sessionToken
    if isOfProfile, isProfileAskedFor {
      return fileValue(key) ?? environmentValue(key)
    }
    return environmentValue(key) ?? fileValue(key)
  }

  // MARK: Values

  private mutating func text(
    _ key: SettingKey, default standard: String, isAllowed: (String) -> Bool
  ) throws(HPCError) -> String {
    if let text = try optional(key, isAllowed: isAllowed) { return text }
    entries[key] = Value(text: standard, source: .standard)
    return standard
  }

  private mutating func optional(
    _ key: SettingKey, isAllowed: (String) -> Bool
  ) throws(HPCError) -> String? {
    guard let value = value(key) else { return nil }
    guard isAllowed(value.text) else { throw refused(key, value) }
    entries[key] = value
    return value.text
  }

  private mutating func url(
    _ key: SettingKey, default standard: String
  ) throws(HPCError) -> HTTPURL {
    let value = value(key) ?? Value(text: standard, source: .derived(.region))
    entries[key] = value
    do throws(HTTPURL.ParseError) {
      let url = try HTTPURL(parsing: value.text)
      if url.query == nil, !value.text.contains("#") { return url }
    } catch {
      throw refused(key, value, because: error.description)
    }
    throw refused(key, value, because: "it has a query or a fragment")
  }

  private mutating func number(
    _ key: SettingKey, default standard: Double, isAllowed: (Double) -> Bool
  ) throws(HPCError) -> Double {
    guard let value = value(key) else {
      entries[key] = Value(text: Self.plain(standard), source: .standard)
      return standard
    }
    guard let number = Double(value.text), number.isFinite, isAllowed(number) else {
      throw refused(key, value)
    }
    entries[key] = value
    return number
  }

  /// Leases and polling are counted on this clock: off loopback it is the wall clock.
  private mutating func clockRate(endpoint: HTTPURL) throws(HPCError) -> Double {
    let rate = try number(.clockRate, default: 1) { $0 >= 0.001 && $0 <= 100_000 }
    if rate != 1, !Settings.isLoopback(endpoint.host), let value = entries[.clockRate] {
      throw refused(
        .clockRate, value, because: "\(endpoint.origin) is not on this machine")
    }
    return rate
  }

  func refused(_ key: SettingKey, _ value: Value, because reason: String? = nil) -> HPCError {
    let shown = key.isSecret ? "" : " = \(ErrorText.quoted(Self.masked(value.text)))"
    let reason = reason.map { ": \(ServiceFault.oneLine(Self.masked($0)))" } ?? ""
    return HPCError(
      .invalidSetting, "\(key.rawValue)\(shown) from \(value.source) is not allowed\(reason)",
      hint: "Allowed: \(key.allowed).")
  }

  /// Without what stands before an `@`: an address that was given with a password in it.
  private static func masked(_ text: String) -> String {
    guard let at = text.lastIndex(of: "@") else { return text }
    let start = text[..<at].firstRange(of: "://")?.upperBound ?? text.startIndex
    return text[..<start] + "…" + text[at...]
  }

  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 255
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
          || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f
      }
  }

  static func isVisible(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  }

  static func plain(_ number: Double) -> String {
    Int64(exactly: number).map(String.init) ?? String(number)
  }
}
