import LuaAPI

/// The one-screen map of the `hpc` table.
enum TableMap {
  static func text(width: Int, palette: Palette) -> String {
    var folders: [(name: String, members: [String])] = []
    for entry in APISpec.entries where entry.path.hasPrefix("hpc.") {
      let parts = entry.path.split(separator: ".")
      let folder = parts.dropLast().joined(separator: ".")
      if let index = folders.firstIndex(where: { $0.name == folder }) {
        folders[index].members.append(entry.name)
      } else {
        folders.append((folder, [entry.name]))
      }
    }
    let margin = (folders.map(\.name.count).max() ?? 0) + 2
    var lines: [String] = []
    for (name, members) in folders {
      var line = palette.paint(name, .heading) + String(repeating: " ", count: margin - name.count)
      var used = margin
      for member in members {
        if used > margin, used + member.count > width {
          lines.append(line)
          line = String(repeating: " ", count: margin)
          used = margin
        }
        line += member + "  "
        used += member.count + 2
      }
      lines.append(line)
    }
    let hint =
      "hpc.jobs.submit? explains one of them, Tab completes, .help lists what else the prompt knows."
    return lines.map { $0.last == " " ? String($0.reversed().drop { $0 == " " }.reversed()) : $0 }
      .joined(separator: "\n") + "\n" + palette.paint(WordWrap.text(hint, width: width), .faint)
  }
}
