import Sweeps

/// How often what goes wrong, each from 0 to 1; the kinds are those of `exactly-once.md`, How it is
/// tested.
struct Faults: Sendable {
  // Submissions.
  var lostReply = 0.0
  var acceptedLate = 0.0
  /// The longest time until a late acceptance.
  var lateness = 900.0
  var acceptedTwice = 0.0
  var lostRequest = 0.0
  var failsWithReason = 0.0
  var failsAccepted = 0.0
  var failsUnaccepted = 0.0
  var notSent = 0.0
  // Lists.
  var listFails = 0.0
  var listIsShort = 0.0
  var listIsEmpty = 0.0
  var hidden = 0.0
  // Jobs.
  var restarted = 0.0
  var killed = 0.0
  var terminated = 0.0
  var nodeDown = 0.0
  var held = 0.0
  var slowStart = 0.0
  var slowSteps = 0.0
  var exitFails = 0.0
  var tooLong = 0.0
  // Syncs and bucket.
  var syncFails = 0.0
  var syncReplyLost = 0.0
  var syncSlow = 0.0
  var slowestSync = 200.0
  var bucketFails = 0.0
  // The client and its surroundings.
  var clientKilled = 0.0
  var homeWipedAt: Double?
  var bucketWipedAt: Double?

  static let none = Faults()

  /// Everything a little, wipes apart: what a bad week looks like.
  static let storm = Faults(
    lostReply: 0.15, acceptedLate: 0.15, acceptedTwice: 0.1, lostRequest: 0.1,
    failsWithReason: 0.0, failsAccepted: 0.1, failsUnaccepted: 0.1, notSent: 0.05,
    listFails: 0.1, listIsShort: 0.15, listIsEmpty: 0.05, hidden: 0.2,
    restarted: 0.1, killed: 0.1, terminated: 0.1, nodeDown: 0.05, held: 0.05, slowStart: 0.2,
    slowSteps: 0.3, exitFails: 0.15, tooLong: 0.1,
    syncFails: 0.15, syncReplyLost: 0.1, syncSlow: 0.2, bucketFails: 0.05,
    clientKilled: 0.03)

  /// Jobs that appear while their attempts are being sealed.
  static let race = Faults(
    acceptedLate: 0.8, lateness: 60, listIsShort: 0.8, slowSteps: 0.5, tooLong: 0.8,
    syncSlow: 0.9)
}
