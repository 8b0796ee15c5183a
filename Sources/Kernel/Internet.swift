import CKernel
import Glibc

/// An IPv4 or IPv6 address and a port, as sockets take and give them.
public struct Endpoint: Sendable, Hashable {
    /// Whether it is of IPv6.
    public var isV6: Bool
    /// The first 64 bits of an IPv6 address; 0 for IPv4.
    public var high: UInt64
    /// The last 64 bits of an IPv6 address; the 32 bits of an IPv4 one.
    public var low: UInt64
    /// The zone of a link-local IPv6 address (ipv6(7), sin6_scope_id).
    public var scope: UInt32
    /// The port.
    public var port: UInt16

    /// An IPv4 address and a port.
    public init(v4 bits: UInt32, port: UInt16) {
        self.init(isV6: false, high: 0, low: UInt64(bits), port: port)
    }

    /// An IPv6 address and a port.
    public init(v6 high: UInt64, _ low: UInt64, port: UInt16) {
        self.init(isV6: true, high: high, low: low, port: port)
    }

    private init(isV6: Bool, high: UInt64, low: UInt64, port: UInt16) {
        self.isV6 = isV6
        self.high = high
        self.low = low
        self.port = port
        scope = 0
    }

    init(_ raw: corral_endpoint_t) {
        self.init(isV6: raw.v6, high: raw.high, low: raw.low, port: raw.port)
        scope = raw.scope
    }

    var raw: corral_endpoint_t {
        corral_endpoint_t(high: high, low: low, scope: scope, port: port, v6: isV6)
    }
}

/// What one attempt to move bytes came to, without waiting.
public enum Transfer: Sendable, Equatable {
    /// So many were moved, at least one; or an empty datagram.
    case bytes(Int)
    /// Nothing can be moved now (EAGAIN).
    case blocked
    /// The source has ended.
    case ended
    /// The call failed with this error number.
    case failed(CInt)
}

/// Sockets of IPv4 and IPv6, all non-blocking (ip(7), tcp(7), udp(7)).
public enum Internet {
    /// The next connection of a listening socket; nil when none waits.
    public static func accept(_ listener: CInt) throws(KernelError) -> Descriptor? {
        do throws(KernelError) {
            return Descriptor(owning: try check("accept4") { corral_accept_internet(listener) })
        } catch  where error.errno == EAGAIN {
            return nil
        }
    }

    /// What the other side of an accepted connection dialled before netfilter redirected it
    /// (SO_ORIGINAL_DST); ENOENT when nothing did.
    public static func originalDestination(
        of raw: CInt, isV6: Bool
    ) throws(KernelError) -> Endpoint {
        var found = corral_endpoint_t()
        _ = try check("getsockopt", "SO_ORIGINAL_DST") {
            unsafe corral_original_destination(raw, isV6, &found)
        }
        return Endpoint(found)
    }

    /// Begins a connection; whether it comes about is told when the socket can be written.
    public static func dial(_ to: Endpoint) throws(KernelError) -> Descriptor {
        var raw = to.raw
        return Descriptor(owning: try check("connect") { unsafe corral_dial(&raw) })
    }

    /// A datagram socket that hears and speaks to one address only, on a port of the kernel's
    /// choice.
    public static func datagrams(with other: Endpoint) throws(KernelError) -> Descriptor {
        var raw = other.raw
        return Descriptor(owning: try check("connect") { unsafe corral_datagram_socket(&raw) })
    }

    /// Sends small writes at once (TCP_NODELAY); what a listening socket accepts inherits it.
    public static func setNoDelay(_ raw: CInt) throws(KernelError) {
        _ = try check("setsockopt", "TCP_NODELAY") { corral_set_no_delay(raw) }
    }

    /// Whether close(2), and the death of this process, resets the connection (SO_LINGER) instead
    /// of ending it; what a listening socket accepts inherits it, and `dial` begins with it.
    public static func setResetOnClose(_ raw: CInt, _ on: Bool) throws(KernelError) {
        _ = try check("setsockopt", "SO_LINGER") { corral_reset_on_close(raw, on) }
    }

    /// The error number that waits at a socket (SO_ERROR), 0 for none; it is told once.
    public static func failure(of raw: CInt) throws(KernelError) -> CInt {
        try check("getsockopt", "SO_ERROR") { corral_socket_failure(raw) }
    }

