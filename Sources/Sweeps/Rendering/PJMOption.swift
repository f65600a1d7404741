/// One option of `pjsub`, as far as a sweep must know it (Fugaku job management, `api.md`).
struct PJMOption {
  enum Arity { case none, one, unknown }

  enum Meaning: Equatable {
    case limit, group, mpi, kept
    /// The sweep sets it itself.
    case replaced
    /// The sweep's promise cannot be kept with it.
    case refused(String)
  }

  /// The option without a value.
  let name: String
  /// A value that was written in the same word: `--rsc-list=node=4`, `-Lnode=4`.
  let attached: String?
  let arity: Arity
  let meaning: Meaning

  init(_ word: String) {
    var name = word
    var attached: String?
    if word.hasPrefix("--") {
      if let equals = word.firstIndex(of: "=") {
        name = String(word[..<equals])
        attached = String(word[word.index(after: equals)...])
      }
    } else if word.count > 2, Self.table[String(word.prefix(2))]?.arity == .one {
      name = String(word.prefix(2))
      attached = String(word.dropFirst(2))
    }
    self.name = name
    self.attached = attached
    (arity, meaning) = Self.table[name] ?? (.unknown, .kept)
  }

  private static let bulk = Meaning.refused(
    "cannot be: sub-jobs are out of the service's reach; use the sweep's points, or pack")

  private static let table: [String: (arity: Arity, meaning: Meaning)] = [
    "-L": (.one, .limit), "--rsc-list": (.one, .limit),
    "-g": (.one, .group), "--group": (.one, .group),
    "--mpi": (.one, .mpi),
    "-N": (.one, .replaced), "--name": (.one, .replaced),
    "-o": (.one, .replaced), "--out": (.one, .replaced),
    "-e": (.one, .replaced), "--err": (.one, .replaced),
    "-j": (.none, .replaced), "--join": (.none, .replaced),
    "-s": (.none, .replaced), "--stats": (.none, .replaced),
    "-S": (.none, .replaced), "--STATS": (.none, .replaced),
    "--spath": (.one, .replaced),
    "--restart": (.none, .replaced), "--norestart": (.none, .replaced),
    "--bulk": (.none, bulk), "--sparam": (.one, bulk),
    "--step": (.none, .refused("cannot be: a step waits for jobs that the sweep does not know")),
    "--interact": (.none, .refused("cannot be: nobody is there to answer")),
    "-x": (.one, .kept), "-X": (.none, .kept), "-p": (.one, .kept), "-m": (.one, .kept),
    "--mail-list": (.one, .kept), "--at": (.one, .kept), "--llio": (.one, .kept),
    "--comment": (.one, .kept),
  ]
}
