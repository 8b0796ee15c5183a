import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol

/// Where a sandbox's connections arrive, of one address family.
final class Listener: Door {
    private let isV6: Bool

    init(_ socket: consuming Descriptor, isV6: Bool, _ sandbox: Sandbox) {
        self.isV6 = isV6
        super.init(socket, sandbox)
    }

    override func ready(
        _ events: Poller.Events, other: Bool, _ gateway: Gateway
    ) throws(EgressError) {
        for _ in 0..<Limit.acceptsPerTurn {
            do throws(KernelError) {
                guard let tool = try Internet.accept(socket.raw) else { return }
                try take(tool, gateway)
            } catch {
                guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errno) else { continue }
                return pause(gateway)
            }
        }
    }

    /// Descriptors or memory have run out: nobody is accepted until some came back.
    private func pause(_ gateway: Gateway) {
        do throws(KernelError) {
            try gateway.poller.remove(socket.raw)
            gateway.deadlines.set(place, gateway.now + Limit.acceptPause)
        } catch {
            // It was watched a moment ago; without it the loop only turns faster.
        }
    }

    override func due(_ gateway: Gateway) {
        do throws(KernelError) {
            try gateway.poller.add(socket.raw, token: token)
        } catch {
            gateway.deadlines.set(place, gateway.now + Limit.acceptPause)
        }
    }

    private func take(_ tool: consuming Descriptor, _ gateway: Gateway) throws(KernelError) {
        let dialled: Endpoint
        do throws(KernelError) {
            dialled = try Internet.originalDestination(of: tool.raw, isV6: isV6)
        } catch {
            // Nothing redirected it here: it was meant for this very port, which nobody has. It is
            // reset as it goes away.
            return
        }
        if dialled.port == 53 {
            gateway.answer(tool, of: sandbox)
        } else {
            gateway.connect(tool, of: sandbox, to: dialled)
        }
    }
}

extension Gateway {
    /// Decides on a connection and begins it. The endpoint that is judged is the very one that is
    /// dialled.
    func connect(_ tool: consuming Descriptor, of sandbox: Sandbox, to dialled: Endpoint) {
        let target = Endpoint(dialled.address, port: dialled.port)
        let address = target.address
        let names = sandbox.leases.names(of: address, now: now)
        let isWithinRate = sandbox.bucket.take(at: now)
        let verdict = sandbox.rules.verdict(
            address: address, port: target.port, names: names, isHost: isHost(target))
        var decision = EgressDecision(
            number: nextDecision(), sandbox: sandbox.number, owner: sandbox.owner,
            time: System.wallMilliseconds * 1000, kind: .connect, name: names.first?.text ?? "",
            address: address, port: target.port, denial: nil, rule: "", place: "")
        switch verdict {
        case .denied(let denial): decision.denial = denial
        case .allowed(let rule):
            decision.rule = sandbox.rules.allow[rule].text
            decision.place = sandbox.rules.allow[rule].place
            decision.denial = limit(sandbox, isWithinRate: isWithinRate)
            guard decision.denial == nil else { break }
            if let name = sandbox.rules.name(among: names, allowedBy: rule) {
                decision.name = name.text
            }
            outbox.add(.decided(decision))
            return dial(tool, sandbox, target, names, decision, rule: rule)
        }
        decision.place = decision.denial?.place ?? ""
        outbox.add(.decided(decision))
        // First the broker learns of it, then the tool, by the reset as its socket goes away.
        flush()
    }

    private func limit(_ sandbox: Sandbox, isWithinRate: Bool) -> Denial? {
        let limits = sandbox.rules.limits
        if sandbox.connections.count >= limits.connections || connections >= capacity {
            return Denial(.connections, place: sandbox.place(of: "connections"))
        }
        if !isWithinRate {
            return Denial(.connectionRate, place: sandbox.place(of: "connections_per_second"))
        }
        return sandbox.exhausted(day: day)
    }

    private func dial(
        _ tool: consuming Descriptor, _ sandbox: Sandbox, _ target: Endpoint, _ names: [HostName],
        _ decision: EgressDecision, rule: Int
    ) {
        let remote: Descriptor
        do throws(KernelError) {
            remote = try Internet.dial(target)
        } catch {
            outbox.add(
                .ended(
                    EgressEnding(
                        number: decision.number, sandbox: sandbox.number,
                        time: System.wallMilliseconds * 1000, sent: 0, received: 0,
                        microseconds: 0, cause: .unreachable, errno: error.errno)))
            flush()
            return
        }
        let connection = Connection(
            tool: tool, remote: remote, sandbox, target, names, number: decision.number, now: now)
        if sandbox.rules.allow[rule].destination.isNamed { connection.look = FirstLook() }
        connection.begin(self)
    }
}

extension Destination {
    /// Whether it grants names and not addresses.
    var isNamed: Bool {
        switch host {
        case .name, .subdomains: true
        case .range, .hostAddresses: false
        }
    }
}

extension EgressRules {
    /// Which of the names the entry grants.
    func name(among names: [HostName], allowedBy rule: Int) -> HostName? {
        switch allow[rule].destination.host {
        case .name(let name): names.first { $0 == name }
        case .subdomains(let parent): names.first { $0.isSubdomain(of: parent) }
        case .range, .hostAddresses: nil
        }
    }
}
