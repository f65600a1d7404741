extension APISpec {
  static let files: [APIEntry] = [
    APIEntry(
      .function, "hpc.files.sync",
      "Starts copying a folder between the bucket and your home on the machine.",
      parameters: [
        APIParameter(
          "options",
          .options([
            APIParameter("path", .string, "folder, relative to your home"),
            APIParameter(
              "direction", .words(["from_online", "to_online"]), optional: true,
              "from_online: bucket to home (the default); to_online: home to bucket"),
            APIParameter(
              "delete", .boolean, optional: true,
              "delete what the source does not have; default false"),
          ]), "what to copy")
      ],
      returns: [APIReturn(.object("Sync"), "with its id (requestid), path and direction")],
      errors: requestErrors,
      example: "local sync = hpc.files.sync{path = \"results\", direction = \"to_online\"}"),
    APIEntry(
      .function, "hpc.files.status", "How a sync stands.",
      parameters: [
        APIParameter("sync", .syncReference, "its request id, or a Sync")
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
}
