/// What an unfinished download knows of itself: written behind its data, so that one file tells
/// all.
///
/// `data | one byte a chunk, "1" for those that are there | header | its length in 16 hexadecimal
/// digits | 16 bytes of magic`.
struct DownloadRecord: Sendable, Hashable {
  /// Digest of endpoint, bucket and key.
  var source: String
  var etag: String
  var size: Int64
  var chunkSize: Int64
  /// The boot of this machine: after a crash of the machine, unlike one of the program, nobody
  /// knows which data had reached the disk before the record did.
  var boot: String
  /// Which chunks are there.
  var isDone: [Bool]

  init(source: String, etag: String, size: Int64, chunkSize: Int64, boot: String) {
    self.source = source
    self.etag = etag
    self.size = size
    self.chunkSize = chunkSize
    self.boot = boot
    isDone = Array(repeating: false, count: Self.count(size: size, chunkSize: chunkSize))
  }

  /// The part of the file that a chunk is.
  func range(of chunk: Int) -> Range<Int64> {
    let start = Int64(chunk) * chunkSize
    return start..<(start + min(chunkSize, size - start))
  }

  /// Where the byte of a chunk is in the file.
  func markOffset(of chunk: Int) -> Int64 { size + Int64(chunk) }

  static let mark = UInt8(ascii: "1")
  private static let gap = UInt8(ascii: "0")
  private static let magic = Array("hpc-partial v01\n".utf8)
  /// Length field and magic.
  static let tailLength = 32
  /// A file of as many chunks is 16 TiB: more than any record of ours describes.
  private static let maximumChunks: Int64 = 1 << 20

  private static func count(size: Int64, chunkSize: Int64) -> Int {
    guard size > 0, chunkSize > 0 else { return 0 }
    return Int(min((size - 1) / chunkSize + 1, maximumChunks))
  }

  /// What follows the data.
  var trailer: [UInt8] {
    let header = Array("\(source)\n\(etag)\n\(size)\n\(chunkSize)\n\(boot)\n".utf8)
    let digits = Array(String(header.count, radix: 16).utf8)
    return isDone.map { $0 ? Self.mark : Self.gap } + header
      + Array(repeating: UInt8(ascii: "0"), count: 16 - digits.count) + digits + Self.magic
  }

  /// Length of the header, from the last bytes of a file.
  static func headerLength(tail: [UInt8]) -> Int? {
    guard tail.count == tailLength, tail[16...].elementsEqual(magic),
      let length = Int(String(decoding: tail[..<16], as: UTF8.self), radix: 16),
      (0...4096).contains(length)
    else { return nil }
    return length
  }

  /// Reads a header; the chunks are still to be read.
  init?(header: [UInt8], fileSize: Int64) {
    let lines = header.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard lines.count == 6, let size = Int64(lines[2]), let chunkSize = Int64(lines[3]), size > 0,
      chunkSize > 0, size <= fileSize, (size - 1) / chunkSize < Self.maximumChunks
    else { return nil }
    self.init(source: lines[0], etag: lines[1], size: size, chunkSize: chunkSize, boot: lines[4])
    guard
      fileSize - size == Int64(isDone.count) + Int64(header.count) + Int64(Self.tailLength)
    else { return nil }
  }

  /// Takes the chunks' bytes over.
  mutating func read(marks: [UInt8]) {
    guard marks.count == isDone.count else { return }
    isDone = marks.map { $0 == Self.mark }
  }
}
