import Kernel
import NetworkRules
import SupervisorProtocol
import Wire

/// Somebody who waits for an answer.
struct Asker {
    /// How the answer goes back.
    enum Way {
        case datagram(QuestionDoor, Endpoint)
        case stream(QuestionStream)
    }
    let sandbox: Sandbox
    let query: DNSQuery
    let name: HostName
    let way: Way
}

/// Where a sandbox's questions arrive over UDP, of one address family.
final class QuestionDoor: Door {
    override func ready(
        _ events: Poller.Events, other: Bool, _ gateway: Gateway
    ) throws(EgressError) {
        var sender = Endpoint(v4: 0, port: 0)
        for _ in 0..<Limit.acceptsPerTurn {
            switch Internet.receive(socket.raw, into: &gateway.room, from: &sender) {
            case .bytes(let count):
                let bytes = Array(gateway.room[..<min(count, Limit.questionBytes)])
                gateway.ask(bytes, of: sandbox, .datagram(self, sender))
            // An error here is one of an earlier answer that found nobody.
            case .failed: continue
            case .blocked, .ended: return
            }
        }
    }

    /// Sends an answer; one that does not go is lost, as datagrams may be, and asked for again.
    func answer(_ response: DNSResponse, to asker: Endpoint) {
        let bytes = response.encoded(limit: Limit.datagramAnswerBytes)
        _ = Internet.send(socket.raw, bytes, to: asker)
    }
}

/// One stream of questions: a tool's connection to port 53 of whatever address. One question at a
/// time; the next is read when the one before is answered.
final class QuestionStream: Source {
    let sandbox: Sandbox
    private let socket: Descriptor
    private var framed = Framed(limit: Limit.questionBytes)
    private var waits = false
    private var isWorking = false
    private(set) var hasEnded = false

    init(_ socket: consuming Descriptor, _ sandbox: Sandbox) {
        self.socket = socket
        self.sandbox = sandbox
    }

    func begin(_ gateway: Gateway) {
        sandbox.streams.append(self)
        gateway.table.insert(self)
        do throws(KernelError) {
            try gateway.poller.addEdges(socket.raw, token: token)
            gateway.deadlines.set(place, gateway.now + Limit.questionStreamIdle)
        } catch {
            end(gateway)
        }
    }

    override func ready(
        _ events: Poller.Events, other: Bool, _ gateway: Gateway
    ) throws(EgressError) {
        work(gateway)
    }

    override func resume(_ gateway: Gateway) { work(gateway) }

    private func work(_ gateway: Gateway) {
        guard !isWorking, !hasEnded else { return }
        isWorking = true
        defer { isWorking = false }
        for _ in 0..<Limit.acceptsPerTurn {
            let outcome = framed.move(over: socket.raw, &gateway.room)
            if !waits, framed.isSent, let question = framed.next() {
                waits = true
                gateway.deadlines.set(place, gateway.now + Limit.questionStreamIdle)
                gateway.ask(question, of: sandbox, .stream(self))
            } else {
                // Whoever has sent all questions still hears the answer.
                if outcome == .over, !waits { end(gateway) }
                return
            }
        }
        gateway.again(self)
    }

    func answer(_ response: DNSResponse, _ gateway: Gateway) {
        guard !hasEnded else { return }
        waits = false
        framed.put(response.encoded(limit: Int(UInt16.max)))
        gateway.deadlines.set(place, gateway.now + Limit.questionStreamIdle)
        // The next turn sends it when this came from within `work`.
        if isWorking { gateway.again(self) } else { work(gateway) }
    }

    override func due(_ gateway: Gateway) {
        guard waits else { return end(gateway) }
        gateway.deadlines.set(place, gateway.now + Limit.questionStreamIdle)
    }

    func end(_ gateway: Gateway) {
        guard !hasEnded else { return }
        hasEnded = true
        do throws(KernelError) {
            try Internet.setResetOnClose(socket.raw, false)
        } catch {
            // It is reset then, with all that mattered sent.
        }
        sandbox.streams.removeAll { $0 === self }
        gateway.forget(self)
    }
}
