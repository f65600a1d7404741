/// The numbers of design §4, "Connections".
struct GovernorRules: Sendable, Equatable {
  /// Connections at most; the service allows ten (`api.md`).
  var limit = 10
  /// A series of 500s lowers the limit no further than this.
  var floor = 2
  /// False when only this process counts: then nobody else can starve.
  var isShared = true
  /// How long a slot stays without a connection after one was closed that the server may still
  /// count.
  var rest: Span = .milliseconds(10)
  /// A slot unused for so long is given back.
  var idleGiveBack: Span = .milliseconds(1500)
  /// How long the only slot is used before it goes to a process that has none.
  var fairUse: Span = .seconds(1)
  /// Least time between two looks at whether others starve: busy, and idle.
  var probeInterval: Span = .milliseconds(2)
  var idleProbeInterval: Span = .milliseconds(10)
  /// Time for a newcomer to take what was given back, before the next look.
  var probePauseAfterGiving: Span = .milliseconds(20)
  /// Time between two attempts to take one more slot: with a slot in hand, as one of those in
  /// line (the first might be a stopped process), and as the first in line.
  var takeInterval: Span = .milliseconds(10)
  var takeIntervalInLine: Span = .milliseconds(250)
  var takeIntervalWhenFirst: Span = .milliseconds(2)
  /// A lowered limit is whole again after this time, and one higher after each run of successes.
  var recovery: Span = .seconds(60)
  var successesPerStep = 20
}
