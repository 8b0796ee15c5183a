import CKernel
import Glibc

/// Two open files of a sandbox's cgroup: its CPU time and its memory peak.
///
/// Whoever has them reads what a call used without asking root. They allow nothing else: the first
/// is open for reading only, the second at most for setting the peak back, which is all that a
/// write to it does, whatever is written.
public final class CgroupMeters: Sendable {
    /// Where CPU time is counted.
    public enum Processor: UInt8, Sendable {
        /// cpuacct.usage of version 1, in nanoseconds.
        case nanoseconds = 1
        /// The first line of cpu.stat of version 2.
        case microseconds = 2
    }

    /// Where the most memory held at once is counted.
    public enum Peak: UInt8, Sendable {
        /// memory.peak before Linux 6.12: since the group was made.
        case fixed = 1
        /// memory.max_usage_in_bytes of version 1: a write sets it back, for all readers.
        case ofGroup = 2
        /// memory.peak since Linux 6.12: a write sets it back for this open file.
        case ofDescriptor = 3
    }

    /// What the kernel counts; nil for what it does not.
    public struct Kinds: Sendable, Equatable {
        /// Where CPU time is counted.
        public var processor: Processor?
        /// Where the memory peak is counted.
        public var peak: Peak?

        /// How many descriptors carry them.
        public var count: Int { (processor == nil ? 0 : 1) + (peak == nil ? 0 : 1) }

        /// Names both.
        public init(processor: Processor?, peak: Peak?) {
            self.processor = processor
            self.peak = peak
        }
    }

    /// What is counted.
    public let kinds: Kinds
    /// The descriptors, to be passed on; CPU time first.
    public let raw: [CInt]

    /// Takes over open descriptors, one for each kind.
    public init(kinds: Kinds, owning raw: [CInt]) {
        precondition(raw.count == kinds.count, "a descriptor for each kind")
        self.kinds = kinds
        self.raw = raw
    }

    deinit {
        for number in raw { _ = close(number) }
    }

    var processor: CInt? { kinds.processor == nil ? nil : raw[0] }
    var peak: CInt? { kinds.peak == nil ? nil : raw[raw.count - 1] }

    /// CPU time of the whole group since it was made; nil where it is not counted, or once the
    /// group is gone.
    public func cpuMicroseconds() -> UInt64? {
        switch kinds.processor {
        case .nanoseconds: Self.counter(processor, "").map { $0 / 1000 }
        case .microseconds: Self.counter(processor, "usage_usec ")
        case nil: nil
        }
    }

    /// The most memory held at once since the last reset, or since the group was made; nil where it
    /// is not counted, or once the group is gone.
    public func memoryPeakBytes() -> UInt64? { Self.counter(peak, "") }

    /// Sets the peak back to what is held now; false where that cannot be done.
    public func resetPeak() -> Bool {
        guard kinds.peak != .fixed, let raw = peak else { return false }
        return corral_reset_counter(raw) == 0
    }

    private static func counter(_ raw: CInt?, _ name: String) -> UInt64? {
        guard let raw else { return nil }
        var value: UInt64 = 0
        // Both pointers live as long as the call.
        return unsafe corral_read_counter(raw, name, &value) == 0 ? value : nil
    }
}

extension Cgroup {
    /// Opens what can be counted of this group.
    public func meters() throws(CgroupError) -> CgroupMeters {
        do throws(KernelError) {
            let isNew = version == .v2
            let processor =
                isNew ? try open("cpu", "cpu.stat") : try open("cpuacct", "cpuacct.usage")
            return try openPeak(processor, isNew)
        } catch {
            throw CgroupError(
                step: "meters", cause: error.description,
                hint: "see 'corral doctor' for what this host offers")
        }
    }

    private func openPeak(
        _ processor: consuming Descriptor?, _ isNew: Bool
    ) throws(KernelError) -> CgroupMeters {
        let unit: CgroupMeters.Processor? =
            processor == nil ? nil : isNew ? .microseconds : .nanoseconds
        let file = isNew ? "memory.peak" : "memory.max_usage_in_bytes"
        // The kernel's own mode of the file says whether a write means anything.
        let mode = try path("memory", file).map { path throws(KernelError) in
            try Files.status(path)?.mode ?? 0
        }
        let canReset = (mode ?? 0) & 0o200 != 0
        let peak = try open("memory", file, canReset ? O_RDWR : O_RDONLY)
        let kind: CgroupMeters.Peak? =
            peak == nil ? nil : !canReset ? .fixed : isNew ? .ofDescriptor : .ofGroup
        var raw: [CInt] = []
        if let processor { raw.append(processor.release()) }
        if let peak { raw.append(peak.release()) }
        return CgroupMeters(kinds: .init(processor: unit, peak: kind), owning: raw)
    }

    /// A file of the group; nil where the kernel does not have it.
    func open(
        _ controller: String, _ file: String, _ flags: CInt = O_RDONLY
    ) throws(KernelError) -> Descriptor? {
        guard let path = path(controller, file) else { return nil }
        do throws(KernelError) {
            return try Descriptor.open(path, flags)
        } catch  where error.errno == ENOENT {
            return nil
        }
    }
}
