import Glibc
import Kernel
import Sandbox
import SupervisorProtocol

/// What a sandbox needs before it is born: a number, a user, a limited cgroup, its pipes. Nothing
/// of it depends on who asks, so it can be made while nobody waits.
final class Place {
    let id: UInt64
    let uid: UInt32
    let cgroup: Cgroup
    /// Tells that its memory is used up, where the kernel does not end the whole of it by itself.
    var memoryAlarm: Descriptor?
    /// What the broker reads what calls use from.
    let meters: CgroupMeters
    /// What is read of it at its end.
    let counters: CgroupCounters
    /// A server's; an installation has others.
    var pipes: ServerPipes?
    /// For the launcher's reports; our end does not block.
    var status: Pipe?
    /// By which the cgroup is entered: its directory where a process can be born in it, or each
    /// `cgroup.procs`.
    private(set) var entrances: [CInt]

    /// Makes all that goes with a group that is there already; the group stays the caller's when
    /// something fails.
    init(id: UInt64, uid: UInt32, cgroup: Cgroup) throws(Refusal) {
        self.id = id
        self.uid = uid
        self.cgroup = cgroup
        do throws(KernelError) {
            memoryAlarm = try cgroup.memoryAlarm()
            pipes = try ServerPipes()
            let reports = try Pipe()
            try reports.read.setNonblocking(true)
            status = consume reports
        } catch {
            throw Refusal(
                code: .host, message: "cannot make a sandbox's pipes: \(error)",
                step: "make-pipes", errno: error.errno)
        }
        let meters: CgroupMeters
        do throws(CgroupError) {
            meters = try cgroup.meters()
            self.meters = meters
        } catch {
            throw Refusal(
                code: .host, message: "cannot limit a sandbox: \(error)", step: error.step)
        }
        do throws(KernelError) {
            counters = try cgroup.counters(beside: meters)
        } catch {
            throw Refusal(
                code: .host, message: "cannot measure a sandbox: \(error)", step: "meters",
                errno: error.errno)
        }
        do throws(CgroupError) {
            // Last: plain numbers, which nobody would close if something failed after them.
            entrances =
                cgroup.canBearProcesses
                ? [try cgroup.birthplace()] : try cgroup.membershipDescriptors()
        } catch {
            throw Refusal(
                code: .host, message: "cannot limit a sandbox: \(error)", step: error.step)
        }
    }

    /// Whether nothing of it has been given away.
    var isUntouched: Bool { !entrances.isEmpty }

    /// Gives the way into the cgroup away; `joined` says that the zygote has gone there before.
    func takeGroups(joined: Bool) -> Groups {
        let taken = entrances
        entrances = []
        if cgroup.canBearProcesses, let directory = taken.first { return .born(in: directory) }
        guard joined else { return .join(taken) }
        for raw in taken { _ = close(raw) }
        return .inherited
    }

    deinit {
        for raw in entrances { _ = close(raw) }
    }
}
