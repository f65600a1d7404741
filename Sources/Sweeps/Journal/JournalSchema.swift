/// The tables of a journal, and the steps from each version to the next.
///
/// The comments are part of the schema: `sqlite3 ising.sweep .schema` shows them.
enum JournalSchema {
  /// "hpcs": marks a SQLite file as a journal of hpc (`PRAGMA application_id`).
  static let applicationID: Int64 = 0x6870_6373

  /// Step i makes version i + 1 of version i; version 0 is an empty file.
  static let migrations: [String] = [version1, version2, version3]

  static let version3 = """
    ALTER TABLE sweep ADD COLUMN
      version TEXT                         /* of the definition, as it was when last run */;
    ALTER TABLE sweep ADD COLUMN
      inputs TEXT                          /* digest and name of each, as they were then */;
    ALTER TABLE points ADD COLUMN
      kept TEXT                            /* definition under which its result was kept */;
    """

  /// Attempts of before keep their names; what was only staged is staged anew at the next run.
  /// (SQLite writes the text of a new column into the schema as it is: no `--` at its end.)
  static let version2 = """
    ALTER TABLE sweep ADD COLUMN
      fingerprint TEXT                     /* digest of endpoint and access key id */;
    ALTER TABLE sweep ADD COLUMN
      bucket TEXT                          /* bucket and prefix that hold its files */;
    ALTER TABLE submissions ADD COLUMN
      script TEXT                          /* digest of its run.sh; null before it is uploaded */;
    ALTER TABLE attempts ADD COLUMN
      tag TEXT                             /* its name there is point.n-tag; '' for point.n alone,
                                              null before it has one */;
    UPDATE attempts SET tag = '' WHERE phase <> 'new';
    """

  /// Lets a connection that only reads see an older version as the newest.
  static func views(of version: Int) -> String {
    var sweep = "NULL AS version, NULL AS inputs"
    var views = "CREATE TEMP VIEW points AS SELECT *, NULL AS kept FROM main.points;"
    if version == 1 {
      sweep += ", NULL AS fingerprint, NULL AS bucket"
      views += """
        CREATE TEMP VIEW submissions AS SELECT *, NULL AS script FROM main.submissions;
        CREATE TEMP VIEW attempts AS SELECT *, '' AS tag FROM main.attempts;
        """
    }
    views += "CREATE TEMP VIEW sweep AS SELECT *, \(sweep) FROM main.sweep;"
    return "PRAGMA query_only = OFF; \(views) PRAGMA query_only = ON;"
  }

