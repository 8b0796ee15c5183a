import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol

extension Connection {
    /// Moves bytes in both directions as far as they go in this turn.
    func pump(_ gateway: Gateway) {
        var turns = 0
        var isMoving = true
        while isMoving {
            if turns == Limit.transfersPerTurn { return gateway.again(self) }
            turns += 1
            if look != nil, !lookOn(gateway) { return }
            let out = outward.step(from: tool.raw, to: remote.raw, sandbox, gateway)
            guard settle(out, isOutward: true, gateway) else { return }
            let back = inward.step(from: remote.raw, to: tool.raw, sandbox, gateway)
            guard settle(back, isOutward: false, gateway) else { return }
            isMoving = out == .moved || back == .moved
        }
        if turns > 1 { moved(gateway) }
        if outward.flow.isDone, inward.flow.isDone { return end(.finished, gateway) }
        outward.rest(gateway)
        inward.rest(gateway)
    }

    /// Acts on what cannot go on; false when the connection is over.
    private func settle(
        _ outcome: Half.Outcome, isOutward: Bool, _ gateway: Gateway
    ) -> Bool {
        switch outcome {
        case .moved, .waits: return true
        case .exhausted: end(.denied, denial: sandbox.exhausted(day: gateway.day), gateway)
        case .sourceFailed(let errno):
            fail(isOutward ? .resetByTool : .resetByRemote, errno, gateway)
        case .sinkFailed(let errno):
            // What the sink's side said before it went still reaches its reader.
            drain(isOutward ? \.inward : \.outward, gateway)
            fail(isOutward ? .resetByRemote : .resetByTool, errno, gateway)
        }
        return false
    }

    private func drain(_ half: ReferenceWritableKeyPath<Connection, Half>, _ gateway: Gateway) {
        let isOutward = half == \.outward
        guard !isOutward || look == nil else { return }
        let (source, sink) = isOutward ? (tool.raw, remote.raw) : (remote.raw, tool.raw)
        for _ in 0..<Limit.transfersPerTurn {
            let outcome = self[keyPath: half].step(from: source, to: sink, sandbox, gateway)
            guard outcome == .moved else { return }
        }
    }

    private func fail(_ cause: EgressEnding.Cause, _ errno: CInt, _ gateway: Gateway) {
        let isPlain = errno == ECONNRESET || errno == EPIPE
        end(cause, errno: isPlain ? 0 : errno, gateway)
    }
}

extension Connection {
    /// Looks at the tool's first bytes, which go nowhere before it is known whom they are for;
    /// false when the connection is over.
    private func lookOn(_ gateway: Gateway) -> Bool {
        guard outward.flow.held == 0, var look else { return true }
        outward.flow.isReleased = false
        self.look = nil
        while outward.flow.isReadable, look.room > 0 {
            let limit = min(Limit.chunkBytes, look.room)
            let taken = Internet.receive(tool.raw, into: &gateway.room, limit: limit)
            switch taken {
            case .bytes(let count):
                look.add(gateway.room[..<count])
                guard sandbox.exhausted(day: gateway.day) == nil else {
                    return settle(.exhausted, isOutward: true, gateway)
                }
                sandbox.spend(count, day: gateway.day)
            case .blocked, .ended: _ = outward.flow.took(taken, intoPipe: false)
            case .failed(let errno):
                return settle(.sourceFailed(errno), isOutward: true, gateway)
            }
            if outward.flow.sourceEnded { break }
        }
        return act(on: look, gateway)
    }

    private func act(on seen: FirstLook, _ gateway: Gateway) -> Bool {
        var look = seen
        let finding = look.finding(hasEnded: outward.flow.sourceEnded) { agrees($0, gateway) }
        switch finding {
        case .agreed: pass(look.takeUnsent())
        case .watching:
            let unsent = look.takeUnsent()
            self.look = look
            if !unsent.isEmpty { pass(unsent) }
        case .waiting:
            self.look = look
            if !look.isEmpty { lookBegins(gateway) }
        case .mismatch:
            // Where the address is allowed as such, names do not count.
            if isAllowed([], gateway) != nil {
                pass(look.takeUnsent())
                return true
            }
            let place = isAllowed(names, gateway).map { sandbox.rules.allow[$0].place }
            end(.denied, denial: Denial(.nameMismatch, place: place ?? ""), gateway)
            return false
        }
        return true
    }

    private func pass(_ bytes: [UInt8]) {
        outward.flow.isReleased = true
        outward.hold(bytes)
    }

    /// Whether the address was given out for this name, and the name is allowed there.
    private func agrees(_ name: HostName, _ gateway: Gateway) -> Bool {
        guard names.contains(name) else { return false }
        return isAllowed([name], gateway) != nil
    }

    /// The entry that allows it for these names; nil when none does.
    private func isAllowed(_ names: [HostName], _ gateway: Gateway) -> Int? {
        let verdict = sandbox.rules.verdict(
            address: target.address, port: target.port, names: names,
            isHost: gateway.isHost(target))
        if case .allowed(let rule) = verdict { return rule }
        return nil
    }
}
