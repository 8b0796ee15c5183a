import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol

/// The way to corrald. Anything unexpected on it ends the gateway: it would rather be started anew
/// than guess what it may let out.
final class SupervisorLink: Source {
    let socket: Descriptor
    /// Whether corrald has closed its end.
    private(set) var hasEnded = false
    private var isGreeted = false

    init(_ socket: consuming Descriptor) { self.socket = socket }

    override func ready(
        _ events: Poller.Events, other: Bool, _ gateway: Gateway
    ) throws(EgressError) {
        for _ in 0..<Limit.messagesPerTurn {
            guard let datagram = try receive() else { return }
            // Owned from here on, whatever becomes of the order.
            let passed = Passed(datagram.descriptors)
            guard !datagram.bytes.isEmpty else {
                hasEnded = true
                return
            }
            guard !datagram.truncated else { throw Self.refusal("it was cut off") }
            try take(try Self.order(datagram.bytes), passed, gateway)
            guard passed.isEmpty else { throw Self.refusal("too many descriptors") }
        }
    }

    private func receive() throws(EgressError) -> Socket.Datagram? {
        do throws(KernelError) {
            return try Socket.receive(
                limit: SupervisorProtocol.Limit.messageBytes,
                descriptors: SupervisorProtocol.Limit.descriptors, over: socket.raw)
        } catch {
            throw EgressError("obey", "corrald", error)
        }
    }

    private static func order(_ bytes: [UInt8]) throws(EgressError) -> EgressOrder {
        do throws(DecodingError) {
            return try EgressOrder(decoding: bytes)
        } catch {
            throw refusal("\(error)")
        }
    }

    private static func refusal(_ cause: String) -> EgressError {
        EgressError("obey", "corrald", "order", cause)
    }

    private func take(
        _ order: EgressOrder, _ passed: Passed, _ gateway: Gateway
    ) throws(EgressError) {
        switch order {
        case .hello(let version):
            guard version == SupervisorProtocol.Limit.version else {
                throw Self.refusal("it speaks version \(version) of the protocol")
            }
            isGreeted = true
            try reply(.hello(version: version))
        case _ where !isGreeted: throw Self.refusal("no greeting came first")
        case .listener: try gateway.adopt(broker: try passed.next())
        case .open(let opening):
            let doors = Doors(
                streams4: try passed.next(), streams6: try passed.next(),
                datagrams4: try passed.next(), datagrams6: try passed.next())
            try gateway.open(opening, doors)
        case .rules(let serial, let sandbox, let rules):
            try gateway.change(sandbox, rules)
            try reply(.applied(serial: serial))
        case .close(let sandbox): try gateway.close(sandbox)
        case .files:
            gateway.files.replace(resolvConf: try passed.next(), hosts: try passed.next())
        }
    }

    /// Asks for the host's resolver files anew.
    func wantFiles() {
        do throws(EgressError) {
            try reply(.filesChanged)
        } catch {
            // It is asked again after the next change; a corrald that is gone ends the loop.
        }
    }

    /// Corrald reads at once; what does not fit between the two is never that much.
    private func reply(_ reply: EgressReply) throws(EgressError) {
        do throws(KernelError) {
            try Socket.send(reply.encoded() ?? [], over: socket.raw)
        } catch {
            throw EgressError("answer", "corrald", error)
        }
    }
}

/// Descriptors that came with an order; those that nobody takes are closed.
final class Passed {
    private var raw: [CInt]

    init(_ raw: [CInt]) { self.raw = raw }

    var isEmpty: Bool { raw.isEmpty }

    func next() throws(EgressError) -> Descriptor {
        guard !raw.isEmpty else {
            throw EgressError("obey", "corrald", "order", "a descriptor is missing")
        }
        return Descriptor(owning: raw.removeFirst())
    }

    deinit {
        for number in raw { _ = Descriptor(owning: number) }
    }
}

/// A sandbox's sockets, as they come with `open`.
struct Doors: ~Copyable {
    let streams4: Descriptor
    let streams6: Descriptor
    let datagrams4: Descriptor
    let datagrams6: Descriptor

    consuming func sources(_ sandbox: Sandbox) -> [Door] {
        [
            Listener(streams4, isV6: false, sandbox), Listener(streams6, isV6: true, sandbox),
            QuestionDoor(datagrams4, sandbox), QuestionDoor(datagrams6, sandbox),
        ]
    }
}
