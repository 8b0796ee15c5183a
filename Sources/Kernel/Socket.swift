import CKernel
import Glibc

/// Unix sockets (unix(7)): streams for clients, SEQPACKET with descriptors between our own halves.
public enum Socket {
    /// One received datagram and the descriptors that came with it, which the receiver now owns.
    public struct Datagram: ~Copyable {
        /// The bytes; empty when the other side closed.
        public let bytes: [UInt8]
        /// Raw numbers to be wrapped in `Descriptor` at once, each exactly once.
        public let descriptors: [CInt]
        /// Whether bytes or descriptors did not fit and were lost.
        public let truncated: Bool

        /// Describes what came.
        public init(bytes: [UInt8], descriptors: [CInt], truncated: Bool) {
            self.bytes = bytes
            self.descriptors = descriptors
            self.truncated = truncated
        }
    }

    /// Who is at the other end of a connected Unix socket, as the kernel knows it (SO_PEERCRED).
    public struct Peer: Sendable, Equatable {
        /// The process when it connected.
        public let pid: Int32
        /// Its user.
        public let uid: UInt32
        /// Its group.
        public let gid: UInt32
    }

    /// A connected pair of SOCK_SEQPACKET sockets.
    public static func seqpacketPair() throws(KernelError) -> Pair {
        var ends: [CInt] = [-1, -1]
        _ = try check("socketpair") { unsafe corral_socketpair_seqpacket(&ends) }
        return Pair(ours: Descriptor(owning: ends[0]), theirs: Descriptor(owning: ends[1]))
    }

    /// Two connected sockets.
    public struct Pair: ~Copyable {
        /// The end this process keeps.
        public let ours: Descriptor
        /// The end for another process.
        public let theirs: Descriptor

        /// Hands both ends away.
        public consuming func split<Result: ~Copyable>(
            _ body: (consuming Descriptor, consuming Descriptor) throws(KernelError) -> Result
        ) throws(KernelError) -> Result {
            try body(ours, theirs)
        }
    }

    /// A listening stream socket; the path must not exist and be at most 107 bytes long.
    public static func listen(at path: String, backlog: CInt) throws(KernelError) -> Descriptor {
        Descriptor(owning: try check("bind", path) { unsafe corral_listen(path, backlog) })
    }

    /// A stream connected to a listening socket.
    public static func connect(to path: String) throws(KernelError) -> Descriptor {
        Descriptor(owning: try check("connect", path) { unsafe corral_connect(path) })
    }

    /// The next connection of a listening socket.
    public static func accept(_ listener: borrowing Descriptor) throws(KernelError) -> Descriptor {
        let raw = listener.raw
        return Descriptor(owning: try check("accept4") { corral_accept(raw) })
    }

    /// Who is at the other end.
    public static func peer(of raw: CInt) throws(KernelError) -> Peer {
        var pid: Int32 = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        _ = try check("getsockopt", "SO_PEERCRED") {
            unsafe corral_peer(raw, &pid, &uid, &gid)
        }
        return Peer(pid: pid, uid: uid, gid: gid)
    }

    /// Sends one datagram with descriptors, which stay the caller's.
    public static func send(
        _ bytes: [UInt8], descriptors: [CInt] = [], over socket: CInt
    ) throws(KernelError) {
        _ = try check("sendmsg") { () -> Int in
            unsafe corral_send(socket, bytes, bytes.count, descriptors, CInt(descriptors.count))
        }
    }

    /// Sends a few bytes with descriptors over a stream, wholly or not at all: EAGAIN when there is
    /// no room for them. At most what one buffer of the kernel's holds, which a short line does.
    public static func pass(
        _ bytes: [UInt8], descriptors: [CInt], over stream: CInt
    ) throws(KernelError) {
        let sent = try check("sendmsg") { () -> Int in
            unsafe corral_send(stream, bytes, bytes.count, descriptors, CInt(descriptors.count))
        }
        guard sent == bytes.count else { throw KernelError("sendmsg", errno: EMSGSIZE) }
    }

    /// Receives one datagram of at most `limit` bytes; nil when none is there yet (EAGAIN).
    ///
    /// With `descriptors` 0 none that comes along is ever opened here.
    public static func receive(
        limit: Int, descriptors most: Int, over socket: CInt
    ) throws(KernelError) -> Datagram? {
        var descriptors = [CInt](repeating: -1, count: max(most, 1))
        var count = CInt(most)
        var truncated = false
        var failure: KernelError?
        // The kernel writes at most `limit` bytes into a buffer of that size.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, used in
            guard let base = buffer.baseAddress else { return }
            do throws(KernelError) {
                used = try check("recvmsg") { () -> Int in
                    count = CInt(most)
                    return unsafe corral_receive(
                        socket, base, limit, &descriptors, &count, &truncated)
                }
            } catch {
                failure = error
            }
        }
        if let failure {
            if failure.errno == EAGAIN { return nil }
            throw failure
        }
        return Datagram(
            bytes: bytes, descriptors: Array(descriptors[..<Int(count)]), truncated: truncated)
    }

    /// Tells systemd how the service is doing (sd_notify(3)); `address` is $NOTIFY_SOCKET.
    public static func notify(_ message: String, to address: String) throws(KernelError) {
        _ = try check("sendto", address) { unsafe corral_notify(address, message) }
    }
}

extension Socket {
    /// Makes receiving give up after a while, with nil (SO_RCVTIMEO, socket(7)).
    public static func setReceiveTimeout(
        of raw: CInt, milliseconds: Int
    ) throws(KernelError) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = try check("setsockopt", "SO_RCVTIMEO") {
            // The kernel copies the value during the call.
            unsafe setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        }
    }
}

extension Socket.Pair {
    /// Keeps this process's end and closes the other.
    public consuming func keepOurs() -> Descriptor { ours }
}

extension Socket {
    /// SO_PEERCRED, for those who ask through an event loop that owns the socket.
    public static let peerOption = SO_PEERCRED
}
