/// Who is in a sandbox's group.
extension Cgroup {
    /// The processes that are in it, hierarchy by hierarchy.
    public func members() throws(KernelError) -> [Set<Int32>] {
        try places.map { place throws(KernelError) in
            let text = try Files.text(place.path + "/cgroup.procs", limit: 1 << 20)
            return Set(text.split(separator: "\n").compactMap { Int32($0) })
        }
    }
}
