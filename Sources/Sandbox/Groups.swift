import Glibc

/// How a sandbox gets into its cgroups; the descriptors are closed once they have been used.
public enum Groups: Sendable {
    /// It joins them first of all, by their open `cgroup.procs`.
    case join([CInt])
    /// It is born in one of version 2, by an open directory.
    case born(in: CInt)
    /// Its zygote is there already, and it inherits them.
    case inherited

    /// In none: for tests of everything else.
    public static let none = Groups.join([])

    var raw: [CInt] {
        switch self {
        case .join(let groups): groups
        case .born(let directory): [directory]
        case .inherited: []
        }
    }

    var means: LaunchPlan.Means {
        switch self {
        case .join: []
        case .born: .born
        case .inherited: .joined
        }
    }

    func close() {
        for descriptor in raw { _ = Glibc.close(descriptor) }
    }
}
