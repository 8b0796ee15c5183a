import Kernel
import NetworkRules
import SupervisorProtocol

/// A sandbox, as the gateway knows it.
final class Sandbox {
    let number: UInt64
    let owner: String
    var rules: EgressRules
    var leases = Leases()
    var bucket: TokenBucket
    var questionBucket: TokenBucket
    var calls = CallBudget()
    let day: DayBudget
    var doors: [Door] = []
    var connections: [Connection] = []
    var streams: [QuestionStream] = []
    /// Questions that wait for a name server.
    var questionsWaiting = 0
    /// When a question beyond the limit was last told of.
    var questionsRefused: UInt64?
    var isClosed = false

    init(_ opening: EgressSandbox, day: DayBudget, now: UInt64) {
        number = opening.sandbox
        owner = opening.owner
        rules = opening.rules
        bucket = TokenBucket(perSecond: rules.limits.connectionsPerSecond, at: now)
        questionBucket = TokenBucket(perSecond: Limit.questionsPerSecond, at: now)
        self.day = day
    }

    /// Where a limit stands in the policy.
    func place(of limit: String) -> String { rules.limitPlaces["network." + limit] ?? "" }

    /// Bytes that may still be moved; nil when nothing limits them.
    func allowance(day today: UInt64) -> Int? {
        let call = calls.left(limit: rules.limits.bytesPerCall)
        let day = day.left(limit: rules.limits.bytesPerDay, day: today)
        guard let call, let day else { return call ?? day }
        return min(call, day)
    }

    /// Which limit on bytes is reached; nil when none is.
    func exhausted(day today: UInt64) -> Denial? {
        if calls.left(limit: rules.limits.bytesPerCall) == 0 {
            return Denial(.bytesPerCall, place: place(of: "bytes_per_call"))
        }
        if day.left(limit: rules.limits.bytesPerDay, day: today) == 0 {
            return Denial(.bytesPerDay, place: place(of: "bytes_per_day"))
        }
        return nil
    }

    func spend(_ bytes: Int, day today: UInt64) {
        calls.spend(bytes)
        day.spend(bytes, day: today)
    }

    func remove(_ connection: Connection) {
        let at = connection.index
        guard let last = connections.popLast(), last !== connection else { return }
        connections[at] = last
        last.index = at
    }
}

/// One of the sockets through which a sandbox reaches the gateway.
class Door: Source {
    final let socket: Descriptor
    final unowned let sandbox: Sandbox

    init(_ socket: consuming Descriptor, _ sandbox: Sandbox) {
        self.socket = socket
        self.sandbox = sandbox
    }
}
