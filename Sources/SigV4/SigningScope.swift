/// What a signature is valid for, besides its day.
public struct SigningScope: Sendable, Hashable {
  /// For example `jp-east-1`.
  public var region: String
  /// For example `hpc-api` (assumed, see `api.md`) or `s3`.
  public var service: String

  public init(region: String, service: String) {
    self.region = region
    self.service = service
  }
}

/// The two ways in which services canonicalise a request.
public enum SigningVariant: Sendable, Hashable {
  /// Path normalised and encoded a second time: every service but the bucket.
  case standard
  /// Path taken as it is sent, `X-Amz-Content-Sha256` always there: the bucket.
  case s3
}
