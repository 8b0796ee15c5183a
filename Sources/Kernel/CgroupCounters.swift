import CKernel
import Glibc

/// Open files of a sandbox's cgroup in which the kernel counts what it uses and meets: opened while
/// nobody waits, and read when it ends, for which somebody does.
public final class CgroupCounters: Sendable {
    private let meters: CgroupMeters
    /// Of its own where a reset of the meters' holds for their descriptor alone.
    private let peak: Descriptor?
    private let kills: Descriptor?
    private let refusals: Descriptor?

    init(
        meters: CgroupMeters, peak: consuming Descriptor?, kills: consuming Descriptor?,
        refusals: consuming Descriptor?
    ) {
        self.meters = meters
        self.peak = consume peak
        self.kills = consume kills
        self.refusals = consume refusals
    }

    /// Reads what the group has used; figures that the kernel does not keep stay 0.
    public func usage() throws(KernelError) -> Cgroup.Usage {
        var usage = Cgroup.Usage()
        usage.cpuMicroseconds = try cpuMicroseconds()
        let raw =
            switch peak {
            case .some(let own): own.raw
            case .none: meters.peak
            }
        usage.memoryPeakBytes = try Self.read(raw, "")
        usage.memoryKills = try Self.read(kills, "oom_kill ")
        usage.processRefusals = try Self.read(refusals, "max ")
        return usage
    }

    /// CPU time of all its processes together.
    public func cpuMicroseconds() throws(KernelError) -> UInt64 {
        switch meters.kinds.processor {
        case .nanoseconds: try Self.read(meters.processor, "") / 1000
        case .microseconds: try Self.read(meters.processor, "usage_usec ")
        case nil: 0
        }
    }

    private static func read(
        _ file: borrowing Descriptor?, _ name: String
    ) throws(KernelError) -> UInt64 {
        switch file {
        case .some(let file): try read(file.raw, name)
        case .none: 0
        }
    }

    private static func read(_ raw: CInt?, _ name: String) throws(KernelError) -> UInt64 {
        guard let raw else { return 0 }
        var value: UInt64 = 0
        do throws(KernelError) {
            // Both pointers live as long as the call.
            _ = try check("pread", name) { unsafe corral_read_counter(raw, name, &value) }
        } catch  where error.errno == EPROTO {
            // This kernel does not count it.
            return 0
        }
        return value
    }
}

extension Cgroup {
    /// Opens what is counted of this group, beside its meters.
    public func counters(beside meters: CgroupMeters) throws(KernelError) -> CgroupCounters {
        let isNew = version == .v2
        let peak = meters.kinds.peak == .ofDescriptor ? try open("memory", "memory.peak") : nil
        let kills = try open("memory", isNew ? "memory.events" : "memory.oom_control")
        return CgroupCounters(
            meters: meters, peak: peak, kills: kills,
            refusals: try open("pids", "pids.events"))
    }
}
