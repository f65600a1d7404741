import SigV4

/// Takes a body out of its `aws-chunked` frames and checks each frame's signature (Amazon S3 API
/// Reference, Signature Calculations for the Authorization Header: multiple chunks).
///
/// `5;chunk-signature=…\r\nhello\r\n0;chunk-signature=…\r\n`, then trailers, which are read and not
/// used.
struct ChunkedPayload {
  /// Proves the frames of one request.
  struct Proof {
    /// `YYYYMMDDTHHMMSSZ`.
    var stamp: String
    /// `YYYYMMDD/region/s3/aws4_request`.
    var scope: String
    var secret: String
    /// The signature of the head, which the first frame's begins with.
    var seed: String

    fileprivate func key() -> HMACSHA256 {
      var code = Array("AWS4\(secret)".utf8)
      for step in scope.split(separator: "/") {
        code = HMACSHA256(key: code).code(of: Array(step.utf8))
      }
      return HMACSHA256(key: code)
    }
  }

  private enum State {
    case size
    case data(left: Int)
    case dataEnd
    case trailers
  }

  private static let longestLine = 16 << 10

  private let proof: Proof?
  private let key: HMACSHA256?
  private var previous: String
  private var state = State.size
  private var line: [UInt8] = []
  private var hash = SHA256()
  private var signature = ""
  /// The frame without data has been read.
  private(set) var isComplete = false

  /// - Parameter proof: nil where the frames are not signed.
  init(proof: Proof?) {
    self.proof = proof
    key = proof?.key()
    previous = proof?.seed ?? ""
  }

  /// Reads a piece.
  ///
  /// - Parameters:
  ///   - bytes: as they came.
  ///   - emit: is given the body's own bytes.
  /// - Throws: where the frames are broken or not signed.
  mutating func feed(
    _ bytes: UnsafeRawBufferPointer, emit: (UnsafeRawBufferPointer) throws(S3Error) -> Void
  ) throws(S3Error) {
    var at = 0
    while at < bytes.count {
      if case .data(let left) = state {
        let count = min(left, bytes.count - at)
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)])
        if key != nil { unsafe hash.update(part) }
        unsafe try emit(part)
        at += count
        state = count == left ? .dataEnd : .data(left: left - count)
        continue
      }
      let byte = unsafe bytes[at]
      at += 1
      guard byte == 0x0a else {
        guard line.count < Self.longestLine else { throw .incompleteBody }
        line.append(byte)
        continue
      }
      if line.last == 0x0d { line.removeLast() }
      let text = String(decoding: line, as: UTF8.self)
      line.removeAll(keepingCapacity: true)
      try take(text)
    }
  }

  private mutating func take(_ text: String) throws(S3Error) {
    switch state {
    case .size:
      let parts = text.split(separator: ";", maxSplits: 1)
      guard let digits = parts.first, let size = Int(digits, radix: 16), size >= 0 else {
        throw .incompleteBody
      }
      let mark = "chunk-signature="
      signature =
        parts.count > 1 && parts[1].hasPrefix(mark) ? String(parts[1].dropFirst(mark.count)) : ""
      hash = SHA256()
      if size == 0 {
        try check()
        isComplete = true
        state = .trailers
      } else {
        state = .data(left: size)
      }
    case .dataEnd:
      guard text.isEmpty else { throw .incompleteBody }
      try check()
      state = .size
    case .trailers, .data: break
    }
  }

  private mutating func check() throws(S3Error) {
    guard let proof, let key else { return }
    let text = [
      "AWS4-HMAC-SHA256-PAYLOAD", proof.stamp, proof.scope, previous, SHA256.emptyHexadecimal,
      Hexadecimal.text(hash.digest()),
    ].joined(separator: "\n")
    guard Hexadecimal.text(key.code(of: Array(text.utf8))) == signature else {
      throw .signatureMismatch
    }
    previous = signature
  }
}
