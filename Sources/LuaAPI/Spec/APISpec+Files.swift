extension APISpec {
  static let files: [APIEntry] = [
    APIEntry(
      .function, "hpc.push",
      "Brings a file or folder of this computer into your home on the machine.",
      parameters: [
        APIParameter("local", .string, "file or folder here"),
        APIParameter(
          "remote", .string, optional: true,
          "relative to your home there; \"dir/\" is a folder to put a file into; default: the name of local"
        ),
        APIParameter("options", transferOptions, optional: true, "which files"),
      ],
      returns: [APIReturn(.object("Transfer"), transferReport)],
      errors: requestErrors + transferErrors,
      notes: [
        "Files go to the bucket, where those that it has already are skipped by size and content; then a sync of their folder copies them into home, and is waited for.",
        "The files of a folder go below remote. Nothing is deleted. A file onto the name of a folder, or below that of a file, is refused. Other files of that folder in the bucket are brought up to date from home first.",
        "Symbolic links to files are sent as the files; those to folders, and empty folders, are not.",
      ],
      example: """
        hpc.push("run.sh", "jobs/run.sh")
        print(hpc.push("data", "jobs/data", {only = "*.dat"}))
        hpc.jobs.submit("jobs/run.sh")
        """),
    APIEntry(
      .function, "hpc.pull",
      "Brings a file or folder from your home on the machine to this computer.",
      parameters: [
        APIParameter(
          "remote", .string, "relative to your home there; with a slash at its end only a folder"),
        APIParameter(
          "local", .string, optional: true,
          "file or folder here, made where it is missing; default: the name of remote"),
        APIParameter("options", pullOptions, optional: true, "which files"),
      ],
      returns: [APIReturn(.object("Transfer"), transferReport)],
      errors: requestErrors + transferErrors,
      notes: [
        "A sync copies the folder into the bucket and is waited for; then files that are the same here, by size and content, are skipped.",
        "A file takes the folder that it lies in along; directly in home that is all of home, which is told, and refused where sweeps have files.",
        "Each file appears whole or not at all, never outside of local. Files that were deleted on the machine but not in the bucket come as well.",
      ],
      example: """
        local report = hpc.pull("jobs/out", "out", {only = {"*.json", "log/**"}})
        print(report, report.seconds)
        """),
    APIEntry(
      .function, "hpc.files.sync",
      "Starts copying a folder between the bucket and your home on the machine.",
      parameters: [
        APIParameter(
          "options",
          .options(
            [
              APIParameter("path", .string, "folder, relative to your home"),
              APIParameter(
                "direction", .words(["from_online", "to_online"]), optional: true,
                "from_online: bucket to home (the default); to_online: home to bucket"),
              APIParameter(
                "delete", .boolean, optional: true,
                "delete what the source does not have; default false"),
              APIParameter(
                "force", .boolean, optional: true,
                "lets delete reach \"hpc\", the folder of the sweeps"),
            ] + callOptions), "what to copy")
      ],
      returns: [APIReturn(.object("Sync"), "with its id (requestid), path and direction")],
      errors: requestErrors + [
        "a path that is absolute or has .. in it; a delete at, above or below \"hpc\" without force"
      ],
      notes: [
        "A sync that would meet one of the other direction on an overlapping path, started by a program of yours on this computer, waits for its end.",
        "Every call starts a sync of its own: none relies on one that was started before it.",
      ],
      example: "local sync = hpc.files.sync{path = \"results\", direction = \"to_online\"}"),
    APIEntry(
      .function, "hpc.files.status", "How a sync stands.",
      parameters: [
        APIParameter("sync", .syncReference, "its request id, or a Sync"),
        APIParameter("options", .options(callOptions), optional: true, "how long to try"),
      ],
      returns: [
        APIReturn(
          .object("Sync"),
          "status is \"waiting\", \"complete\" or \"error: …\"; result is \"0\" for success")
      ],
      errors: requestErrors,
      example: "print(hpc.files.status(sync).status)"),
    APIEntry(
      .function, "hpc.files.wait", "Waits until a sync has ended well.",
      parameters: [
        APIParameter("sync", .syncReference, "its request id, or a Sync"),
        APIParameter(
          "options",
          .options([
            APIParameter(
              "interval", .seconds, optional: true, "between two looks; default 1 to 10"),
            APIParameter(
              "timeout", .seconds, optional: true, "when to stop waiting; default never"),
          ]), optional: true, "how to wait"),
      ],
      returns: [
        APIReturn(.object("Sync"), "complete with result \"0\""),
        APIReturn(.string, "\"timeout\" when the time was over first"),
      ],
      errors: requestErrors + ["a sync that ended with an error or a result other than \"0\""],
      example: "hpc.files.wait(hpc.files.sync{path = \"results\", direction = \"to_online\"})"),
  ]

  static let store: [APIEntry] = [
    APIEntry(
      .function, "hpc.store.put", "Stores a file in the bucket.",
      parameters: [
        APIParameter("file", .string, "path here"), APIParameter("key", .string, keyText),
      ],
      returns: [APIReturn(.table, objectText)], errors: storeErrors,
      notes: ["The object appears whole or not at all; above 64 MiB it goes in parts."],
      example: "hpc.store.put(\"input.dat\", \"jobs/input.dat\")"),
    APIEntry(
      .function, "hpc.store.get", "Fetches an object of the bucket into a file.",
      parameters: [
        APIParameter("key", .string, keyText),
        APIParameter("file", .string, "path here; folders that are missing are made"),
      ],
      returns: [APIReturn(.table, objectText)], errors: storeErrors,
      notes: ["The file appears whole or not at all; a call that was interrupted is gone on with."],
      example: "hpc.store.get(\"jobs/energy.json\", \"energy.json\")"),
    APIEntry(
      .function, "hpc.store.read", "The content of an object.",
      parameters: [APIParameter("key", .string, keyText)],
      returns: [APIReturn(.string, "its bytes, 64 MiB at most")], errors: storeErrors,
      example: "print(hpc.json.decode(hpc.store.read(\"jobs/energy.json\")).E)"),
    APIEntry(
      .function, "hpc.store.write", "Stores a string as an object.",
      parameters: [
        APIParameter("key", .string, keyText), APIParameter("content", .string, "any bytes"),
      ],
      returns: [APIReturn(.table, objectText)], errors: storeErrors,
      example: "hpc.store.write(\"jobs/p.json\", hpc.json.encode{T = 2.27})"),
    APIEntry(
      .function, "hpc.store.list", "The objects of the bucket, in the order of their keys.",
      parameters: [
        APIParameter("prefix", .string, optional: true, "what the keys begin with; default: all")
      ],
      returns: [APIReturn(.array(.table), objectText)], errors: storeErrors,
      example: "hpc.show(hpc.store.list(\"jobs/\"))"),
    APIEntry(
      .function, "hpc.store.each",
      "Goes through the objects of the bucket without holding them all.",
      parameters: [
        APIParameter("prefix", .string, optional: true, "what the keys begin with; default: all")
      ],
      returns: [APIReturn(.function, "for a for loop; each value is like one of hpc.store.list")],
      errors: storeErrors,
      example: "for object in hpc.store.each() do print(object.key, object.size) end"),
    APIEntry(
      .function, "hpc.store.delete", "Deletes objects; one that is not there is no error.",
      parameters: [
        APIParameter("key", .oneOf([.string, .array(.string)]), "a key, or an array of keys")
      ],
      errors: storeErrors,
      notes: ["Home on the machine is not touched."],
      example: "hpc.store.delete(\"jobs/input.dat\")"),
  ]

  private static let keyText = "key in the bucket, up to 1024 bytes; not changed by storage_prefix"
  private static let objectText = "key, size, etag and, from a list, modified (epoch seconds)"
  private static let storeErrors = [
    "an error table with code (NoSuchKey, NoSuchBucket, AccessDenied, WrongDigest, LocalFile, …), message, status, retryable and hint"
  ]
  private static let only = APIParameter(
    "only", .oneOf([.string, .array(.string)]), optional: true,
    "globs (*, ?, [a-z], ** over folders); one without a slash is compared with names, any other with paths below the folder (/a: right in it, a/: all of a)"
  )
  private static let pullOptions = APIType.options([only])
  private static let transferOptions = APIType.options([
    only,
    APIParameter(
      "force", .boolean, optional: true,
      "goes on where other files on the machine could be overwritten"),
  ])
  private static let transferReport =
    "files, transferred, bytes, unchanged, skipped, failed, seconds, sync (id), local, remote, and rows {path, size, outcome, reason}; prints as a line"
  private static let transferErrors = [
    "files that could not be transferred, when all others are: code \"Incomplete\", err.report as above",
    "a sync that ended with an error or a result other than \"0\": code \"SyncFailed\"",
  ]
}
