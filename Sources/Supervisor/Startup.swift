import Configuration
import Glibc
import Kernel
import Sandbox

/// The programs of this installation, siblings of the running one.
struct Programs {
    let launcher: String
    let broker: String
    let gateway: String

    init() throws(KernelError) {
        let own = try System.executable()
        let directory = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
        launcher = directory + "/corral-launch"
        broker = directory + "/corral-broker"
        gateway = directory + "/corral-egress"
    }
}

/// Everything that must hold before the first sandbox; each step throws what is wrong and what to
/// do about it.
struct Startup: ~Copyable {
    let programs: Programs
    let instance: Instance
    let poller: Poller
    let signals: Signals
    let door: BrokerDoor?
    let gateway: Gateway
    let nursery: Nursery
    let own: Posture.Own
    let journal: Journal

    /// For a daemon.
    init(_ settings: Settings, set: PolicySet) throws(SupervisorError) {
        let journal = Journal()
        try Self.prepareProcess(journal)
        let instance = try Instance(settings)
        let range = settings.sandboxUIDs
        let nursery = try Self.nursery(
            UIDPool(first: range.first, count: range.forServers), set, instance)
        let accounts = try Self.accounts()
        let door = try Self.door(settings, accounts, instance, nursery, journal)
        let gateway = try Self.gateway(settings, accounts, nursery, journal)
        try self.init(instance, nursery, door, gateway, journal)
    }

    /// For one process of root's that asks in a broker's place.
    init(
        alone instance: consuming Instance, uid: UInt32, _ settings: Settings, set: PolicySet,
        _ journal: Journal
    ) throws(SupervisorError) {
        let nursery = try Self.nursery(UIDPool(first: uid - 1, count: 2), set, instance)
        try Self.system("prepare", "corrald") { () throws(KernelError) in
            try Identity.protectMemory()
        }
        let gateway = try Self.gateway(settings, Self.accounts(), nursery, journal)
        try self.init(instance, nursery, nil, gateway, journal)
    }

    private init(
        _ instance: consuming Instance, _ nursery: Nursery, _ door: BrokerDoor?,
        _ gateway: Gateway, _ journal: Journal
    ) throws(SupervisorError) {
        let programs = try Self.system("find", "corral-launch") { () throws(KernelError) in
            try Programs()
        }
        let poller = try Self.system("wait with", "epoll") { () throws(KernelError) in
            try Poller()
        }
        let signals = try Self.system("wait with", "signalfd") { () throws(KernelError) in
            try Signals([SIGTERM, SIGINT, SIGHUP])
        }
        let own = try Self.system("look at", "/proc/self") { () throws(KernelError) in
            try Posture.Own.read()
        }
        self.programs = programs
        self.poller = poller
        self.signals = signals
        self.own = own
        self.instance = instance
        self.nursery = nursery
        self.door = door
        self.gateway = gateway
        self.journal = journal
    }

    /// First of all: nothing of ours is open yet.
    static func prepareProcess(_ journal: Journal) throws(SupervisorError) {
        guard Identity.uid == 0 else {
            throw SupervisorError(
                "start", "corrald", "identity", "it must run as root",
                hint: "use 'systemctl start corrald', or sudo")
        }
        try Self.system("prepare", "descriptors") { () throws(KernelError) in
            try Identity.sealDescriptors()
            let limit = try Identity.raiseDescriptorLimit(to: Limit.descriptors)
            guard limit < Limit.descriptors else { return }
            journal.event(
                "descriptors-few",
                [("limit", String(limit)), ("hint", "raise LimitNOFILE, or ulimit -Hn")])
        }
    }

    private static func door(
        _ settings: Settings, _ accounts: Accounts, _ instance: borrowing Instance,
        _ nursery: Nursery, _ journal: Journal
    ) throws(SupervisorError) -> BrokerDoor {
        let range = settings.sandboxUIDs
        let account = account(
            "broker", settings.brokerUser, orElse: range.broker, accounts, journal)
        let filter = try filter("broker", nursery)
        let listener = try ControlSocket.open(settings, accounts, journal)
        let state = instance.brokerState
        try system("prepare", state) { () throws(KernelError) in
            try Files.makeDirectory(state, mode: 0o700)
            try Files.setOwner(state, uid: account.uid, gid: account.gid)
            try Identity.protectMemory()
        }
        return BrokerDoor(
            listener: listener, seat: ProcessSeat(account: account, filter: filter))
    }

