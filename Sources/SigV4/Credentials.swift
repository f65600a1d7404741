/// An access key with its secret. Neither secret nor token shows in any description.
public struct Credentials: Sendable, Hashable {
  /// Public half: names the account in every request.
  public var accessKeyID: String
  /// Never sent, never printed.
  public var secretAccessKey: String
  /// Goes with temporary keys, in `X-Amz-Security-Token`.
  public var sessionToken: String?

  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
  }

  /// The access key as messages show it: first and last two characters.
  public var maskedAccessKeyID: String {
    accessKeyID.count < 8 ? "…" : "\(accessKeyID.prefix(2))…\(accessKeyID.suffix(2))"
  }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "Credentials(\(maskedAccessKeyID))" }
  public var debugDescription: String { description }
  public var customMirror: Mirror {
    Mirror(self, children: ["accessKeyID": maskedAccessKeyID])
  }
}
