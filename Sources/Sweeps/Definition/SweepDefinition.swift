/// A sweep as its user describes it: what `hpc.sweep{…}` and `hpc.run{…}` say (`lua-api.md`).
///
/// A value. Closures are called by the runner, from any thread, and may be slow.
public struct SweepDefinition: Sendable {
  /// Name of journal, outputs and jobs: letters, digits, `_`, `-` and `.`, not beginning with a dot.
  public var name: String
  /// Absolute path of the folder in which the journal and the outputs are.
  public var folder: String
  /// The points in their order; none twice (``Space/select(limit:where:order:)``). Empty where
  /// points come through `eval` alone.
  public var points: [Parameters]
  /// Kind, axes and seed of the space, for people.
  public var space: String
  /// Names of the parameters where `points` is empty.
  public var parameterNames: [String]
  public var script: SweepScript
  /// Text before each script; skipped on the simulator, not part of a point's identity.
  public var setup = ""
  public var resources = ResourceRule.fixed(Resources())
  public var inputs = InputRule.fixed([])
  public var outputs: [SweepOutput] = []
  /// Makes the fields of a row out of the outputs: JSON text, or nil for none. What it throws
  /// becomes the row's `result_error`.
  public var result: (@Sendable (SweepPoint, SweepFiles) async throws -> String?)?
  public var maxQueued = 100
  public var retries = SweepSettings.Retries.standard
  /// Node-hours, nil for no bound.
  public var budget: Double?
  /// Identical failures before any success that stop the sweep.
  public var stopAfter = 5
  public var pack = Pack()
  /// A folder in home to run in, which may be a template; nil for the attempt's own.
  public var workFolder: String?
  public var keep = JobScript.Keep.failed
  public var onEdit = EditRule.ask
  /// Part of the identity of the points.
  public var version = ""
  /// Parameters that nothing needs to use.
  public var unused: Set<String> = []
  /// Parameters that functions of the point have read so far; asked for after they were called.
  public var namesRead: @Sendable () -> Set<String> = { [] }
  /// In place of the script on the simulator, for a code that this computer lacks.
  public var standIn: StandIn?

  public init(
    name: String, folder: String, points: [Parameters], space: String = "",
    parameterNames: [String] = [], script: SweepScript
  ) {
    self.name = name
    self.folder = folder
    self.points = points
    self.space = space
    self.parameterNames = parameterNames
    self.script = script
  }

  /// Points that share a job.
  public struct Pack: Sendable, Hashable {
    /// Points a job.
    public var points = 1
    /// How many of them run at the same time.
    public var atOnce = 1

    public init(points: Int = 1, atOnce: Int = 1) {
      self.points = points
      self.atOnce = atOnce
    }
  }

  /// What to do about points that ran with another script, other inputs or another version.
  public enum EditRule: String, Sendable, Hashable, CaseIterable {
    case ask, keep, rerun
  }

  /// Runs on the simulator in the script's place.
  public struct StandIn: Sendable, Hashable {
    /// A template, run like a script.
    public var text: String
    /// How long it takes on the machine's clock before `text` runs.
    public var seconds: Double

    public init(text: String, seconds: Double = 0) {
      self.text = text
      self.seconds = seconds
    }
  }
}

/// What a point runs.
public struct SweepScript: Sendable, Hashable {
  public enum Body: Sendable, Hashable {
    /// The text of a script.
    case text(String)
    /// A script that is on the machine: path relative to home.
    case remote(String)
  }

  public var body: Body
  /// What it is called in messages, such as `ising.sh`; may be empty.
  public var source: String
  public var markers: Template.Markers
  /// False where nothing in the text is to be expanded.
  public var isTemplate: Bool

  public init(
    _ body: Body, source: String = "", markers: Template.Markers = .braces, isTemplate: Bool = true
  ) {
    self.body = body
    self.source = source
    self.markers = markers
    self.isTemplate = isTemplate
  }
}

/// One point, as functions of the point see it.
public struct SweepPoint: Sendable, Hashable {
  /// Number from 1, for good; 0 where the journal does not know it yet.
  public var number: Int
  /// Folder of its outputs and name in tables.
  public var name: String
  public var parameters: Parameters

  public init(number: Int, name: String, parameters: Parameters) {
    self.number = number
    self.name = name
    self.parameters = parameters
  }
}

/// What the points' jobs ask for.
public enum ResourceRule: Sendable {
  case fixed(Resources)
  /// By the point and the number of the attempt from 1.
  case perPoint(@Sendable (SweepPoint, Int) async throws -> Resources)
}

/// What is put into the points' work folders.
public enum InputRule: Sendable {
  case fixed([SweepInput])
  case perPoint(@Sendable (SweepPoint) async throws -> [SweepInput])
}

/// One input.
public enum SweepInput: Sendable, Hashable {
  /// A file or folder of this computer by its absolute path, and its path in the work folder.
  case local(path: String, name: String)
  /// An output of another row: linked on the machine, not moved through here.
  case linked(RemoteOutput)
}

/// A file that a point of some sweep has left on the machine.
public struct RemoteOutput: Sendable, Hashable {
  /// Relative to home.
  public var path: String
  /// Its path in the work folder of who uses it.
  public var name: String

  public init(path: String, name: String) {
    self.path = path
    self.name = name
  }
}

/// A declared output: a name, a template or a pattern (`*`, `?`, `[…]`) in the work folder.
public struct SweepOutput: Sendable, Hashable {
  public var pattern: String
  public var isRequired: Bool

  public init(_ pattern: String, isRequired: Bool = true) {
    self.pattern = pattern
    self.isRequired = isRequired
  }
}

/// The files that a point has left, for its result function.
public struct SweepFiles: Sendable {
  /// Absolute path of the folder that holds them, on this computer.
  public var folder: String
  /// As the exit record lists them: names relative to the folder.
  public var files: [OutputFile]
  /// Reads what the program wrote to its standard output or error, from the machine.
  let readLog: @Sendable (SweepLogs.Stream) async throws -> [UInt8]

  public init(
    folder: String, files: [OutputFile],
    readLog: @escaping @Sendable (SweepLogs.Stream) async throws -> [UInt8]
  ) {
    self.folder = folder
    self.files = files
    self.readLog = readLog
  }

  /// Path on this computer of one of the files; nil for a name that is none.
  public func path(_ name: String) -> String? {
    files.contains { $0.name == name } ? "\(folder)/\(name)" : nil
  }

  /// What the program wrote to its standard output or error; asks the machine.
  public func log(_ stream: SweepLogs.Stream) async throws -> [UInt8] { try await readLog(stream) }
}

extension SweepDefinition {
  /// The journal on the real service, and the throwaway one beside it of the simulator.
  public func journalPath(isSimulated: Bool) -> String {
    "\(folder)/\(name)\(isSimulated ? ".sim" : "").sweep"
  }

  /// Folder of the outputs: `NAME.out`, a folder a point in it.
  public func outputFolder(isSimulated: Bool) -> String {
    "\(folder)/\(name)\(isSimulated ? ".sim" : "").out"
  }
  /// What stands in the way of the outputs; nil where nothing does.
  func outputFolderProblem(isSimulated: Bool) -> SweepError? {
    let path = outputFolder(isSimulated: isSimulated)
    guard let status = try? LocalFile.status(path), !status.isFolder else { return nil }
    return SweepError(
      .definition, "\(path) is a file, and a folder of that name is to hold the outputs",
      hint: "Move it away (output sent there? say > \(name).log), or give the sweep another name")
  }
}
