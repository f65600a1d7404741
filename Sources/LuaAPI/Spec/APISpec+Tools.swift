import HPCClient

extension APISpec {
  static let tools: [APIEntry] = [
    APIEntry(
      .function, "hpc.json.decode", "Reads JSON text.",
      parameters: [APIParameter("text", .string, "one JSON value, in UTF-8")],
      returns: [
        APIReturn(.any, "null is nil; integers stay integers; arrays remember that they are")
      ],
      errors: ["text that is no JSON, with the place; deeper than 1,000 levels"],
      example: "print(hpc.json.decode('{\"T\": 2.27}').T)"),
    APIEntry(
      .function, "hpc.json.encode", "Writes a value as JSON text.",
      parameters: [
        APIParameter("value", .any, "hpc.json.null writes null"),
        APIParameter(
          "options",
          .options([
            APIParameter("indent", .integer, optional: true, "spaces a level; none: one line")
          ]), optional: true, "how"),
      ],
      returns: [APIReturn(.string, "keys in order of their bytes")],
      errors: ["cycles, functions, NaN and infinity, mixed keys, strings that are not UTF-8"],
      example: "print(hpc.json.encode{T = 2.27, L = {16, 32}})"),
    APIEntry(
      .field, "hpc.json.null", "The value that is written as null.", returns: [APIReturn(.any, "")]),
    APIEntry(
      .function, "hpc.json.array",
      "Marks a table as an array, so that it is written as [] when empty.",
      parameters: [APIParameter("table", .table, "changed in place")],
      returns: [APIReturn(.table, "the same table")],
      example: "print(hpc.json.encode(hpc.json.array{}))"),
    APIEntry(
      .function, "hpc.show",
      "Prints rows as a table, one record key by key; tables in cells as Lua.",
      parameters: [
        APIParameter("rows", .array(.table), "an array of tables or of Jobs; one record"),
        APIParameter(
          "columns", .array(.string), optional: true,
          "which columns, in order; else all keys of the rows"),
      ],
      example: "hpc.show(hpc.jobs.list(), {\"id\", \"name\", \"state\", \"elapsed\"})"),
    APIEntry(
      .function, "hpc.watch",
      "Keeps your jobs on the screen: states, time against limit, nodes; q leaves.",
      parameters: [
        APIParameter(
          "options",
          .options([
            APIParameter(
              "interval", .seconds, optional: true, "between two list requests; default 10"),
            APIParameter(
              "state", .oneOf([.words(states + pjmStates), .array(.words(states + pjmStates))]),
              optional: true, "only jobs in this state, or in one of these"),
            APIParameter(
              "name", .string, optional: true, "only jobs whose name matches this glob"),
            APIParameter(
              "count", .integer, optional: true, "leave after so many lists; default never"),
          ]), optional: true, "what to watch and how")
      ],
      errors: [
        "a failed list is shown, and the jobs seen last stay", "in a task beside the foreground",
      ],
      notes: ["Where there is no terminal, each list is printed below the last one."],
      example: "hpc.watch{interval = 5}"),
    APIEntry(
      .function, "hpc.clock", "Monotonic time.",
      returns: [APIReturn(.number, "seconds since an arbitrary moment")],
      example: "local t = hpc.clock(); f(); print(hpc.clock() - t)"),
    APIEntry(
      .function, "hpc.log.info", "Writes a line to stderr; --quiet leaves it out.",
      parameters: [APIParameter("...", .any, "as print takes them")]),
    APIEntry(
      .function, "hpc.log.warn", "Writes a warning to stderr.",
      parameters: [APIParameter("...", .any, "as print takes them")]),
    APIEntry(
      .function, "hpc.log.error", "Writes an error line to stderr; raises nothing.",
      parameters: [APIParameter("...", .any, "as print takes them")]),
    APIEntry(
      .function, "hpc.help", "Prints what a function, a method or the whole table is for.",
      parameters: [
        APIParameter("x", .any, optional: true, "a function of the table, or its name as a string")
      ],
      example: "hpc.help(hpc.jobs.submit)"),
  ]

  static let settings: [APIEntry] = [
    APIEntry(
      .field, "hpc.config", "The settings in force, secrets masked; in a table of its own .sim.",
      returns: [APIReturn(.object("Config"), "a copy: hpc.connect{…} is how to change one")],
      notes: ["Config? lists what it has."]),
    APIEntry(
      .function, "hpc.connect", "Another client: the same table with settings of its own.",
      parameters: [
        APIParameter(
          "settings",
          .options(
            SettingKey.allCases.map {
              APIParameter(
                $0.rawValue, .oneOf([.string, .number]), optional: true, $0.allowed)
            }), "these come before command line, environment and files")
      ],
      returns: [APIReturn(.table, "a table like hpc")],
      errors: ["a value that is not allowed, with its name and what is"],
      example: "local other = hpc.connect{profile = \"other\"}\nprint(#other.jobs.list())"),
    APIEntry(
      .field, "hpc.version", "Version of hpc.", returns: [APIReturn(.string, "")]),
  ]
}
