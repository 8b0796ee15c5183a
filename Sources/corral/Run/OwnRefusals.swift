internal import Control
internal import Kernel
internal import NetworkRules
internal import SupervisorProtocol

/// What a gateway without a broker refused a command. Nothing keeps it, so it has no id.
final class OwnRefusals {
    private var socket: Descriptor?
    private var known = CallNetwork()

    /// Hears another gateway from now on.
    func listen(to socket: consuming Descriptor) {
        take()
        self.socket = consume socket
    }

    /// What has been refused so far, a line each. The gateway tells a refusal before the command
    /// can notice it, so nothing is missing once the command has ended.
    func lines() -> [String] {
        take()
        return known.lines
    }

    private func take() {
        do {
            while let raw = socket?.raw, let datagram = try next(raw) {
                guard case .decided(let decision) = try EgressEvent(decoding: datagram),
                    let denial = decision.denial
                else { continue }
                note(decision, denial)
            }
        } catch {
            // It has ended, or makes no sense: what it said before holds.
            socket = nil
        }
    }

    /// The next of its events; nil when none waits.
    private func next(_ raw: CInt) throws -> [UInt8]? {
        guard try poll([Interest(raw, readable: true)], milliseconds: 0)[0].readable else {
            return nil
        }
        let datagram = try Socket.receive(
            limit: SupervisorProtocol.Limit.messageBytes, descriptors: 0, over: raw)
        guard let datagram, !datagram.bytes.isEmpty, !datagram.truncated else {
            throw DecodingError.cutShort
        }
        return datagram.bytes
    }

    private func note(_ decision: EgressDecision, _ denial: Denial) {
        let denied = CallNetwork.Denied(
            denial, id: "", address: decision.address, port: decision.port, name: decision.name,
            place: denial.place.isEmpty ? decision.place : denial.place)
        // Happy eyeballs and retries ask for the same again.
        guard !known.denied.contains(denied) else { return }
        if known.denied.count < Limit.refusals {
            known.denied.append(denied)
        } else {
            known.more += 1
        }
    }
}
