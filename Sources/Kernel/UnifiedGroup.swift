import Glibc

/// The group of version 2 that limited groups are made below, and how to come by one.
///
/// A group with members has no limited children (cgroups(7), "no internal processes"): they have to
/// be in a leaf. This process moves there, and only when its group is its alone. Nobody else is
/// moved, and no group above is touched: those belong to systemd, or to whoever made them.
public enum UnifiedGroup {
    /// Where this process stands in its group.
    enum Standing: Equatable {
        /// In the leaf of a group whose children are limited already.
        case leaf(of: String)
        /// At the top of all groups, which may have members and limited children both.
        case top
        /// Its only member.
        case alone
        /// One of several.
        case shared(others: Int)
    }

    /// The leaf that this process moves into.
    static let leaf = "/supervisor"
    /// Set in a program that was started in a scope, so that it asks for no second one.
    private static let mark = "CORRAL_SCOPE"
    private static let scopeProgram = "/usr/bin/systemd-run"
    private static let scopeOptions = [
        "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--setenv=\(mark)=1", "--",
    ]
    private static let hint =
        "use its unit, or a group of its own: systemd-run --scope --property=Delegate=yes corrald"

    /// Starts this program anew in a scope of its own, in the same process, where it shares its
    /// group and systemd can make one; returns where nothing is to be done, or nothing can be.
    public static func moveToScope(arguments: [String]) throws(KernelError) {
        guard Identity.uid == 0, System.environment(mark) == nil,
            try Files.status("/run/systemd/system") != nil, try Files.status(scopeProgram) != nil,
            let host = try unified(), case .shared = try standing(in: host.hierarchies[0].base)
        else { return }
        let words = [scopeProgram] + scopeOptions + [try System.executable()] + arguments
        // The strings live until the call returns, which it does only when it fails.
        _ = try unsafe withCStrings(words) { argv throws(KernelError) in
            try check("execv", scopeProgram) {
                unsafe execv(
                    scopeProgram,
                    UnsafeRawPointer(argv).assumingMemoryBound(
                        to: UnsafeMutablePointer<CChar>?.self))
            }
        }
    }

    /// This host, when version 2 is what limits there.
    private static func unified() throws(KernelError) -> CgroupHost? {
        do throws(CgroupError) {
            let host = try CgroupHost.detect()
            return host.version == .v2 ? host : nil
        } catch {
            // The start itself says what is wrong.
            return nil
        }
    }

    /// The group to make limited ones below, ready for it.
    static func prepare(
        _ hierarchy: CgroupHost.Hierarchy
    ) throws(CgroupError) -> CgroupHost.Hierarchy {
        var own = hierarchy
        let base = own.base
        let standing = try step { () throws(KernelError) in try Self.standing(in: base) }
        switch standing {
        case .leaf(let parent): own.base = parent
        case .top: break
        case .alone: try require(own)
        case .shared(let others):
            throw CgroupError(
                step: "delegate",
                cause: "its cgroup '\(own.base)' has \(others) other processes, and a group with "
                    + "processes has no limited ones below it", hint: hint)
        }
        try step { () throws(KernelError) in
            if standing == .alone {
                try Files.makeDirectory(own.base + leaf, mode: 0o755)
                try Files.write("0", to: own.base + leaf + "/cgroup.procs")
            }
            try enable(own)
        }
        return own
    }

    /// Gives the children of a group its controllers.
    static func enable(_ hierarchy: CgroupHost.Hierarchy) throws(KernelError) {
        let wanted = hierarchy.controllers.intersection(["memory", "pids", "cpu", "io"])
            .intersection(try words(hierarchy.base + "/cgroup.controllers"))
        let line = wanted.sorted().map { "+" + $0 }.joined(separator: " ")
        try Files.write(line, to: hierarchy.base + "/cgroup.subtree_control")
    }

    /// Looks at the files of a group of which this process is a member.
    static func standing(in group: String) throws(KernelError) -> Standing {
        if group.hasSuffix(leaf) {
            let parent = String(group.dropLast(leaf.utf8.count))
            let passedOn = try words(parent + "/cgroup.subtree_control")
            if passedOn.isSuperset(of: CgroupHost.required) { return .leaf(of: parent) }
        }
        // Every group but the top has a type.
        if try Files.status(group + "/cgroup.type") == nil { return .top }
        let members = try Files.text(group + "/cgroup.procs", limit: 1 << 20).split(separator: "\n")
        let others = members.count { $0 != String(getpid()) }
        return others == 0 ? .alone : .shared(others: others)
    }

    private static func require(_ own: CgroupHost.Hierarchy) throws(CgroupError) {
        let given: Set<String> = try step { () throws(KernelError) in
            try words(own.base + "/cgroup.controllers")
        }
        let missing = CgroupHost.required.filter { !given.contains($0) }
        guard missing.isEmpty else {
            throw CgroupError(
                step: "delegate",
                cause: "its cgroup '\(own.base)' was given no \(missing.joined(separator: ", "))",
                hint: hint)
        }
    }

    private static func words(_ path: String) throws(KernelError) -> Set<String> {
        guard try Files.status(path) != nil else { return [] }
        return Set(try Files.text(path).split(whereSeparator: \.isWhitespace).map(String.init))
    }

    private static func step<Result>(
        _ body: () throws(KernelError) -> Result
    ) throws(CgroupError) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            throw CgroupError(step: "delegate", cause: error.description, hint: hint)
        }
    }
}
