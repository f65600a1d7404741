import Sweeps

extension APISpec {
  /// What `hpc.sweep{…}` and `hpc.run{…}` have in common.
  private static let jobOptions: [APIParameter] = [
    APIParameter(
      "script", .string, optional: true,
      "a file beside the Lua file, or text (it has a newline); parameters as {{T}} or $T"),
    APIParameter(
      "remote", .string, optional: true,
      "instead of script: path of a script that is in your home on the machine"),
    APIParameter(
      "setup", .string, optional: true,
      "text before the script, such as \"module load {{compiler}}\"; skipped on the simulator"),
    APIParameter(
      "inputs", .oneOf([.table, .string, .function]), optional: true,
      "files and folders, [\"name there\"] = path, row:output(name), or function(p) --> such a list; copied into the work folder"
    ),
    APIParameter(
      "outputs", .oneOf([.table, .string]), optional: true,
      "names and patterns in the work folder; missing ones fail the point, those in optional = {…} do not"
    ),
    APIParameter(
      "result", .function, optional: true,
      "function(p, files) --> fields of the row; runs once and is saved. files[name] is bytes, files:path(name) a path, files.stdout, files.stderr"
    ),
    APIParameter(
      "retries",
      .oneOf([.integer, .keys(["exit", "elapse", "memory", "node_down", "not_started", "killed"])]),
      optional: true,
      "a number, or by cause {exit=, elapse=, memory=, node_down=, killed=}; default {node_down = 2}"
    ),
    APIParameter(
      "budget", .keys(["node_hours"]), optional: true,
      "{node_hours = 500}: limits while running, real use after; default none"),
    APIParameter(
      "max_queued", .integer, optional: true,
      "counts every listed job of yours; default 100"),
    APIParameter(
      "workdir", .string, optional: true,
      "a folder in your home there to run in; default one of its own for each attempt"),
    APIParameter(
      "keep", .words(["failed", "all", "none"]), optional: true,
      "which work folders stay on the machine; default failed"),
    APIParameter(
      "on_edit", .words(["ask", "keep", "rerun"]), optional: true,
      "when script, inputs or version changed since points ran: keep their results or rerun them; default ask"
    ),
    APIParameter(
      "version", .oneOf([.string, .number]), optional: true,
      "part of the identity of a point: raise it when the program on the machine changed"),
    APIParameter(
      "markers", .array(.string), optional: true,
      "{\"@\", \"@\"} for scripts that say @T@; default {\"{{\", \"}}\"}"),
    APIParameter(
      "template", .boolean, optional: true, "false: nothing in the script is expanded"),
    APIParameter(
      "sim", .keys(["run", "seconds"]), optional: true,
      "{run = text, seconds =}: stand-in on the simulator for a code that this computer lacks"),
  ]

  private static let resourceKeys = APIType.keys([
    "node", "elapse", "rscgrp", "group", "mpi", "pjm",
  ])

  private static let name = APIParameter(
    "name", .string, "of journal, outputs and jobs: letters, digits, _, - and .")

  private static let sweepOptions: [APIParameter] =
    [
      name,
      APIParameter(
        "space", .any, optional: true,
        "hpc.grid{…} or one of hpc.space; may be missing where all points come by s:eval"),
      APIParameter(
        "repeats", .integer, optional: true,
        "each point so often; adds the parameter rep; default 1"),
      APIParameter("where", .function, optional: true, "function(p) --> true for points to keep"),
      APIParameter(
        "order", .function, optional: true, "function(a, b) --> true where a comes before b"),
      APIParameter(
        "max_points", .integer, optional: true,
        "confirms a space of more than \(Space.confirmationLimit) points"),
      APIParameter(
        "resources", .oneOf([resourceKeys, .function]), optional: true,
        "{node=, elapse=, rscgrp=, group=, mpi=, pjm=}, or function(p, attempt) --> such a table; elapse in seconds or \"2h\""
      ),
      APIParameter(
        "pack", .oneOf([.keys(["points", "at_once"]), .integer]), optional: true,
        "{points =, at_once =}: points that share a job; default 1"),
      APIParameter(
        "stop_after", .integer, optional: true,
        "identical failures before any success that stop the sweep; default 5"),
      APIParameter(
        "unused", .oneOf([.array(.string), .string]), optional: true,
        "parameters that nothing need use"),
    ] + jobOptions

  private static let runOptions: [APIParameter] =
    [
      name,
      APIParameter(
        "resources", resourceKeys, optional: true,
        "{node=, elapse=, rscgrp=, group=, mpi=, pjm=}; elapse in seconds or \"2h\""),
      APIParameter(
        "retry", .boolean, optional: true, "true: run it again when it failed before"),
    ] + jobOptions

