/// What parameters may be called: they become variables of the job's environment and names in
/// templates (`lua-api.md`, Parameters reach the script).
public enum ParameterName {
  /// Names that templates know by themselves.
  public static let builtIn: Set<String> = ["point", "dir", "previous"]

  /// Variables whose change breaks the shell, the login or the job, and those that a shell sets
  /// itself, so that the script would see another value (bash 5.2 manual, Shell Variables).
  private static let refused: Set<String> = [
    "_", "CDPATH", "COPROC", "DIRSTACK", "ENV", "EPOCHREALTIME", "EPOCHSECONDS", "EUID",
    "EXECIGNORE", "FUNCNAME", "FUNCNEST", "GLOBIGNORE", "GROUPS", "HISTCMD", "HOME", "HOSTNAME",
    "HOSTTYPE", "IFS", "LINENO", "LOGNAME", "MACHTYPE", "MAPFILE", "OLDPWD", "OPTARG", "OPTERR",
    "OPTIND", "OSTYPE", "PATH", "PIPESTATUS", "POSIXLY_CORRECT", "PPID", "PS4", "PWD", "RANDOM",
    "REPLY", "SECONDS", "SHELL", "SHELLOPTS", "SHLVL", "SRANDOM", "TMOUT", "UID", "USER",
  ]
  private static let refusedPrefixes = ["LD_", "PJM_", "BASH", "HPC_", "hpc_"]

  /// Throws what is wrong with a name.
  public static func check(_ name: String) throws(SpaceError) {
    guard isIdentifier(name[...]) else {
      throw .name(name, reason: "a name is letters, digits and _, and does not begin with a digit")
    }
    if builtIn.contains(name) { throw .name(name, reason: "it is built in") }
    if refused.contains(name) || refusedPrefixes.contains(where: name.hasPrefix) {
      throw .name(
        name, reason: "the environment variable of that name belongs to the system or the shell")
    }
  }

  /// True for `[A-Za-z_][A-Za-z0-9_]*`.
  static func isIdentifier(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return text.utf8.allSatisfy(isIdentifierByte)
  }

  static func isIdentifierByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
    default: false
    }
  }
}
