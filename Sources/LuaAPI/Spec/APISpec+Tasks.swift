extension APISpec {
  static let tasks: [APIEntry] = [
    APIEntry(
      .function, "hpc.spawn", "Runs a function as a task beside the others.",
      parameters: [
        APIParameter("fn", .function, "what to run"),
        APIParameter("...", .any, optional: true, "its arguments"),
      ],
      returns: [APIReturn(.object("Task"), "with :join(), :cancel() and .state")],
      errors: ["an error of a task that nobody joins is reported once, with its traceback"],
      notes: ["The program ends when its main chunk and all tasks have ended."],
      example: "local task = hpc.spawn(function() return hpc.jobs.list() end)\nprint(#task:join())"),
    APIEntry(
      .function, "hpc.map", "Calls a function for each element, several at once.",
      parameters: [
        APIParameter("list", .array(.any), "an array"),
        APIParameter("fn", .function, "function(element) --> result"),
        APIParameter(
          "options",
          .options([
            APIParameter(
              "concurrency", .integer, optional: true, "calls under way at once; default 100")
          ]), optional: true, "how"),
      ],
      returns: [APIReturn(.array(.any), "the results, in the order of the list")],
      errors: ["the first error, after the other calls were cancelled"],
      example: "local jobs = hpc.map({\"a.sh\", \"b.sh\"}, hpc.jobs.submit)"),
    APIEntry(
      .function, "hpc.sleep", "Waits; other tasks go on.",
      parameters: [APIParameter("seconds", .seconds, "0 or more, fractions allowed")],
      errors: ["a negative span or one that is no number"],
      example: "hpc.sleep(0.5)"),
    APIEntry(
      .function, "hpc.task.all", "Waits for all tasks.",
      parameters: [APIParameter("tasks", .array(.object("Task")), "what to wait for")],
      returns: [APIReturn(.array(.any), "the first result of each, in order")],
      errors: ["the first error, after the other tasks were cancelled"],
      example: "local a = hpc.task.all{hpc.spawn(f), hpc.spawn(g)}"),
    APIEntry(
      .function, "hpc.task.race", "Waits for the first task that ends and cancels the others.",
      parameters: [APIParameter("tasks", .array(.object("Task")), "what to wait for")],
      returns: [
        APIReturn(.any, "the first task's result"), APIReturn(.integer, "its place in the list"),
      ],
      errors: ["the error of the first task to end"],
      example: "local answer, which = hpc.task.race{hpc.spawn(f), hpc.spawn(g)}"),
    APIEntry(
      .function, "hpc.task.timeout", "Runs a function for a limited time.",
      parameters: [
        APIParameter("seconds", .seconds, "the limit"),
        APIParameter("fn", .function, "what to run"),
        APIParameter("...", .any, optional: true, "its arguments"),
      ],
      returns: [APIReturn(.any, "what the function returns")],
      errors: ["code = \"timeout\" when the time is over; what ran is cancelled"],
      notes: [
        "Time is looked at where the function waits: a loop that never waits for anything cannot be ended by it."
      ],
      example: "local jobs = hpc.task.timeout(5, hpc.jobs.list)"),
    APIEntry(
      .method, "Task:join", "Waits for the task.",
      returns: [APIReturn(.any, "what its function returned")],
      errors: ["what its function raised; \"cancelled\" when it was cancelled"]),
    APIEntry(.method, "Task:cancel", "Cancels the task and what it waits for."),
    APIEntry(
      .field, "Task.state", "How the task stands.",
      returns: [
        APIReturn(.words(["ready", "running", "waiting", "done", "failed", "cancelled"]), "")
      ]),
  ]
}
