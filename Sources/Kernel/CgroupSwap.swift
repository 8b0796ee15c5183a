/// Memory that is moved to swap, where the kernel has no file to limit it with.
extension Cgroup {
    /// Without the file swap counts as nobody's memory, which is as good only where there is none.
    func refuseUncountedSwap() throws(CgroupError) {
        let meminfo: String
        do throws(KernelError) {
            meminfo = try Files.text("/proc/meminfo")
        } catch {
            throw CgroupError(step: "limit-swap", cause: error.description, hint: Self.swapHint)
        }
        if let refusal = Self.refusal(meminfo: meminfo) { throw refusal }
    }

    /// The pure part: nil where there is no swap.
    static func refusal(meminfo: String) -> CgroupError? {
        guard HostProbe.swapBytes(meminfo: meminfo) > 0 else { return nil }
        return CgroupError(
            step: "limit-swap",
            cause: "there is swap, and this kernel counts it as nobody's memory",
            hint: swapHint)
    }

    static func hasSwap() throws(KernelError) -> Bool {
        try refusal(meminfo: Files.text("/proc/meminfo")) != nil
    }

    private static let swapHint = "swapoff -a, or add swapaccount=1 to the kernel's command line"
}