    private static func gateway(
        _ settings: Settings, _ accounts: Accounts, _ nursery: Nursery, _ journal: Journal
    ) throws(SupervisorError) -> Gateway {
        let account = account(
            "egress", settings.egressUser, orElse: settings.sandboxUIDs.egress, accounts, journal)
        return Gateway(seat: ProcessSeat(account: account, filter: try filter("egress", nursery)))
    }

    private static func accounts() throws(SupervisorError) -> Accounts {
        try system("read", "/etc/passwd") { () throws(KernelError) in try Accounts() }
    }

    private static func system<Result: ~Copyable>(
        _ verb: String, _ object: String, _ body: () throws(KernelError) -> Result
    ) throws(SupervisorError) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            throw SupervisorError(verb, object, "startup", error, hint: "see 'corral doctor'")
        }
    }

    /// The configured user; without one, a number that nobody has, said aloud.
    private static func account(
        _ name: String, _ user: String, orElse uid: UInt32, _ accounts: Accounts,
        _ journal: Journal
    ) -> Account {
        if let account = accounts.user(named: user), account.uid != 0 { return account }
        journal.event(
            "\(name)-user-missing",
            [
                ("user", user), ("instead", String(uid)),
                ("hint", "systemd-sysusers makes it; or set \(name)_user"),
            ])
        return Account(name: String(uid), uid: uid, gid: uid)
    }

    /// A program's own walls; without them it is not started.
    private static func filter(
        _ name: String, _ nursery: Nursery
    ) throws(SupervisorError) -> [UInt8] {
        do throws(SandboxError) {
            return try nursery.templates.filter(name).bytes
        } catch {
            throw SupervisorError(
                "confine", "corral-" + name, error.step, error.cause, hint: error.hint)
        }
    }

    private static func nursery(
        _ uids: UIDPool, _ set: PolicySet, _ instance: borrowing Instance
    ) throws(SupervisorError) -> Nursery {
        let launcher = try system("find", "corral-launch") { () throws(KernelError) in
            try Programs().launcher
        }
        let cgroups: CgroupTree
        do throws(CgroupError) {
            cgroups = try CgroupTree(host: .detect(), name: instance.name)
        } catch {
            throw SupervisorError("limit", "sandboxes", error.step, error.cause, hint: error.hint)
        }
        do throws(SandboxError) {
            return Nursery(
                uids: uids,
                templates: try Templates(
                    launcher: launcher, root: instance.treeRoot, profiles: set.profiles),
                cgroups: cgroups)
        } catch {
            throw SupervisorError(
                "prepare", "sandboxes", error.step, error.cause, hint: error.hint)
        }
    }
}

/// The one socket that clients know.
enum ControlSocket {
    /// Binds it in a directory that only root can write, for root and the control group.
    static func open(
        _ settings: Settings, _ accounts: Accounts, _ journal: Journal
    ) throws(SupervisorError) -> Descriptor {
        let path = settings.controlSocket
        do throws(KernelError) {
            guard let directory = try Files.status(settings.runtime), directory.uid == 0,
                directory.permissions & 0o022 == 0
            else {
                throw KernelError("bind", path, errno: EPERM)
            }
            // A leftover of a killed predecessor: the lock on the state says that it is gone.
            try Files.remove(path)
            let previous = umask(0o177)
            defer { umask(previous) }
            let listener = try Socket.listen(at: path, backlog: Limit.backlog)
            if let group = accounts.group(named: settings.controlGroup) {
                try Files.setOwner(path, uid: 0, gid: group.gid)
                try Files.setMode(path, 0o660)
            } else {
                journal.event(
                    "control-group-missing",
                    [("group", settings.controlGroup), ("effect", "only root may connect")])
            }
            return listener
        } catch {
            throw SupervisorError(
                "listen on", path, "control-socket", error,
                hint: "its directory must belong to root and be writable by nobody else")
        }
    }
}
