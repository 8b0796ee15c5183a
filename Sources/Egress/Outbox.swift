import Glibc
import Kernel
import SupervisorProtocol

/// Events on their way to the broker, in order, bounded; what finds no room is counted, and the
/// count is told in its place.
struct Outbox {
    private var queue: [[UInt8]] = []
    private var first = 0
    private var lost: UInt64 = 0

    /// How many wait.
    var count: Int { queue.count - first }

    /// Adds one event; an answer to the broker is never lost, since it waits for it.
    mutating func add(_ event: EgressEvent, isAnswer: Bool = false) {
        guard count < Limit.events || isAnswer else {
            lost += 1
            return
        }
        tellLost()
        // No event is beyond a message's limit: its texts are names, rules and places.
        if let datagram = event.encoded() { queue.append(datagram) } else { lost += 1 }
    }

    /// The next datagram.
    var next: [UInt8]? { first < queue.count ? queue[first] : nil }

    /// The next one has been sent.
    mutating func sent() {
        first += 1
        if first == queue.count {
            queue.removeAll(keepingCapacity: count < 64)
            first = 0
            tellLost()
        } else if first >= 1024 {
            queue.removeFirst(first)
            first = 0
        }
    }

    private mutating func tellLost() {
        guard lost > 0, let datagram = EgressEvent.lost(count: lost).encoded() else { return }
        queue.append(datagram)
        lost = 0
    }
}

/// The way to the broker.
final class BrokerLink: Source {
    let socket: Descriptor
    /// Whether the broker may take another event.
    var isWritable = true

    init(_ socket: consuming Descriptor) { self.socket = socket }

    override func ready(
        _ events: Poller.Events, other: Bool, _ gateway: Gateway
    ) throws(EgressError) {
        if events.contains(.writable) { isWritable = true }
        if !events.isDisjoint(with: [.readable, .readEnded, .hungUp, .failed]) { resume(gateway) }
        gateway.flush()
    }

    /// Reads what waits, in turns.
    override func resume(_ gateway: Gateway) {
        for _ in 0..<Limit.messagesPerTurn {
            guard let notice = next(gateway) else { return }
            gateway.take(notice: notice)
        }
        gateway.again(self)
    }

    /// The next notice; nil when none waits. A broker that is gone or makes no sense is dropped.
    private func next(_ gateway: Gateway) -> EgressNotice? {
        do {
            guard
                let datagram = try Socket.receive(
                    limit: Limit.noticeBytes, descriptors: 0, over: socket.raw)
            else { return nil }
            return try EgressNotice(decoding: datagram.bytes)
        } catch {
            gateway.dropBroker(self)
            return nil
        }
    }
}
