import Configuration
import Glibc
import Kernel
import Sandbox

/// The programs of this installation, siblings of the running one.
struct Programs {
    let launcher: String
    let broker: String

    init() throws(KernelError) {
        let own = try System.executable()
        let directory = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
        launcher = directory + "/corral-launch"
        broker = directory + "/corral-broker"
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
        let door = try Self.door(settings, instance, nursery, journal)
        try self.init(instance, nursery, door, journal)
    }

    /// For one process of root's that asks in a broker's place.
    init(
        alone instance: consuming Instance, uid: UInt32, set: PolicySet, _ journal: Journal
    ) throws(SupervisorError) {
        let nursery = try Self.nursery(UIDPool(first: uid - 1, count: 2), set, instance)
        try Self.system("prepare", "corrald") { () throws(KernelError) in
            try Identity.protectMemory()
        }
        try self.init(instance, nursery, nil, journal)
    }

    private init(
        _ instance: consuming Instance, _ nursery: Nursery, _ door: BrokerDoor?, _ journal: Journal
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
        _ settings: Settings, _ instance: borrowing Instance, _ nursery: Nursery,
        _ journal: Journal
    ) throws(SupervisorError) -> BrokerDoor {
        let accounts = try system("read", "/etc/passwd") { () throws(KernelError) in
            try Accounts()
        }
        let account = brokerAccount(settings, accounts, journal)
        let filter = try brokerFilter(nursery)
        let listener = try ControlSocket.open(settings, accounts, journal)
        let state = instance.brokerState
        try system("prepare", state) { () throws(KernelError) in
            try Files.makeDirectory(state, mode: 0o700)
            try Files.setOwner(state, uid: account.uid, gid: account.gid)
            try Identity.protectMemory()
        }
        return BrokerDoor(listener: listener, account: account, filter: filter)
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
    private static func brokerAccount(
        _ settings: Settings, _ accounts: Accounts, _ journal: Journal
    ) -> Account {
        if let account = accounts.user(named: settings.brokerUser), account.uid != 0 {
            return account
        }
        // The last of the range: the first is the installer's, and the pool never reaches it.
        let uid = settings.sandboxUIDs.first + settings.sandboxUIDs.count - 1
        journal.event(
            "broker-user-missing",
            [
                ("user", settings.brokerUser), ("instead", String(uid)),
                ("hint", "systemd-sysusers makes it; or set broker_user"),
            ])
        return Account(name: String(uid), uid: uid, gid: uid)
    }

    /// The broker's own walls; without them it is not started.
    private static func brokerFilter(_ nursery: Nursery) throws(SupervisorError) -> [UInt8] {
        do throws(SandboxError) {
            return try nursery.templates.filter("broker").bytes
        } catch {
            throw SupervisorError(
                "confine", "corral-broker", error.step, error.cause, hint: error.hint)
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
