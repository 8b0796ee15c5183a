internal import Kernel
internal import NIOPosix
internal import SupervisorProtocol
internal import Synchronization

/// The conversation with the supervisor: a SOCK_SEQPACKET socket whose datagrams carry
/// descriptors, which the event loop cannot receive, so two threads of its own do it.
final class SupervisorLink: Sendable {
    private let socket: Descriptor
    private let receiver = NIOThreadPool(numberOfThreads: 1)
    private let sender = NIOThreadPool(numberOfThreads: 1)

    /// Takes over a connected socket.
    init(owning socket: consuming Descriptor) {
        self.socket = socket
    }

    /// Begins to receive. Both closures are called on the link's own thread, `onEnd` once, with
    /// the cause when it was not the supervisor's own closing.
    func start(
        onEvent: @escaping @Sendable (Event, Descriptors) -> Void,
        onEnd: @escaping @Sendable (String?) -> Void
    ) {
        sender.start()
        receiver.start()
        receiver.submit { [self] _ in
            onEnd(receiveAll(onEvent))
            sender.shutdownGracefully { _ in }
            receiver.shutdownGracefully { _ in }
        }
    }

    /// Sends a request after all earlier ones; a link that has ended drops it, `onEnd` tells.
    func send(_ request: Request) {
        sender.submit { [self] _ in
            guard let bytes = request.encoded() else { return }
            do throws(KernelError) {
                try Socket.send(bytes, over: socket.raw)
            } catch {
                // The receiving side sees the same end and reports it.
            }
        }
    }

    /// Says that nothing more will be asked; the supervisor then ends the conversation.
    func end() {
        sender.submit { [self] _ in
            do throws(KernelError) {
                try Socket.endWriting(socket.raw)
            } catch {
                // It has ended already.
            }
        }
    }

    /// Receives until the end and gives its cause.
    private func receiveAll(_ onEvent: (Event, Descriptors) -> Void) -> String? {
        while true {
            do {
                guard
                    let datagram = try Socket.receive(
                        limit: SupervisorProtocol.Limit.messageBytes,
                        descriptors: SupervisorProtocol.Limit.descriptors, over: socket.raw)
                else { continue }
                let descriptors = Descriptors(datagram.descriptors)
                if datagram.bytes.isEmpty { return nil }
                guard !datagram.truncated else { return "a message was cut off" }
                onEvent(try Event(decoding: datagram.bytes), descriptors)
            } catch {
                return "\(error)"
            }
        }
    }
}

/// Descriptors that came with a message: each is taken once, what nobody took is closed.
final class Descriptors: Sendable {
    private let raw: [CInt]
    private let taken = Taken()

    init(_ raw: [CInt]) { self.raw = raw }

    /// How many there are.
    var count: Int { raw.count }

    /// Hands all of them over.
    func take() -> [CInt] { taken.claim() ? raw : [] }

    deinit {
        for number in take() { _ = Descriptor(owning: number) }
    }
}

/// Whether something was taken already.
private final class Taken: Sendable {
    private let flag = Atomic<Bool>(false)

    /// True for the first that asks.
    func claim() -> Bool { !flag.exchange(true, ordering: .acquiringAndReleasing) }
}