  private static let sweepErrors = [
    "code = \"Busy\": another process runs the journal (exit code 75)",
    "code = \"AnswerNeeded\": script, inputs or version changed, on_edit says nothing, and no terminal could be asked (exit code 3)",
    "code = \"Definition\", \"Journal\", \"Service\": cannot be run as it is, with the reason",
  ]

  private static let verdict = APIReturn(
    .any, "for a verdict that is not done: nil and an error with row and counts")

  static let sweeps: [APIEntry] = [
    APIEntry(
      .function, "hpc.run", "Runs one job and answers with its verdict and outputs.",
      parameters: [
        APIParameter("options", .options(runOptions), "what to run; the name identifies it")
      ],
      returns: [APIReturn(.object("Row"), "its row, once it is done"), verdict],
      errors: sweepErrors,
      notes: [
        "While it is done, the same name answers the saved row without a request: put a date into the name of nightly work.",
        "A failed one stays failed unless retry = true.",
      ],
      example: """
        local mesh = assert(hpc.run{
          name = "mesh", script = "mesh.sh", outputs = {"mesh.dat"},
          resources = {node = 1, elapse = "30m"},
        })
        print(mesh.seconds, #mesh.files["mesh.dat"])
        """),
    APIEntry(
      .function, "hpc.sweep", "A sweep over many points, or an existing one by its name.",
      parameters: [
        APIParameter(
          "what", .oneOf([.options(sweepOptions), .string]), optional: true,
          "a definition, or a name (journal beside this file, or registered); nothing: all sweeps of this computer"
        )
      ],
      returns: [APIReturn(.object("Sweep"), "nothing runs before s:run() or another method")],
      errors: ["options that are unknown or cannot be meant", "no such sweep"],
      notes: [
        "Journal NAME.sweep and outputs NAME.out/ lie beside the Lua file that calls, in the prompt in the working directory.",
        "Done points never run again; failed ones wait for s:retry.",
      ],
      example: """
        local s = hpc.sweep{
          name = "ising", space = hpc.grid{T = hpc.linspace(1, 3, 21), L = {16, 32}},
          script = "ising.sh", outputs = {"energy.json"},
          resources = function(p) return {node = 1, elapse = 60 * p.L} end,
          result = function(p, files) return hpc.json.decode(files["energy.json"]) end,
        }
        if s:run() then hpc.show(s:results()) end
        """),
  ]

  private static let resultOptions: [APIParameter] = [
    APIParameter(
      "state", .oneOf([.words(pointStates), .array(.words(pointStates))]), optional: true,
      "points in this state, or in one of these; default done"),
    APIParameter(
      "all", .boolean, optional: true,
      "true: every state unless state is given, and points that the space no longer has"),
    APIParameter(
      "fresh", .boolean, optional: true, "true: the result function runs again first"),
  ]

  static let pointStates = PointState.allCases.map(\.rawValue)

