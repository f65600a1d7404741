import Foundation
import SigV4
import Testing

@Suite struct DigestsTests {
  /// FIPS 180-4 examples and RFC 1321 §A.5.
  @Test func matchPublishedValues() {
    let abc = Array("abc".utf8)
    #expect(
      SHA256.hexadecimal(of: abc)
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(SHA256.hexadecimal(of: []) == Hexadecimal.text(SHA256.digest(of: [])))
    #expect(Hexadecimal.text(MD5.digest(of: abc)) == "900150983cd24fb0d6963f7d28e17f72")
  }

  @Test func partsGiveTheDigestOfTheWhole() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    for split in [0, 1, 63, 64, 65, 999, 1000] {
      var hash = SHA256()
      hash.update(Array(bytes[..<split]))
      let half = hash
      hash.update(Array(bytes[split...]))
      #expect(hash.digest() == SHA256.digest(of: bytes))
      #expect(half.digest() == SHA256.digest(of: Array(bytes[..<split])))
    }
  }

  /// RFC 4231 §4.3 and §4.7: a short key and one longer than a block.
  @Test func authenticationCodesMatchPublishedValues() {
    #expect(
      Hexadecimal.text(
        HMACSHA256(key: Array("Jefe".utf8)).code(of: Array("what do ya want for nothing?".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(
      Hexadecimal.text(
        HMACSHA256(key: [UInt8](repeating: 0xaa, count: 131)).code(
          of: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)))
        == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }

  @Test func filesAreHashedInParts() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try Data("0123456789".utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(
      try FileDigest.sha256(path: path, offset: 2, length: 3)
        == SHA256.hexadecimal(of: Array("234".utf8)))
    #expect(
      try FileDigest.md5(path: path, length: 10) == MD5.digest(of: Array("0123456789".utf8)))
    #expect(throws: FileDigest.Failure.tooShort(missing: 2)) {
      try FileDigest.sha256(path: path, offset: 4, length: 8)
    }
    #expect(throws: FileDigest.Failure.system(errno: ENOENT)) {
      try FileDigest.sha256(path: path + "x", length: 1)
    }
  }
}