  static let version1 = """
    CREATE TABLE sweep (
      -- One row: the sweep as a whole.
      id INTEGER PRIMARY KEY CHECK (id = 1),
      name TEXT NOT NULL,
      endpoint TEXT NOT NULL,              -- the service that its jobs belong to
      account TEXT NOT NULL,               -- masked access key id
      created INTEGER NOT NULL,            -- seconds since 1970
      space TEXT NOT NULL DEFAULT '',      -- kind, axes and seed of the space, for people
      definition TEXT NOT NULL DEFAULT '', -- digest of script, inputs and version when last run
      source TEXT,                         -- the script as it was then, to show what changed
      root TEXT,                           -- folder of the sweep in home and in the bucket
      root_ready INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE points (
      -- One row a point; a point without verdict is open.
      point INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,           -- also the folder of its outputs
      key TEXT NOT NULL UNIQUE,            -- parameters, encoded so that equal ones are equal
      parameters TEXT NOT NULL,            -- JSON object
      position INTEGER NOT NULL,           -- place in the order of the space
      definition TEXT,                     -- digest of script, inputs and version that it ran with
      member INTEGER NOT NULL DEFAULT 1,   -- 0: the space no longer has it
      verdict TEXT CHECK (verdict IN ('done', 'failed', 'cancelled')),
      cause TEXT,                          -- of a failure: 'exit 1', 'elapse', 'node_down', ...
      cancel_requested INTEGER NOT NULL DEFAULT 0,
      retries TEXT NOT NULL DEFAULT '',    -- used ones by cause: 'exit=1 node_down=2'
      not_started INTEGER NOT NULL DEFAULT 0,
      result TEXT,                         -- what the result function gave, JSON
      result_error TEXT,                   -- what it raised
      resources TEXT,                      -- JSON: what a retry said of them, over the sweep's own
      asked INTEGER NOT NULL DEFAULT 0,    -- 1: came by s:eval, in the space or not
      CHECK ((verdict = 'failed') = (cause IS NOT NULL) OR verdict IS NULL)
    );
    CREATE TABLE submissions (
      -- One row a job script that was prepared: one submission of one or more attempts.
      submission INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE CHECK (length(name) = 10), -- the job's name
      phase TEXT NOT NULL CHECK (phase IN ('prepared', 'staged', 'intent', 'unsure', 'submitted',
                                           'refused', 'abandoned')),
      nodes INTEGER NOT NULL,
      elapse INTEGER NOT NULL,             -- limit, seconds
      absent_since REAL                    -- when lists stopped to show it, seconds since 1970
    );
    CREATE TABLE posts (
      -- One row a POST /jobs; outcome is null from the intent until the answer.
      submission INTEGER NOT NULL REFERENCES submissions,
      number INTEGER NOT NULL CHECK (number >= 1),
      outcome TEXT CHECK (outcome IN ('not_sent', 'expired', 'denied', 'refused', 'accepted',
                                      'unclear')),
      PRIMARY KEY (submission, number)
    ) WITHOUT ROWID;
    -- At most one POST of a submission that was not definitely refused.
    CREATE UNIQUE INDEX posts_once ON posts (submission)
      WHERE outcome IS NULL OR outcome IN ('accepted', 'unclear');
    CREATE TRIGGER posts_final BEFORE UPDATE ON posts
      WHEN old.outcome IS NOT NULL AND old.outcome IS NOT new.outcome
      BEGIN SELECT RAISE(ABORT, 'rule: the outcome of a POST is final'); END;
    CREATE TABLE jobs (
      -- Every job id of a submission's name, with its end where a status of it was seen.
      submission INTEGER NOT NULL REFERENCES submissions,
      job INTEGER NOT NULL,
      state TEXT,                          -- EXT, CCL, RJT
      exit_code INTEGER, pjm_code INTEGER, signal INTEGER, elapsed INTEGER,
      is_over INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (submission, job)
    ) WITHOUT ROWID;
    CREATE INDEX jobs_by_id ON jobs (job);
    CREATE TABLE attempts (
      -- One row an attempt at a point: attempt (point, n) runs at most once.
      point INTEGER NOT NULL REFERENCES points,
      n INTEGER NOT NULL CHECK (n >= 1),
      submission INTEGER REFERENCES submissions,
      phase TEXT NOT NULL CHECK (phase IN ('new', 'submitted', 'sealing', 'sealed', 'unknown',
                                           'refused', 'withdrawn', 'closed')),
      closing TEXT CHECK (closing IN ('not_started', 'run_lost', 'exited')),
      reason TEXT CHECK (reason IN ('home_lost', 'bucket_lost')),
      blocked INTEGER NOT NULL DEFAULT 0,  -- its job is held or in error for long
      execution TEXT,                      -- jobid.pid.time of the run whose record counts
      exit_code INTEGER,
      cause TEXT,                          -- why it did not succeed
      started INTEGER, ended INTEGER,      -- seconds since 1970
      node_seconds REAL NOT NULL DEFAULT 0,
      PRIMARY KEY (point, n),
      CHECK ((phase = 'closed') = (closing IS NOT NULL)),
      CHECK ((phase = 'unknown') = (reason IS NOT NULL))
    ) WITHOUT ROWID;
    CREATE INDEX attempts_by_submission ON attempts (submission);
    CREATE TRIGGER attempts_in_turn BEFORE INSERT ON attempts
      WHEN new.n > 1 AND NOT EXISTS (
        SELECT 1 FROM attempts
        WHERE point = new.point AND n = new.n - 1 AND phase = 'closed')
      BEGIN SELECT RAISE(ABORT, 'rule: attempt n + 1 only after n is closed'); END;
    CREATE TRIGGER attempts_final BEFORE UPDATE ON attempts
      WHEN old.phase = 'closed' AND (new.phase <> 'closed' OR new.closing <> old.closing)
      BEGIN SELECT RAISE(ABORT, 'rule: a closed attempt stays closed'); END;
    CREATE TRIGGER attempts_kept BEFORE DELETE ON attempts
      BEGIN SELECT RAISE(ABORT, 'rule: attempts are never deleted'); END;
    CREATE TRIGGER points_done BEFORE UPDATE OF verdict ON points
      WHEN new.verdict = 'done' AND old.verdict IS NOT 'done' AND NOT EXISTS (
        SELECT 1 FROM attempts
        WHERE point = new.point AND closing = 'exited' AND exit_code = 0 AND cause IS NULL)
      BEGIN SELECT RAISE(ABORT, 'rule: done only with an exit record of code 0'); END;
    CREATE TABLE outputs (
      -- The files of a done point, as its exit record lists them.
      point INTEGER NOT NULL, n INTEGER NOT NULL,
      name TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
      PRIMARY KEY (point, n, name)
    ) WITHOUT ROWID;
    CREATE TABLE seal_syncs (
      -- Syncs of seals that were asked for and whose end was not seen yet.
      request INTEGER NOT NULL, point INTEGER NOT NULL, n INTEGER NOT NULL,
      PRIMARY KEY (request, point, n)
    ) WITHOUT ROWID;
    CREATE VIEW states AS
      -- Each point with its state in the user's words.
      SELECT p.point, p.name, p.parameters,
        CASE WHEN p.verdict IS NOT NULL THEN p.verdict
             -- A closed attempt without verdict: the point is to run again.
             WHEN a.phase IS NULL
               OR a.phase IN ('new', 'refused', 'withdrawn', 'closed') THEN 'new'
             WHEN a.phase = 'unknown' THEN 'unknown'
             WHEN a.blocked THEN 'blocked'
             WHEN s.phase IN ('prepared', 'staged') AND a.phase = 'submitted' THEN 'waiting'
             ELSE 'submitted' END AS state,
        p.cause, a.n AS attempts, s.name AS job_name, p.result
      FROM points p
      LEFT JOIN attempts a ON a.point = p.point
        AND a.n = (SELECT max(n) FROM attempts WHERE point = p.point)
      LEFT JOIN submissions s ON s.submission = a.submission;
    """
}
