import Glibc
import SigV4

/// A body on its way to the disk: a temporary file that is hashed while it grows and vanishes
/// unless it is kept.
final class ObjectWriter {
  private let path: String
  private let file: LocalFiles.Descriptor
  private var md5 = MD5()
  private var sha256: SHA256?
  private(set) var size: UInt64 = 0
  private var isKept = false

  /// - Parameters:
  ///   - path: a name that is free.
  ///   - hashed: whether a SHA-256 is wanted too.
  /// - Throws: where it cannot be made.
  init(_ path: String, hashed: Bool) throws(FileFailure) {
    self.path = path
    file = try LocalFiles.Descriptor(path, O_RDWR | O_CREAT | O_EXCL)
    sha256 = hashed ? SHA256() : nil
  }

  deinit { if !isKept { _ = unsafe unlink(path) } }

  func write(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
    let code = unsafe file.writeAll(bytes)
    guard code == 0 else { throw FileFailure(call: "write", path: path, code: code) }
    unsafe md5.update(bytes)
    unsafe sha256?.update(bytes)
    size += UInt64(bytes.count)
  }

  func write(_ bytes: [UInt8]) throws(FileFailure) {
    var failure: FileFailure?
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(FileFailure) { unsafe try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Takes over a whole file without hashing it.
  func append(contentsOf source: borrowing LocalFiles.Descriptor, length: UInt64)
    throws(FileFailure)
  {
    try file.copy(from: source, length: length, path: path)
    size += length
  }

  /// MD5 of what was written.
  var md5Digest: [UInt8] { md5.digest() }
  /// SHA-256 of what was written, in hexadecimal; nil where none was wanted.
  var sha256Text: String? { sha256.map { Hexadecimal.text($0.digest()) } }

  /// Writes something behind the body, unhashed, and gives the file a name of its own.
  func keep(trailer: [UInt8], as final: String) throws(FileFailure) {
    try file.writeAll(trailer, path: path)
    guard unsafe rename(path, final) == 0 else {
      throw FileFailure(call: "rename", path: final, code: errno)
    }
    isKept = true
  }
}
