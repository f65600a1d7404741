import CCurl
import HTTP

/// The one place that turns curl's verdict on a transfer into an answer or an error.
struct CurlFailure {
  /// What curl said.
  let code: CURLcode
  private let transfer: Transfer
  /// Its sentence (CURLOPT_ERRORBUFFER); holds hosts and ports, no headers and no queries.
  let message: String
  /// CURLINFO_REQUEST_SIZE.
  let requestSize: Int

  /// The answer, where a whole one came.
  static func reply(_ transfer: Transfer, code: CURLcode, message: String, requestSize: Int)
    -> Call.Reply
  {
    let failure = CurlFailure(
      code: code, transfer: transfer, message: message, requestSize: requestSize)
    // curl calls an answer that ends within its headers a success.
    if code == CURLE_OK && transfer.failure == nil && transfer.response.isHeadComplete {
      return .success(
        HTTPResponse(
          status: transfer.response.status, headers: transfer.response.headers,
          body: transfer.response.body))
    }
    return .failure(failure.error)
  }

  private var error: TransportError {
    let kind = transfer.failure ?? kind
    // Nothing of a request is written before a connection stands; what CURLINFO_REQUEST_SIZE
    // counted until then was for a proxy. It forgets a first sending where a second is refused.
    let mayHaveBeenSent =
      transfer.failure == .reset || transfer.connectedAt != nil && requestSize > 0
    let url = transfer.request.url
    return TransportError(
      kind, mayHaveBeenSent: mayHaveBeenSent,
      detail: "\(transfer.request.method.rawValue) \(url.origin)\(url.path): \(reason(kind))",
      cause: sentence)
  }

  private var kind: TransportError.Kind {
    let answered = transfer.response.headerBytes > 0
    // A proxy that makes no tunnel, a handshake that is cut.
    let cuts = [CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING]
    if transfer.connectedAt == nil, cuts.contains(code) { return .connect }
    switch code {
    case CURLE_OK, CURLE_PARTIAL_FILE: return answered ? .truncated : .reset
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: return .resolve
    case CURLE_COULDNT_CONNECT, CURLE_PROXY, CURLE_INTERFACE_FAILED: return .connect
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE,
      CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED,
      CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
      return .tls
    case CURLE_OPERATION_TIMEDOUT:
      guard transfer.connectedAt == nil else { return .totalTimeout }
      let total = transfer.request.timeouts.total
      return total.map { $0 <= transfer.request.timeouts.connect } ?? false
        ? .totalTimeout : .connectTimeout
    // What curl makes of a header line above 100 KiB.
    case CURLE_OUT_OF_MEMORY where transfer.connectedAt != nil: return .protocolViolation
    case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND: return .reset
    case CURLE_RECV_ERROR: return answered ? .truncated : .reset
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
      CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_HTTP3, CURLE_CHUNK_FAILED:
      return .protocolViolation
    default: return .other(code: Int(code.rawValue))
    }
  }

  /// For a request that never got as far as curl.
  static let noSlot = "all connections were in use for too long"

  private func reason(_ kind: TransportError.Kind) -> String {
    switch kind {
    case .resolve: "the host has no address"
    case .connect: "no connection (\(sentence))"
    case .tls: "no trusted connection (\(sentence))"
    case .queueTimeout: Self.noSlot
    case .connectTimeout: "no connection in time"
    case .idleTimeout: "no byte came for too long"
    case .totalTimeout: "no whole answer in time"
    case .reset: "the connection ended before an answer came"
    case .truncated: "the connection ended within the answer"
    case .bodyTooLarge(let limit): "the answer is larger than \(limit) bytes"
    case .protocolViolation: "the answer is no HTTP (\(sentence))"
    case .file(let errno): "a local file failed (errno \(errno))"
    case .cancelled: "cancelled"
    case .closed: "the transport was shut down"
    case .other(let code): "curl error \(code) (\(sentence))"
    }
  }

  /// curl's words, or ours where they say how curl works and not what came; without what stands
  /// before an `@`: a proxy's address may hold a password.
  private var sentence: String {
    switch code {
    case CURLE_OUT_OF_MEMORY where transfer.connectedAt != nil:
      return "a header line of more than 100 KiB"
    case CURLE_WRITE_ERROR where transfer.failure == .protocolViolation:
      return "headers without end"
    default: break
    }
    let text = message.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : message
    return text.split(separator: " ", omittingEmptySubsequences: false).map { word in
      word.lastIndex(of: "@").map { "…" + word[$0...] } ?? String(word)
    }.joined(separator: " ")
  }
}
