import Glibc
import Kernel
import NetworkRules
import SupervisorProtocol

/// The gateway out of sandboxes as the supervisor keeps it: its process while there is one, and
/// what each process of it must be told.
final class Gateway {
    /// A sandbox that it serves.
    private struct Served {
        let listeners: SandboxNetwork.Listeners
        var grant: NetworkGrant
    }

    /// A message on its way, with what it carries kept open until it is sent.
    private struct Letter {
        let bytes: [UInt8]
        let listeners: SandboxNetwork.Listeners?
        let others: [Descriptor.Shared]

        var descriptors: [CInt] { listeners?.raw ?? others.map(\.raw) }
    }

    /// Its user and its filter, which a reload may change.
    var seat: ProcessSeat
    /// The process; nil while there is none.
    private(set) var process: UnprivilegedProcess?
    var restarts = Restarts()
    /// Whether its link is watched.
    var isWatched = false
    private var served: [UInt64: Served] = [:]
    private var letters: [Letter] = []
    private var serial: UInt64 = 0
    /// Rules that it has not yet said to hold, by their serial numbers.
    private(set) var pending: Set<UInt64> = []

    init(seat: ProcessSeat) { self.seat = seat }

    /// Whether something waits until it reads again.
    var isBehind: Bool { !letters.isEmpty }

    /// The sandboxes that it serves.
    var sandboxes: [UInt64] { Array(served.keys) }

    /// A process of it has been started: it is told everything.
    func begin(_ process: UnprivilegedProcess) throws(KernelError) {
        self.process = process
        letters = []
        pending = []
        try tell(.hello(version: SupervisorProtocol.Limit.version))
        for (id, one) in served.sorted(by: { $0.key < $1.key }) { try tellOpening(id, one) }
    }

    /// Its process is gone: nobody is served, and nobody accepts, until there is another.
    func end() {
        process = nil
        letters = []
        pending = []
    }

    /// Where it tells what it decides from now on.
    func introduce(to listener: Descriptor.Shared) throws(KernelError) {
        try tell(.listener, [listener])
    }

    /// Gives it the host's resolver files as they are now.
    func giveFiles() throws(KernelError) {
        var files: [Descriptor.Shared] = []
        for path in ["/etc/resolv.conf", "/etc/hosts"] {
            files.append(Descriptor.Shared(try Self.open(path)))
        }
        try tell(.files, files)
    }

    /// Opens a file to be read; an empty one when it is not there.
    private static func open(_ path: String) throws(KernelError) -> Descriptor {
        do throws(KernelError) {
            return try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        } catch  where error.isMissing {
            return try Descriptor.open("/dev/null", O_RDONLY)
        }
    }

    /// A sandbox begins.
    func open(
        _ id: UInt64, _ grant: NetworkGrant, _ listeners: SandboxNetwork.Listeners
    ) throws(KernelError) {
        let one = Served(listeners: listeners, grant: grant)
        served[id] = one
        try tellOpening(id, one)
    }

    /// A sandbox has ended.
    func close(_ id: UInt64) throws(KernelError) {
        guard served.removeValue(forKey: id) != nil else { return }
        try tell(.close(sandbox: id))
    }

    /// Gives each sandbox the rules that now follow from what it was granted by.
    func renew(_ rules: (NetworkGrant) -> EgressRules) throws(KernelError) {
        for (id, one) in served.sorted(by: { $0.key < $1.key }) {
            let new = rules(one.grant)
            guard new != one.grant.rules else { continue }
            served[id]?.grant.rules = new
            guard process != nil else { continue }
            serial += 1
            pending.insert(serial)
            try tell(.rules(serial: serial, sandbox: id, new))
        }
    }

    /// It said that rules hold.
    func applied(_ serial: UInt64) { pending.remove(serial) }

    private func tellOpening(_ id: UInt64, _ one: Served) throws(KernelError) {
        let sandbox = EgressSandbox(sandbox: id, owner: one.grant.owner, rules: one.grant.rules)
        try tell(.open(sandbox), listeners: one.listeners)
    }

    private func tell(
        _ order: EgressOrder, listeners: SandboxNetwork.Listeners? = nil,
        _ others: [Descriptor.Shared] = []
    ) throws(KernelError) {
        guard process != nil else { return }
        guard let bytes = order.encoded() else {
            // Rules beyond what a message holds: that sandbox is not served, and no other suffers.
            guard case .rules(let serial, let sandbox, _) = order else { return }
            pending.remove(serial)
            return try tell(.close(sandbox: sandbox))
        }
        guard letters.count < Limit.letters else {
            throw KernelError("sendmsg", "corral-egress", errno: ENOBUFS)
        }
        letters.append(Letter(bytes: bytes, listeners: listeners, others: others))
        try deliver()
    }

    /// Sends what waits, as far as it is taken.
    func deliver() throws(KernelError) {
        guard let process else { return }
        var sent = 0
        defer { letters.removeFirst(sent) }
        for letter in letters {
            do throws(KernelError) {
                try Socket.send(
                    letter.bytes, descriptors: letter.descriptors, over: process.link.raw)
            } catch  where error.errno == EAGAIN {
                return
            }
            sent += 1
        }
    }
}

extension Descriptor {
    /// One that several hold; it is closed with the last of them.
    final class Shared {
        private let descriptor: Descriptor
        var raw: CInt { descriptor.raw }

        init(_ descriptor: consuming Descriptor) { self.descriptor = consume descriptor }
    }
}
