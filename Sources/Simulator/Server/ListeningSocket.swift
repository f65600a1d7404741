import Glibc

/// A bound and listening TCP socket.
enum ListeningSocket {
  /// - Parameters:
  ///   - address: an IPv4 or IPv6 address in digits.
  ///   - port: 0 lets the kernel choose.
  /// - Returns: the descriptor and the port.
  /// - Throws: the call that failed.
  static func open(address: String, port: Int) throws(FileFailure) -> (Int32, Int) {
    func failure(_ call: String) -> FileFailure {
      FileFailure(call: call, path: "\(address):\(port)", code: errno)
    }
    let isIPv6 = address.contains(":")
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
    guard descriptor >= 0 else { throw failure("socket") }
    do throws(FileFailure) {
      var on: Int32 = 1
      unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
      var name = sockaddr_storage()
      guard let length = fill(&name, address: address, port: port) else {
        errno = EADDRNOTAVAIL
        throw failure("bind")
      }
      let bound = unsafe withUnsafePointer(to: &name) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe bind(descriptor, $0, length)
        }
      }
      guard bound == 0 else { throw failure("bind") }
      guard listen(descriptor, 511) == 0 else { throw failure("listen") }
      return (descriptor, try self.port(of: descriptor, orThrow: failure))
    } catch {
      close(descriptor)
      throw error
    }
  }

  private static func fill(
    _ name: inout sockaddr_storage, address: String, port: Int
  ) -> socklen_t? {
    guard let port = UInt16(exactly: port)?.bigEndian else { return nil }
    return unsafe withUnsafeMutableBytes(of: &name) { bytes in
      if address.contains(":") {
        var value = sockaddr_in6()
        value.sin6_family = sa_family_t(AF_INET6)
        value.sin6_port = port
        guard unsafe inet_pton(AF_INET6, address, &value.sin6_addr) == 1 else { return nil }
        unsafe bytes.storeBytes(of: value, as: sockaddr_in6.self)
        return socklen_t(MemoryLayout<sockaddr_in6>.size)
      }
      var value = sockaddr_in()
      value.sin_family = sa_family_t(AF_INET)
      value.sin_port = port
      guard unsafe inet_pton(AF_INET, address, &value.sin_addr) == 1 else { return nil }
      unsafe bytes.storeBytes(of: value, as: sockaddr_in.self)
      return socklen_t(MemoryLayout<sockaddr_in>.size)
    }
  }

  private static func port(
    of descriptor: Int32, orThrow failure: (String) -> FileFailure
  ) throws(FileFailure) -> Int {
    var name = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let code = unsafe withUnsafeMutablePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(descriptor, $0, &length)
      }
    }
    guard code == 0 else { throw failure("getsockname") }
    // The port lies at the same place in both kinds of address.
    return unsafe withUnsafeBytes(of: &name) {
      Int(UInt16(bigEndian: unsafe $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
    }
  }

  /// Whether the other end of a connection is on this computer.
  static func hasLoopbackPeer(_ descriptor: Int32) -> Bool {
    var name = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let code = unsafe withUnsafeMutablePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getpeername(descriptor, $0, &length)
      }
    }
    guard code == 0 else { return false }
    let bytes = unsafe withUnsafeBytes(of: &name) { unsafe Array($0.prefix(24)) }
    if Int32(name.ss_family) == AF_INET { return bytes[4] == 127 }
    // An IPv4 peer of a socket for both is ::ffff:127.x.x.x.
    if bytes[8..<18].allSatisfy({ $0 == 0 }), bytes[18] == 0xff, bytes[19] == 0xff {
      return bytes[20] == 127
    }
    return bytes[8..<23].allSatisfy { $0 == 0 } && bytes[23] == 1
  }
}
