import Sweeps

extension APISpec {
  private static let spaceErrors = [
    "an axis without values, values that are no number, string or boolean, infinite ones",
    "a name that is built in (point, dir, previous) or belongs to the system (PATH, LD_…, PJM_…)",
  ]

  private static let sampleParameters = [
    APIParameter("n", .integer, "how many points"),
    APIParameter(
      "axes", .named(.keys(["min", "max", "log", "choices"])),
      "name = {min=, max=, log=} for a real number (log = true: equally likely on a logarithmic scale), or name = {choices = {…}}"
    ),
    APIParameter(
      "options",
      .options([
        APIParameter(
          "seed", .integer, optional: true,
          "the same seed gives the same points; default 1, for sobol none (the sequence as published)"
        )
      ]), optional: true, "how"),
  ]

  static let spaces: [APIEntry] = [
    APIEntry(
      .function, "hpc.grid", "Every combination of the values of some axes.",
      parameters: [
        APIParameter("axes", .table, "name = array of values; a single value is an axis of one")
      ],
      returns: [
        APIReturn(
          .object("Space"), "axes in the order of their names, the last one changes fastest")
      ],
      errors: spaceErrors,
      example: "local space = hpc.grid{T = hpc.linspace(1, 3, 21), L = {16, 32, 64}}\nprint(space)"
    ),
    APIEntry(
      .function, "hpc.space.list", "Points one by one.",
      parameters: [
        APIParameter(
          "rows", .array(.any),
          "tables with the same names each; rows of a sweep give their parameters")
      ],
      returns: [APIReturn(.object("Space"), "in the order of the rows")],
      errors: spaceErrors + ["rows that do not have the same names"],
      example: "local space = hpc.space.list{{T = 1, L = 16}, {T = 2, L = 64}}"),
    APIEntry(
      .function, "hpc.space.zip", "The first values of all axes, the second ones, and so on.",
      parameters: [APIParameter("axes", .table, "name = array of values, all equally long")],
      returns: [APIReturn(.object("Space"), "as many points as an axis has values")],
      errors: spaceErrors + ["axes of different lengths"],
      example: "local space = hpc.space.zip{nodes = {1, 2, 4}, size = {100, 200, 400}}"),
    APIEntry(
      .function, "hpc.space.product", "Every combination of the points of some spaces.",
      parameters: [APIParameter("...", .any, "spaces")],
      returns: [APIReturn(.object("Space"), "the last one changes fastest")],
      errors: ["a parameter that two of them have"],
      example:
        "local space = hpc.space.product(hpc.grid{L = {16, 32}}, hpc.space.sobol(64, {T = {min = 1, max = 3}}))"
    ),
    APIEntry(
      .function, "hpc.space.random", "Independent random points.",
      parameters: sampleParameters, returns: [APIReturn(.object("Space"), "n points")],
      errors: spaceErrors,
      example: "local space = hpc.space.random(100, {T = {min = 1, max = 3}}, {seed = 7})"),
    APIEntry(
      .function, "hpc.space.lhs",
      "A Latin hypercube: each of n equal slices of every axis holds one point.",
      parameters: sampleParameters, returns: [APIReturn(.object("Space"), "n points")],
      errors: spaceErrors,
      example:
        "local space = hpc.space.lhs(50, {dt = {min = 1e-4, max = 1e-1, log = true}, L = {choices = {16, 32}}})"
    ),
    APIEntry(
      .function, "hpc.space.sobol",
      "Points of a Sobol sequence (Joe and Kuo), which fill the space evenly.",
      parameters: sampleParameters,
      returns: [APIReturn(.object("Space"), "n points; powers of two are best")],
      errors: spaceErrors + ["more axes than there are direction numbers"],
      example: "local space = hpc.space.sobol(64, {T = {min = 1, max = 3}, p = {min = 0, max = 1}})"
    ),
    APIEntry(
      .function, "hpc.range", "Numbers a step apart; the end is included where a step falls on it.",
      parameters: [
        APIParameter("first", .number, "where it begins"),
        APIParameter("last", .number, "where it ends"),
        APIParameter("step", .number, optional: true, "not 0; default 1"),
      ],
      returns: [APIReturn(.array(.number), "exact decimals; whole ones are integers")],
      errors: ["a step of 0, values that are not finite"],
      example: "local T = hpc.range(1, 3, 0.1)"),
    APIEntry(
      .function, "hpc.linspace", "Numbers equally far apart, both ends included.",
      parameters: [
        APIParameter("first", .number, "the first value"),
        APIParameter("last", .number, "the last value"),
        APIParameter("n", .integer, "how many, 1 or more"),
      ],
      returns: [
        APIReturn(.array(.number), "rounded to 15 significant digits; whole ones are integers")
      ],
      errors: ["n below 1, values that are not finite"],
      example: "local T = hpc.linspace(1, 3, 21)"),
    APIEntry(
      .function, "hpc.logspace",
      "Numbers of which each is the same factor above the one before, both ends included.",
      parameters: [
        APIParameter("first", .number, "the first value itself (no exponent), above 0"),
        APIParameter("last", .number, "the last value itself, above 0"),
        APIParameter("n", .integer, "how many, 1 or more"),
      ],
      returns: [
        APIReturn(.array(.number), "rounded to 15 significant digits; whole ones are integers")
      ],
      errors: ["ends that are not above 0, n below 1"],
      example: "local dt = hpc.logspace(1e-4, 1e-1, 4)"),
    APIEntry(
      .function, "hpc.render", "Puts parameters into the places of a text, as a sweep does.",
      parameters: [
        APIParameter(
          "template", .string,
          "text with {{T}}, {{T|%.3f}} (a format), {{text|sh}} (quoted for a shell), {{text|raw}}"),
        APIParameter("parameters", .table, "name = number, string or boolean"),
        APIParameter(
          "options",
          .options([
            APIParameter(
              "markers", .array(.string), optional: true,
              "what opens and closes a place; default {\"{{\", \"}}\"}")
          ]), optional: true, "how"),
      ],
      returns: [APIReturn(.string, "the text")],
      errors: [
        "unknown names and values that need a filter, each with its line"
      ],
      example: "print(hpc.render(\"./ising -T {{T|%.3f}} -L {{L}}\", {T = 2.27, L = 16}))"),
    APIEntry(
      .field, "Space.count", "Number of points; #space is the same.",
      returns: [APIReturn(.integer, "")]),
    APIEntry(
      .field, "Space.names", "Names of the parameters, in the order of the axes.",
      returns: [APIReturn(.array(.string), "space[1] is the first point, computed when asked for")]),
  ]
}
