internal import Glibc
internal import Kernel
internal import NIOPosix
internal import SupervisorProtocol
internal import Synchronization

/// The conversation with the gateway: a SOCK_SEQPACKET socket, which the event loop cannot watch.
///
/// A thread of its own only waits until there is something to read; the loop reads it. So the loop
/// can also read without waiting for that thread, and events keep one order.
final class EgressLink: Sendable {
    /// Why the conversation is over.
    struct Over: Error {
        /// What the gateway did wrong, or what the kernel said; nil when it closed its end.
        let cause: String?
    }

    private let socket: Descriptor
    private let waiter = NIOThreadPool(numberOfThreads: 1)
    private let isClosed = Atomic<Bool>(false)

    /// Takes over a connected socket.
    init(owning raw: CInt) throws(KernelError) {
        socket = Descriptor(owning: raw)
        try socket.setNonblocking(true)
    }

    /// Calls `onReadable` on the link's own thread whenever there is something to read, until it
    /// says that nothing will be read any more.
    func start(_ onReadable: @escaping @Sendable () -> Bool) {
        waiter.start()
        waiter.submit { [self] _ in
            while isReadable(), !isClosed.load(ordering: .acquiring), onReadable() {}
            waiter.shutdownGracefully { _ in }
        }
    }

    private func isReadable() -> Bool {
        do throws(KernelError) {
            while true {
                let ready = try poll([Interest(socket.raw, readable: true)], milliseconds: nil)[0]
                if ready.readable || ready.ended { return true }
            }
        } catch {
            return false
        }
    }

    /// The next event that has come; nil when there is none now. Throws once none will come.
    func next() throws(Over) -> EgressEvent? {
        do {
            guard
                let datagram = try Socket.receive(
                    limit: Limit.egressEventBytes, descriptors: 0, over: socket.raw)
            else { return nil }
            guard !datagram.bytes.isEmpty else { throw Over(cause: nil) }
            guard !datagram.truncated else { throw Over(cause: "an event was too long") }
            return try EgressEvent(decoding: datagram.bytes)
        } catch let over as Over {
            throw over
        } catch {
            throw Over(cause: "\(error)")
        }
    }

    /// Sends a notice; false when there is no room for it now. Throws once nobody reads any more.
    func send(_ notice: EgressNotice) throws(Over) -> Bool {
        guard let bytes = notice.encoded() else { return true }
        do throws(KernelError) {
            try Socket.send(bytes, over: socket.raw)
            return true
        } catch {
            guard error.errno == EAGAIN else { throw Over(cause: "\(error)") }
            return false
        }
    }

    /// Ends the conversation: the waiting thread sees that, and so does the gateway.
    func close() {
        isClosed.store(true, ordering: .releasing)
        do throws(KernelError) {
            try Socket.end(socket.raw)
        } catch {
            // It has ended already.
        }
    }

    /// Waits, off the loop, until the thread of a closed conversation asks nothing of it any more.
    func join() throws { try waiter.syncShutdownGracefully() }
}
