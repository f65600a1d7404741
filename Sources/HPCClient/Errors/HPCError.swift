public import HTTP

/// Any failure of the client: data for programs, one text for people (`lua-api.md`, Errors).
///
/// One word in size: thousands of tasks that wait each have room for several.
@dynamicMemberLookup
public struct HPCError: Error, Sendable {
  /// What an error holds; reached as if it were the error's own.
  public struct Fields: Sendable {
    /// The service's code (`Server.Maintenance`), `HTTP.502` where it gave none, or one of
    /// ``LocalCode`` for what happened on this side.
    public var code: String
    /// What happened and what is known.
    public var message: String
    /// What to do.
    public var hint: String?
    /// Of the last answer, if there was one.
    public var status: Int?
    public var operation: APIOperation?
    /// Method and address, without query.
    public var request: String?
    /// Beginning of the answer's body.
    public var body: String?
    /// The same call may succeed later.
    public var isRetryable = false
    /// The service may have done what was asked.
    public var isAmbiguous = false
    /// How long the service asks to wait before the next request; bounded.
    public var retryAfter: Duration?
    /// How many requests were made.
    public var attempts = 0
    /// Jobs that may be the one of an ambiguous submission.
    public var candidates: [JobRecord] = []
    /// The submission that this is about.
    public var submission: SubmissionAttempt?
    /// What words were found for.
    var failure: Failure?
  }

  private final class Box: Sendable {
    let fields: Fields

    init(_ fields: Fields) {
      self.fields = fields
    }
  }

  private var box: Box

  public subscript<Value>(dynamicMember path: WritableKeyPath<Fields, Value>) -> Value {
    get { box.fields[keyPath: path] }
    set {
      var fields = box.fields
      fields[keyPath: path] = newValue
      box = Box(fields)
    }
  }

  /// The transport's own error, where no answer came.
  public var transportError: TransportError? {
    guard case .transport(let error) = self.failure else { return nil }
    return error
  }

  /// Whether the service says that there is no such job, in one of the shapes that it has for it:
  /// neither an unknown address nor a page of a gateway.
  public var saysJobIsMissing: Bool {
    guard case .fault(let fault) = self.failure else { return false }
    return fault.isJobNotFound
  }

  /// Codes of what happens on this side of the network.
  public enum LocalCode: String, Sendable, CaseIterable {
    case noConnection = "NoConnection"
    case timeout = "Timeout"
    case connectionLost = "ConnectionLost"
    case untrusted = "Untrusted"
    case badAnswer = "BadAnswer"
    case answerTooLarge = "AnswerTooLarge"
    case cancelled = "Cancelled"
    case invalidArgument = "InvalidArgument"
    case invalidSetting = "InvalidSetting"
    case noCredentials = "NoCredentials"
    case noSuchJob = "NoSuchJob"
    case local = "Local"
  }

  public init(_ code: LocalCode, _ message: String, hint: String? = nil) {
    self.init(code: code.rawValue, message: message, hint: hint)
  }

  public init(code: String, message: String, hint: String? = nil) {
    box = Box(Fields(code: code, message: message, hint: hint))
  }

  /// Whether the surrounding task was cancelled.
  public var isCancelled: Bool { self.code == LocalCode.cancelled.rawValue }
}

extension HPCError: CustomStringConvertible {
  /// Message, then what to do.
  public var description: String {
    let message = self.message
    guard let hint = self.hint else { return message }
    if message.hasSuffix("\n") { return message + hint }
    let end = message.last.map { ".!?".contains($0) } == true ? " " : ". "
    return message + end + hint
  }
}

/// What is kept of a submission whose outcome is not known, so that it can be looked for later.
public struct SubmissionAttempt: Sendable, Hashable {
  /// As it was sent.
  public var jobfile: String
  /// Seconds since 1970 on this machine's clock, just before the request.
  public var sentAt: Double
  /// Where it went: ``HPCClient/account``; 0 where that is not known.
  public var account: Int

  public init(jobfile: String, sentAt: Double, account: Int = 0) {
    self.jobfile = jobfile
    self.sentAt = sentAt
    self.account = account
  }
}
