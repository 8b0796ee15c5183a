import CLaunch
import Glibc
public import Kernel

/// A finished tree with a zygote in it: one `corral-launch template` process, from which each
/// sandbox is cloned.
///
/// The zygote dies with this process (prctl(2), PR_SET_PDEATHSIG), and goes when this object does:
/// its socket closes.
public final class Template {
    private let socket: Descriptor
    private let zygote: Child
    private var ended = false

    /// How long the launcher may take over one answer, in milliseconds; it takes about one.
    public static let patienceMilliseconds = 10_000

    /// Starts a zygote and waits until its tree stands.
    ///
    /// - Parameters:
    ///   - launcher: the path of corral-launch.
    ///   - root: an empty host directory to build the tree on; nothing appears there on the host.
    public convenience init(
        launcher: String, root: String, tree: TreePlan, filter: SystemCallFilter
    ) throws(SandboxError) {
        try self.init(
            launcher: launcher, root: root, tree: tree, filter: filter, mode: ["template"])
    }

    /// The same with the launcher's words given: a build for tests knows one more mode.
    init(
        launcher: String, root: String, tree: TreePlan, filter: SystemCallFilter, mode: [String]
    ) throws(SandboxError) {
        guard let datagram = tree.datagram(root: root, filter: filter) else {
            throw SandboxError(
                step: "write-plan", cause: "the tree is larger than a plan may be",
                hint: "list fewer paths")
        }
        do throws(KernelError) {
            let pair = try Socket.seqpacketPair()
            zygote = try Child.spawn(
                launcher, arguments: mode, environment: [],
                descriptors: [pair.theirs.raw])
            socket = try pair.split { ours, _ throws(KernelError) in ours }
            try Socket.setReceiveTimeout(of: socket.raw, milliseconds: Self.patienceMilliseconds)
            try Socket.send(datagram, over: socket.raw)
        } catch {
            throw SandboxError(step: "spawn", error, hint: "is corral-launch beside corrald?")
        }
        switch try answer().report {
        case .ready: return
        case .failed(let error): throw error
        default: throw SandboxError(step: "read-report", cause: "the launcher is out of step")
        }
    }

    deinit { end() }

    /// Ends the zygote; nothing can be launched any more.
    public func end() {
        guard !ended else { return }
        ended = true
        // It would exit when the socket closes, and be a zombie then.
        do throws(KernelError) {
            try zygote.end()
        } catch {
            preconditionFailure("a zygote of this process cannot be ended: \(error)")
        }
    }

    /// The zygote's pid, for measuring.
    public var pid: Int32 { zygote.pid }

    /// Lets the zygote make ahead what its next sandbox inherits, and join the cgroups that the
    /// sandbox with this uid will be in; to be called when nobody waits.
    ///
    /// - Parameter groups: open `cgroup.procs` files, which stay the caller's; none where a sandbox
    ///   can be born in its group.
    public func prepare(joining groups: [CInt], for uid: UInt32) {
        let datagram = PlanWriter.datagram([]) { out in
            out.put(UInt64(CORRAL_PLAN_PREPARE))
            out.put(UInt64(uid))
            out.put(groups.count)
        }
        guard let datagram else { return }
        do throws(KernelError) {
            try Socket.send(datagram, descriptors: groups, over: socket.raw)
        } catch {
            // A zygote that is gone is told by the next launch.
        }
    }

    /// Lets the zygote close descriptors whose closing takes its time; they stay the caller's.
    public func close(_ descriptors: [CInt]) {
        let datagram = PlanWriter.datagram([]) { $0.put(UInt64(CORRAL_PLAN_CLOSE)) }
        guard let datagram else { return }
        do throws(KernelError) {
            try Socket.send(datagram, descriptors: descriptors, over: socket.raw)
        } catch {
            // They are closed where they are.
        }
    }

    /// What a clone brings.
    public struct Birth: ~Copyable {
        /// The sandbox's pid 1.
        public let pid: Int32
        /// Its pidfd.
        private let pidfd: Descriptor
        /// Its network namespace; nil when that is the host's.
        private var network: Descriptor?
        /// How it is told what to run; nil for one that knows.
        public private(set) var waiting: Waiting?

        init(pid: Int32, pidfd: consuming Descriptor, network: consuming Descriptor?) {
            self.pid = pid
            self.pidfd = pidfd
            self.network = network
        }

        fileprivate consuming func waiting(_ waiting: Waiting) -> Birth {
            self.waiting = waiting
            return self
        }

        /// Gives all away: the caller closes the descriptors.
        public consuming func release() -> (pid: Int32, pidfd: CInt, network: CInt?) {
            let network = network.take()?.release()
            return (pid, pidfd.release(), network)
        }
    }