    /// Receives at most `limit` bytes, which fit into `buffer` (recv(2)).
    public static func receive(_ raw: CInt, into buffer: inout [UInt8], limit: Int) -> Transfer {
        precondition(limit > 0 && limit <= buffer.count)
        // The limit was checked against the array's own room.
        return unsafe buffer.withUnsafeMutableBytes { room in
            transfer { unsafe recv(raw, room.baseAddress, limit, CInt(MSG_DONTWAIT)) }
        }
    }

    /// Sends a part of `bytes` (send(2)).
    public static func send(_ raw: CInt, _ bytes: [UInt8], from start: Int, to end: Int) -> Transfer
    {
        precondition(start >= 0 && start < end && end <= bytes.count)
        // The range was checked against the array.
        return unsafe bytes.withUnsafeBytes { room in
            transfer {
                unsafe Glibc.send(
                    raw, room.baseAddress?.advanced(by: start), end - start,
                    CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
            }
        }
    }

    /// Moves bytes between a pipe and a socket without copying them (splice(2)).
    public static func splice(from source: CInt, to sink: CInt, count: Int) -> Transfer {
        transfer { corral_splice(source, sink, count) }
    }

    /// Receives one datagram and who sent it.
    public static func receive(
        _ raw: CInt, into buffer: inout [UInt8], from sender: inout Endpoint
    ) -> Transfer {
        var found = corral_endpoint_t()
        // The kernel writes at most `count` bytes into the array's own room.
        let moved = unsafe buffer.withUnsafeMutableBytes { room -> Transfer in
            guard let base = room.baseAddress else { return .failed(EINVAL) }
            return transfer {
                unsafe corral_receive_from(raw, base, room.count, &found)
            }
        }
        sender = Endpoint(found)
        return moved == .ended ? .bytes(0) : moved
    }

    /// Sends one datagram to `receiver`.
    public static func send(_ raw: CInt, _ bytes: [UInt8], to receiver: Endpoint) -> Transfer {
        var to = receiver.raw
        return unsafe bytes.withUnsafeBytes { room in
            guard let base = room.baseAddress else { return .failed(EINVAL) }
            return transfer { unsafe corral_send_to(raw, base, room.count, &to) }
        }
    }

    /// The same door as `check`, for calls whose failures are weather: nothing is allocated.
    private static func transfer(_ body: () -> Int) -> Transfer {
        while true {
            let count = body()
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            let code = currentErrno()
            if code == interrupted { continue }
            if code == EAGAIN { return .blocked }
            precondition(!isProgrammingMistake(code), "a bad descriptor or address was passed")
            return .failed(code)
        }
    }
}

extension Pipe {
    /// Makes room for so many bytes in whole pages; EPERM when the user has too much in all its
    /// pipes (pipe(7), pipe-user-pages-soft).
    public borrowing func setCapacity(_ bytes: Int) throws(KernelError) {
        let raw = write.raw
        _ = try check("fcntl", "F_SETPIPE_SZ") {
            corral_set_pipe_capacity(raw, CInt(clamping: bytes))
        }
    }
}

/// What the kernel would do with packets to an address (rtnetlink(7)).
public struct Routes: ~Copyable {
    private let socket: Descriptor
    private var serial: UInt32 = 0

    /// Opens the way to ask.
    public init() throws(KernelError) {
        socket = Descriptor(owning: try check("socket", "netlink") { corral_route_socket() })
    }

    /// Whether an address is one of this host's own, a broadcast or an anycast address of its
    /// networks included. An address that nothing leads to is not; any other failure is thrown.
    public mutating func isHost(_ address: Endpoint) throws(KernelError) -> Bool {
        serial &+= 1
        let (raw, number) = (socket.raw, serial)
        var to = address.raw
        do throws(KernelError) {
            let kind = try check("sendto", "netlink") {
                unsafe corral_route_kind(raw, number, &to)
            }
            return kind == CORRAL_ROUTE_LOCAL || kind == CORRAL_ROUTE_BROADCAST
                || kind == CORRAL_ROUTE_ANYCAST
        } catch  where [ENETUNREACH, EHOSTUNREACH, EACCES].contains(error.errno) {
            // No route, or one that refuses: connect(2) will say so itself.
            return false
        }
    }
}