  static let sweepMembers: [APIEntry] = [
    APIEntry(
      .field, "Sweep.name", "Name of the sweep.", returns: [APIReturn(.string, "")]),
    APIEntry(
      .field, "Sweep.journal", "Path of its journal.",
      returns: [APIReturn(.string, "an SQLite file")]),
    APIEntry(
      .method, "Sweep:plan", "What running would mean; touches no network.",
      returns: [
        APIReturn(
          .table,
          "points, new, in_flight, unknown, done, failed, changed, jobs, requests, syncs, submit_seconds, node_hours, node_hours_used, node_hours_under_way, budget, problem, notices, script; prints as text"
        )
      ],
      errors: ["a script or an option that cannot be read"], example: "print(s:plan())"),
    APIEntry(
      .method, "Sweep:run", "Runs until every point has its verdict.",
      returns: [APIReturn(.boolean, "true when all points are done"), verdict],
      errors: sweepErrors,
      notes: [
        "Ctrl-C detaches: what is under way goes on, and running again goes on from there."
      ],
      example: "if s:run() then hpc.show(s:results()) end"),
    APIEntry(
      .method, "Sweep:step", "Settles, collects, submits what fits, and ends: for cron.",
      returns: [APIReturn(.table, "new_done and new_failed (rows), pending (count)")],
      errors: sweepErrors,
      example: "local now = s:step()\nprint(#now.new_done, #now.new_failed, now.pending)"),
    APIEntry(
      .method, "Sweep:start", "Runs behind the prompt, or beside the rest of a script.",
      returns: [APIReturn(.object("Task"), "joins with what s:run() would answer")],
      errors: sweepErrors, example: "local task = s:start()"),
    APIEntry(
      .method, "Sweep:eval", "The row of one point, which runs if it has not; memoised.",
      parameters: [
        APIParameter("parameters", .table, "name = value, such as {T = 2.1, L = 16}")
      ],
      returns: [APIReturn(.object("Row"), "its row, once it is done"), verdict],
      errors: sweepErrors, example: "local m = assert(s:eval{T = 2.1, L = 16}).m"),
    APIEntry(
      .method, "Sweep:status", "How the sweep stands, from its journal.",
      returns: [
        APIReturn(
          .table,
          "name, counts, causes, total, node_hours, journal, endpoint, account, owner, unsure; prints as text"
        )
      ],
      errors: ["a journal that cannot be read"], example: "print(s:status())"),
    APIEntry(
      .method, "Sweep:results", "The rows of its points, from the journal.",
      parameters: [
        APIParameter("options", .options(resultOptions), optional: true, "which rows")
      ],
      returns: [
        APIReturn(
          .array(.object("Row")), "parameters, result fields, point, state, …; prints as a table")
      ],
      errors: ["a journal that cannot be read"],
      example: "for _, row in ipairs(s:results()) do print(row.T, row.m) end"),
    APIEntry(
      .method, "Sweep:csv", "Writes the results as CSV.",
      parameters: [
        APIParameter("file", .string, "its path; on the simulator .sim goes before the extension"),
        APIParameter("options", .options(resultOptions), optional: true, "which rows"),
      ],
      returns: [APIReturn(.string, "the path that was written")],
      errors: ["a file that cannot be written"], example: "s:csv(\"ising.csv\")"),
    APIEntry(
      .method, "Sweep:logs", "What a point's program wrote to its stdout and stderr.",
      parameters: [
        APIParameter(
          "point", .oneOf([.integer, .table]), "its number, its row, or its parameters")
      ],
      returns: [APIReturn(.table, "stdout and stderr; prints as text")],
      errors: ["no such point, or nothing of it on the machine any more"],
      example: "print(s:logs(12))"),
    APIEntry(
      .method, "Sweep:retry", "Gives failed and cancelled points another chance.",
      parameters: [
        APIParameter(
          "options",
          .options([
            APIParameter(
              "cause", .string, optional: true,
              "only these: \"exit 127\", or a kind: exit, elapse, memory, node_down, killed, …"),
            APIParameter(
              "points", .array(.integer), optional: true, "only these, by number"),
            APIParameter(
              "resources", resourceKeys, optional: true,
              "what to ask for this time, over the sweep's own"
            ),
          ]), optional: true, "which; default all")
      ],
      returns: [APIReturn(.integer, "how many; the next run or step starts them")],
      errors: sweepErrors,
      example: "s:retry{cause = \"elapse\", resources = {elapse = \"20m\"}}\ns:run()"),
    APIEntry(
      .method, "Sweep:cancel", "Cancels every point that has no verdict, and its jobs.",
      parameters: [
        APIParameter("points", .array(.integer), optional: true, "only these, by number")
      ],
      returns: [APIReturn(.integer, "how many points")], errors: sweepErrors,
      example: "s:cancel()"),
    APIEntry(
      .method, "Row:output", "An output as an input of another run: it stays on the machine.",
      parameters: [APIParameter("name", .string, "one of the row's files")],
      returns: [APIReturn(.object("Output"), "for inputs")],
      errors: ["no such output"],
      example:
        "local relax = hpc.run{name = \"relax\", script = \"relax.sh\", inputs = {mesh:output(\"mesh.dat\")}}"
    ),
    APIEntry(
      .field, "Row.point", "Number of the point.", returns: [APIReturn(.integer, "for good")]),
    APIEntry(
      .field, "Row.state", "Where the point stands.",
      returns: [APIReturn(.words(pointStates), "")]),
    APIEntry(
      .field, "Row.attempts", "Attempts so far.", returns: [APIReturn(.integer, "")]),
    APIEntry(
      .field, "Row.job_id", "Number of its last job.", returns: [APIReturn(.integer, "")]),
    APIEntry(
      .field, "Row.exit_code", "Exit code of its program.", returns: [APIReturn(.integer, "")]),
    APIEntry(
      .field, "Row.cause", "Why it failed.",
      returns: [APIReturn(.string, "\"exit 1\", \"elapse\", \"outputs: …\", …")]),
    APIEntry(
      .field, "Row.nodes", "Nodes that it ran on.", returns: [APIReturn(.integer, "")]),
    APIEntry(
      .field, "Row.seconds", "How long its program ran.", returns: [APIReturn(.seconds, "")]),
    APIEntry(
      .field, "Row.node_hours", "What it used.", returns: [APIReturn(.number, "")]),
    APIEntry(
      .field, "Row.dir", "Folder of its outputs on this computer.",
      returns: [APIReturn(.string, "")]),
    APIEntry(
      .field, "Row.result_error", "What its result function raised.",
      returns: [APIReturn(.string, "")]),
    APIEntry(
      .field, "Row.parameters", "Its parameters alone.", returns: [APIReturn(.table, "")]),
    APIEntry(
      .field, "Row.files", "Its outputs, read when asked for.",
      returns: [
        APIReturn(
          .table, "files[name] is bytes, files:path(name) a path, files.stdout, files.stderr")
      ]),
  ]
}
