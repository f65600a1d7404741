import SigV4

extension SettingsResolver {
  /// Keys come in pairs: the first source that has one of the two must have both, so that a key is
  /// never joined with the secret of another account.
  mutating func credentials(
    _ idKey: SettingKey, _ secretKey: SettingKey, token tokenKey: SettingKey?
  ) throws(HPCError) -> Settings.FoundCredentials {
    for source in sources(idKey, secretKey) {
      let id = source.value(idKey)
      let secret = source.value(secretKey)
      guard id != nil || secret != nil else { continue }
      guard let id, let secret else {
        let missing = id == nil ? idKey : secretKey
        throw HPCError(
          .invalidSetting,
          "\(source.name) has \(id == nil ? secretKey.rawValue : idKey.rawValue) "
            + "but not \(missing.rawValue)", hint: "Both must come from one place.")
      }
      guard Self.isVisible(id.text) else { throw refused(idKey, id) }
      guard Self.isVisible(secret.text) else { throw refused(secretKey, secret) }
      entries[idKey] = id
      entries[secretKey] = secret
      var token: String?
      if let tokenKey, let value = source.value(tokenKey) {
        guard Self.isVisible(value.text) else { throw refused(tokenKey, value) }
        entries[tokenKey] = value
        token = value.text
      }
      return .keys(
        Credentials(accessKeyID: id.text, secretAccessKey: secret.text, sessionToken: token))
    }
    return .none(lookedAt: sources(idKey, secretKey).compactMap(\.place))
  }

  /// One place that may hold a pair.
  private struct Source {
    var name: String
    /// For the list of places that were looked at; nil where nobody looks.
    var place: String?
    var value: (SettingKey) -> Value?
  }

  private func sources(_ idKey: SettingKey, _ secretKey: SettingKey) -> [Source] {
    let given = given
    let explicit = Source(name: "hpc.connect", place: nil) { key in
      given.explicit[key].map { Value(text: $0, source: .explicit) }
    }
    let commandLine = Source(name: "the command line", place: nil) { key in
      given.commandLine[key].map { Value(text: $0.value, source: .commandLine($0.option)) }
    }
    let names = [idKey, secretKey].flatMap(\.variables).joined(separator: ", ")
    let here = self
    let variables = Source(name: "the environment", place: "environment: \(names)") { key in
      here.environmentValue(key)
    }
    let profile = profile.text
    let files = layers.map { layer in
      let state = layer.contents == nil ? "no such file" : "nothing in it for profile \(profile)"
      return Source(name: layer.path, place: "\(layer.path): \(state)") { key in
        layer.value(key, profile: profile)
      }
    }
    return [explicit, commandLine]
      + (isProfileAskedFor ? files + [variables] : [variables] + files)
  }

  /// A file that holds a secret and that others may read (design §6).
  mutating func warnAboutOpenFiles() {
    for layer in layers {
      guard let contents = layer.contents, let mode = modes[layer.path], mode & 0o044 != 0 else {
        continue
      }
      let secrets = SettingKey.allCases.filter(\.isSecret).compactMap {
        layer.isOperators ? $0.operatorName : $0.rawValue
      }
      let hasSecret = contents.sections.values.contains { section in
        secrets.contains { section[$0] != nil }
      }
      if hasSecret {
        warnings.append("others can read the keys in \(layer.path): chmod 600 \(layer.path)")
      }
    }
  }

  /// Misspelt names in config.ini; the operator's files hold much that is not for us.
  mutating func warnAboutUnknownKeys() {
    guard let own = layers.first, let contents = own.contents else { return }
    let unknown = contents.sections.values.flatMap { section in
      section.filter { SettingKey(rawValue: $0.key) == nil }
    }
    for (name, entry) in unknown.sorted(by: { $0.value.line < $1.value.line }) {
      let nearest = SettingKey.nearest(to: name).map { "; did you mean \($0.rawValue)?" } ?? ""
      warnings.append("\(own.path):\(entry.line): no setting \(ErrorText.quoted(name))\(nearest)")
    }
  }

  /// Every setting as `hpc.config` shows it.
  func listing() -> [Settings.Entry] {
    SettingKey.allCases.map { key in
      guard let value = entries[key] else { return Settings.Entry(key: key) }
      var text = value.text
      if key.isSecret { text = "********" }
      if key == .accessKeyID || key == .storageAccessKeyID {
        text = Credentials(accessKeyID: text, secretAccessKey: "").maskedAccessKeyID
      }
      return Settings.Entry(key: key, value: text, source: value.source)
    }
  }
}
