import FoundationEssentials
import Glibc

/// A fresh folder of mode 0700 that goes away, with everything in it, when its owner does.
public final class TemporaryFolder: Sendable {
  public let path: String

  /// Makes the folder.
  ///
  /// - Throws: the errno of `mkdtemp`.
  public init() throws(ServerError) {
    var template = Array("/tmp/hpc-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw ServerError(errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    // Something may still be removing its own files in there, which ends a removal halfway.
    for _ in 0..<3 where FileManager.default.fileExists(atPath: path) {
      try? FileManager.default.removeItem(atPath: path)
    }
  }
}
