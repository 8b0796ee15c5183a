internal import Control
internal import Logging
internal import SupervisorProtocol

extension Broker {
    /// Acts on what the supervisor tells.
    func receive(_ event: Event, _ descriptors: Descriptors) {
        switch event {
        case .hello(let version):
            guard version == SupervisorProtocol.Limit.version else {
                log.critical(
                    "supervisor speaks another version",
                    metadata: [
                        "its": "\(version)", "ours": "\(SupervisorProtocol.Limit.version)",
                    ])
                return onEnd()
            }
        case .started(let id, let sandbox, let meters):
            switch requests.removeValue(forKey: id) {
            case .start(let start): started(start, sandbox: sandbox, meters, descriptors)
            case .run(let run): started(run, sandbox: sandbox, descriptors)
            default: link.send(.kill(sandbox: sandbox))
            }
        case .refused(let id, let refusal):
            switch requests.removeValue(forKey: id) {
            case .start(let start): startRefused(start, refusal)
            case .install(let registration): installRefused(registration, refusal)
            case .run(let run): fail(run, refusal)
            case .usage(let then): then(nil)
            case .posture(let then): then(.failure(refusal))
            case .reload(let client, let request):
                fail(client, request.id, Failure(refusal, log: []))
            case nil: break
            }
        case .installing(let id):
            guard case .install(let registration)? = requests[id], descriptors.count == 1 else {
                return
            }
            for raw in descriptors.take() { openLog(raw, of: registration.connection) {} }
        case .installed(let id, _):
            guard case .install(let registration)? = requests.removeValue(forKey: id) else {
                return
            }
            installed(registration)
        case .exited(let sandbox, let ending): exited(sandbox, ending)
        case .usage(let id, let usage):
            guard case .usage(let then)? = requests.removeValue(forKey: id) else { return }
            then(usage)
        case .posture(let id, let rows):
            guard case .posture(let then)? = requests.removeValue(forKey: id) else { return }
            then(.success(rows))
        case .reloaded(let id, let mistakes): reloaded(id, mistakes)
        case .egress: gatewayCame(descriptors)
        }
    }

    private func installRefused(_ registration: Registration, _ refusal: Refusal) {
        // The log and the refusal come over different descriptors: the last lines may still be on
        // their way.
        _ = schedule(after: Limit.logGrace) { broker in
            broker.undo(
                registration, Failure(refusal, log: registration.connection.errorLog))
        }
    }
}
