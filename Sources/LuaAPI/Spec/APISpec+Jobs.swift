extension APISpec {
  static let jobs: [APIEntry] = [
    APIEntry(
      .function, "hpc.jobs.list", "The jobs that have not ended, as the machine lists them now.",
      parameters: [
        APIParameter(
          "options",
          .options(
            [
              APIParameter(
                "state", .oneOf([.words(states + pjmStates), .array(.words(states + pjmStates))]),
                optional: true, "only jobs in this state, or in one of these"),
              APIParameter(
                "name", .string, optional: true,
                "only jobs whose name, or whose sweep's name, matches this glob; the service cuts names to ten characters, so a longer literal is compared by its first ten"
              ),
              APIParameter(
                "where", .function, optional: true, "function(job) --> true for the jobs to keep"),
            ] + callOptions), optional: true, "which jobs")
      ],
      returns: [APIReturn(.array(.object("Job")), "in the order of the service")],
      errors: requestErrors,
      notes: ["A job that ended is no longer listed: the service forgets it at once."],
      example: """
        for _, job in ipairs(hpc.jobs.list{state = "running"}) do
          print(job.id, job.name, job.elapsed)
        end
        """),
    APIEntry(
      .function, "hpc.jobs.get", "One job that has not ended, in full.",
      parameters: [
        APIParameter("job", .jobReference, "its id, or a Job"),
        APIParameter("options", .options(callOptions), optional: true, "how long to try"),
      ],
      returns: [APIReturn(.object("Job"), "as the machine sees it now")],
      errors: requestErrors + ["404 when no such job is known any more: it ended, or never was"],
      example: "print(hpc.jobs.get(6291500).state)"),
    APIEntry(
      .function, "hpc.jobs.submit", "Submits a job script that lies in your home on the machine.",
      parameters: [
        APIParameter(
          "job",
          .oneOf([
            .string,
            .options(
              [
                APIParameter(
                  "jobfile", .string, "path of the script, relative to your home on the machine"),
                APIParameter(
                  "qopt", .string, optional: true, "passed on; the service ignores it today"),
              ] + callOptions),
          ]), "the script's path, or a table")
      ],
      returns: [APIReturn(.object("Job"), "with its id; it is not read back from the machine")],
      errors: requestErrors + [
        "ambiguous = true when the job may exist although no id came back: it is never sent again by itself"
      ],
      notes: ["A job takes no parameters through this service: only its script carries them."],
      example: "local job = hpc.jobs.submit(\"run.sh\")\nprint(job.id)"),
    APIEntry(
      .function, "hpc.jobs.cancel", "Cancels jobs; the machine ends them a little later.",
      parameters: [
        APIParameter(
          "jobs", .oneOf([.jobReference, .array(.jobReference)]),
          "an id, a Job, or an array of these"),
        APIParameter("options", .options(callOptions), optional: true, "how long to try each"),
      ],
      returns: [
        APIReturn(
          .array(.table),
          "for an array: rows {id=, outcome=\"accepted\"|\"not found\"|\"failed\", error=}; for one job nothing"
        )
      ],
      errors: ["for one job: 404 when no such job is known any more"],
      notes: [
        "An array is worked through to its end whatever happens to single jobs.",
        "A sweep whose job is cancelled does not run that point again.",
      ],
      example: "hpc.jobs.cancel(hpc.jobs.list{name = \"test-*\"})"),
    APIEntry(
      .function, "hpc.jobs.wait", "Waits until jobs have ended, as far as that can be known.",
      parameters: [
        APIParameter(
          "jobs", .oneOf([.jobReference, .array(.jobReference)]),
          "an id, a Job, or an array of these"),
        APIParameter("options", waitOptions, optional: true, "how to wait"),
      ],
      returns: [
        APIReturn(
          .oneOf([.object("Job"), .array(.object("Job"))]), "with state, evidence and age"),
        APIReturn(.string, "\"timeout\" when the time was over first"),
      ],
      errors: requestErrors + [
        "for one id: no such job, or it ended before it was first seen"
      ],
      notes: [
        "All waits of a process share one list request per interval.",
        "A job is gone only after two good lists and a 404; the service tells no exit code then.",
      ],
      example: "local job = hpc.jobs.wait(hpc.jobs.submit(\"run.sh\"))\nprint(job.state)"),
    APIEntry(
      .function, "hpc.jobs.settle",
      "Looks for the job of a submission whose answer was lost or unclear.",
      parameters: [
        APIParameter("err", .table, "the error, with ambiguous = true"),
        APIParameter(
          "options",
          .options([
            APIParameter("interval", .seconds, optional: true, "between two looks; default 10"),
            APIParameter(
              "timeout", .seconds, optional: true, "when to stop looking; default 180"),
          ]), optional: true, "how long to look"),
      ],
      returns: [
        APIReturn(.array(.object("Job")), "jobs that may be it, the likeliest first"),
        APIReturn(
          .words(["candidates", "absent", "unknown"]), "absent: two good lists did not show it"),
      ],
      errors: requestErrors,
      example: """
        local ok, err = pcall(hpc.jobs.submit, "run.sh")
        if not ok and err.ambiguous then hpc.show(hpc.jobs.settle(err)) end
        """),
  ]

  /// What a call may change for itself.
  static let callOptions = [
    APIParameter(
      "retry_deadline", .seconds, optional: true,
      "how long after a first failure to try again; 0 never, default hpc.config.retry_deadline"),
    APIParameter(
      "timeout", .seconds, optional: true,
      "longest time for one request, and before it for a free connection; default 300 for a submission, else 120, once it has a connection"
    ),
  ]

  static let waitOptions = APIType.options([
    APIParameter(
      "interval", .seconds, optional: true,
      "between two looks; default 10, backing off to 60 while nothing changes"),
    APIParameter(
      "timeout", .seconds, optional: true,
      "when to stop waiting; default never; 0 looks once"),
    APIParameter(
      "on_change", .function, optional: true, "function(job): called for each change of state"),
  ])

  static let jobMembers: [APIEntry] = [
    APIEntry(
      .field, "Job.id", "Number of the job.", returns: [APIReturn(.integer, "as pjsub prints it")]),
    APIEntry(
      .field, "Job.name",
      "Name of the job, cut to ten characters by the service; before a list has shown it, its script's.",
      returns: [APIReturn(.string, "")]),
    APIEntry(
      .field, "Job.state", "Where the job stands.",
      returns: [APIReturn(.words(states), "PJM's own state is job.status")]),
    APIEntry(
      .field, "Job.elapsed", "Time that it has run.", returns: [APIReturn(.seconds, "")]),
    APIEntry(
      .field, "Job.limit", "Its elapse limit.", returns: [APIReturn(.seconds, "")]),
    APIEntry(
      .field, "Job.waited", "Time between acceptance and start, or until it was seen.",
      returns: [APIReturn(.seconds, "")]),
    APIEntry(
      .field, "Job.accepted", "When the machine accepted it.",
      returns: [APIReturn(.integer, "epoch seconds; the machine's dates are +09:00")]),
    APIEntry(
      .field, "Job.started", "When it started or is planned to.",
      returns: [APIReturn(.integer, "epoch seconds")]),
    APIEntry(
      .field, "Job.nodes", "Nodes that it asks for.", returns: [APIReturn(.integer, "")]),
    APIEntry(.field, "Job.user", "Whose job it is.", returns: [APIReturn(.string, "")]),
    APIEntry(.field, "Job.group", "Group that pays.", returns: [APIReturn(.string, "")]),
    APIEntry(.field, "Job.queue", "Resource group.", returns: [APIReturn(.string, "")]),
    APIEntry(
      .field, "Job.reason", "PJM's reason for its state.", returns: [APIReturn(.string, "")]),
    APIEntry(
      .field, "Job.last_state", "The state before this one, in the words of job.state.",
      returns: [APIReturn(.string, "")]),
    APIEntry(
      .field, "Job.exit_code", "The script's exit code; nil until the job has ended.",
      returns: [APIReturn(.integer, "")]),
    APIEntry(
      .field, "Job.pjm_code", "PJM's end code; nil until the job has ended.",
      returns: [APIReturn(.integer, "0 ok, 1 cancelled, 11 elapse limit, 12 memory, 20 node down")]),
    APIEntry(
      .field, "Job.signal", "Signal that ended the script; nil until the job has ended.",
      returns: [APIReturn(.integer, "")]),
    APIEntry(
      .field, "Job.observed_at", "When this was seen.",
      returns: [APIReturn(.number, "epoch seconds of this computer")]),
    APIEntry(
      .field, "Job.sweep", "Sweep that the job belongs to, where it is one of this computer.",
      returns: [APIReturn(.string, "its name")]),
    APIEntry(
      .field, "Job.point", "Point of that sweep, or points where they share the job.",
      returns: [APIReturn(.string, "its name, such as L=16,T=2.3")]),
    APIEntry(
      .method, "Job:refresh", "Reads the job again and updates this table.",
      returns: [APIReturn(.object("Job"), "itself")],
      errors: ["404 when no such job is known any more"],
      example: "print(job:refresh().state)"),
    APIEntry(
      .method, "Job:cancel", "Cancels the job.", errors: ["404 when no such job is known any more"]),
    APIEntry(
      .method, "Job:wait",
      "Waits until the job has ended, as hpc.jobs.wait does, and updates this table.",
      parameters: [APIParameter("options", waitOptions, optional: true, "how to wait")],
      returns: [
        APIReturn(.object("Job"), "itself"),
        APIReturn(.string, "\"timeout\" when the time was over first"),
      ]),
  ]
}
