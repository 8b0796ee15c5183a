import Glibc

/// One descriptor to wait for and what for; `poll(_:milliseconds:)` fills in what it is ready for.
public struct Interest: Sendable, Equatable {
    /// The descriptor; a negative one is passed over.
    public var descriptor: CInt
    /// Wait until there is something to read, or the end.
    public var readable: Bool
    /// Wait until something can be written.
    public var writable: Bool
    /// Whether the other side hung up or the descriptor failed; never asked for, always told.
    public var ended: Bool

    /// Asks about one descriptor.
    public init(_ descriptor: CInt, readable: Bool = false, writable: Bool = false) {
        self.descriptor = descriptor
        self.readable = readable
        self.writable = writable
        self.ended = false
    }
}

/// Waits until one of a few descriptors is ready (poll(2)); nil waits without end.
///
/// The answer has the interests in the same order, each flag telling what holds now.
public func poll(
    _ interests: [Interest], milliseconds: Int?
) throws(KernelError) -> [Interest] {
    var entries = interests.map { interest in
        pollfd(
            fd: interest.descriptor,
            events: Int16((interest.readable ? POLLIN : 0) | (interest.writable ? POLLOUT : 0)),
            revents: 0)
    }
    let timeout = milliseconds.map { CInt(clamping: $0) } ?? -1
    // The array outlives the call and its count is the array's own.
    _ = try check("poll") { unsafe Glibc.poll(&entries, nfds_t(entries.count), timeout) }
    return entries.map { entry in
        let found = CInt(entry.revents)
        var interest = Interest(
            entry.fd, readable: found & (POLLIN | POLLHUP) != 0, writable: found & POLLOUT != 0)
        interest.ended = found & (POLLHUP | POLLERR | POLLNVAL) != 0
        return interest
    }
}

extension Socket {
    /// Sends as much as fits without waiting (send(2)); 0 when nothing fits now, EPIPE instead of a
    /// signal when the other side is gone.
    public static func sendNow(
        _ bytes: ArraySlice<UInt8>, over socket: CInt
    ) throws(KernelError) -> Int {
        do throws(KernelError) {
            return try check("send") { () -> Int in
                // The pointer lives as long as the closure.
                unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.send(
                        socket, buffer.baseAddress, buffer.count,
                        CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
                }
            }
        } catch {
            if error.errno == EAGAIN { return 0 }
            throw error
        }
    }

    /// Tells the other side that nothing more will come (shutdown(2) SHUT_WR).
    public static func endWriting(_ socket: CInt) throws(KernelError) {
        _ = try check("shutdown") { shutdown(socket, CInt(SHUT_WR)) }
    }

    /// Ends both directions at once (shutdown(2) SHUT_RDWR): whoever waits on it wakes up.
    public static func end(_ socket: CInt) throws(KernelError) {
        _ = try check("shutdown") { shutdown(socket, CInt(SHUT_RDWR)) }
    }
}

extension Descriptor {
    /// Writes once and tells how much went (write(2)); 0 when nothing fits now (EAGAIN).
    public borrowing func writeOnce(
        _ bytes: ArraySlice<UInt8>, to object: String = ""
    ) throws(KernelError) -> Int {
        let raw = raw
        do throws(KernelError) {
            return try check("write", object) { () -> Int in
                // The pointer lives as long as the closure.
                unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.write(raw, buffer.baseAddress, buffer.count)
                }
            }
        } catch {
            if error.errno == EAGAIN { return 0 }
            throw error
        }
    }
}

/// Makes a write to a pipe or socket whose reader is gone fail with EPIPE instead of ending this
/// process (signal(7) SIGPIPE).
public func ignoreBrokenPipes() {
    // SIG_IGN is no function of ours, so nothing runs inside the signal.
    _ = signal(SIGPIPE, SIG_IGN)
}