    /// Clones a sandbox. Its `started` or `failed` report comes on the status pipe.
    ///
    /// - Parameters:
    ///   - groups: how it gets into its cgroups; closed here.
    ///   - trees: detached mounts for `plan.trees`, in order.
    ///   - network: a namespace in which no process is, and which comes back with the birth;
    ///     without one it gets a new one.
    public func launch(
        _ plan: LaunchPlan, groups: Groups, trees: borrowing Trees, streams: borrowing Streams,
        status: borrowing Descriptor, network: consuming Descriptor? = nil
    ) throws(SandboxError) -> Birth {
        do throws(KernelError) {
            try streams.give(to: plan.uid)
        } catch {
            groups.close()
            throw SandboxError(step: "send-plan", error)
        }
        return try clone(
            plan, from: streams.raw, groups: groups, trees: trees, status: status, network: network)
    }

    /// Clones a sandbox that waits, fully confined, for what it is to run.
    ///
    /// - Parameters:
    ///   - plan: everything but the command, its directory and its environment.
    ///   - groups: how it gets into its cgroups; closed here.
    ///   - network: as for `launch`.
    public func launchWaiting(
        _ plan: LaunchPlan, groups: Groups, status: borrowing Descriptor,
        network: consuming Descriptor? = nil
    ) throws(SandboxError) -> Birth {
        let pair: Socket.Pair
        do throws(KernelError) {
            pair = try Socket.seqpacketPair()
        } catch {
            groups.close()
            throw SandboxError(step: "make-pipes", error)
        }
        let birth = try clone(
            plan, from: [pair.theirs.raw], groups: groups, trees: Trees(), status: status,
            network: network, .wait)
        let waiting = Waiting(socket: pair.keepOurs())
        return birth.waiting(waiting)
    }

    private func clone(
        _ plan: LaunchPlan, from streams: [CInt], groups: Groups, trees: borrowing Trees,
        status: borrowing Descriptor, network: consuming Descriptor?, _ means: LaunchPlan.Means = []
    ) throws(SandboxError) -> Birth {
        defer { groups.close() }
        var passed = streams + [status.raw] + groups.raw + trees.raw
        let all = means.union(groups.means)
        let means = network.append(to: &passed) ? all.union(.network) : all
        guard let datagram = plan.datagram(groups: groups.raw.count, means) else {
            throw SandboxError(
                step: "write-plan", cause: "the command or its environment is too long",
                hint: "at most \(CORRAL_PLAN_ARGUMENTS) words and 192 KiB in all")
        }
        do throws(KernelError) {
            try Socket.send(datagram, descriptors: passed, over: socket.raw)
        } catch {
            throw SandboxError(step: "send-plan", error)
        }
        let (report, descriptors) = try answer()
        switch report {
        case .cloned(let pid):
            guard let pidfd = descriptors.first else {
                // Our own child all the same, which nobody else would reap.
                Child.end(unreaped: pid)
                throw SandboxError(
                    step: "take-pidfd", cause: "this process has no descriptor left for it",
                    errno: EMFILE, hint: "raise LimitNOFILE, or ulimit -n")
            }
            if descriptors.count > 1 { network = Descriptor(owning: descriptors[1]) }
            return Birth(pid: pid, pidfd: Descriptor(owning: pidfd), network: network)
        case .failed(let error): throw error
        default: throw SandboxError(step: "read-report", cause: "the launcher is out of step")
        }
    }

    private func answer() throws(SandboxError) -> (report: Report, descriptors: [CInt]) {
        do throws(KernelError) {
            guard
                let datagram = try Socket.receive(
                    limit: Report.size, descriptors: 2, over: socket.raw)
            else {
                throw KernelError("recvmsg", "corral-launch", errno: ETIMEDOUT)
            }
            guard let report = Report(datagram.bytes) else {
                throw KernelError("recvmsg", "corral-launch", errno: EPIPE)
            }
            return (report, datagram.descriptors)
        } catch {
            throw SandboxError(step: "read-report", error)
        }
    }
}

/// Detached mounts on their way into a sandbox; closed with this value.
public struct Trees: ~Copyable {
    /// The descriptors, in the order of the plan's targets.
    public private(set) var raw: [CInt] = []

    /// Starts with none.
    public init() {}

    /// Adds one.
    public mutating func append(_ tree: consuming Tree) {
        raw.append(tree.release())
    }

    deinit {
        for number in raw { _ = close(number) }
    }
}

extension Optional where Wrapped == Descriptor {
    /// Adds its number when there is one.
    fileprivate borrowing func append(to numbers: inout [CInt]) -> Bool {
        switch self {
        case .some(let descriptor):
            numbers.append(descriptor.raw)
            return true
        case .none: return false
        }
    }
}
