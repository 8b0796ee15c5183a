import CLaunch
import Kernel
public import Policy

/// Composes a sandbox's root: what the policy lists, what every program expects, nothing else.
public enum RootTree {
    /// Where a card's packages are, inside.
    public static let prefix = "/opt/card"
    /// The tool's home and working directory, inside.
    public static let home = "/home/tool"

    /// The one user and group there is, inside.
    public static let userID = Int(CORRAL_INNER_ID)

    /// Places that are the sandbox's own: no host directory is mounted on, in or around them.
    static let reserved = [
        "/bin", "/boot", "/dev", "/etc", "/home/tool", "/lib", "/lib32", "/lib64", "/libx32",
        "/opt/card", "/proc", "/run", "/sbin", "/scratch", "/sys", "/usr",
    ]

    /// Merged-/usr links that a host may have.
    private static let systemLinks = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]

    /// The tree for a policy's file system rules.
    ///
    /// - Parameters:
    ///   - prefix: the host directory of the card's packages, mounted read-only; nil for none.
    ///   - mountPoints: absolute paths where trees will be mounted at the start of a sandbox.
    /// - Throws: when a listed path is there but cannot be looked at. A listed path that is not
    ///   there is left out: that is less than the policy grants, never more.
    public static func compose(
        _ rules: Policy.Filesystem, prefix: String?, mountPoints: [String] = []
    ) throws(SandboxError) -> TreePlan {
        var plan = TreePlan(
            directories: ["/proc", "/tmp", home, "/scratch", "/etc", Self.prefix],
            links: [], files: files, mounts: [])
        do throws(KernelError) {
            for name in systemLinks {
                if let target = try Files.linkTarget("/" + name) {
                    plan.links.append(.init(path: "/" + name, content: target))
                }
            }
            for (paths, writable) in [(rules.read, false), (rules.write, true)] {
                for path in paths {
                    guard let isFile = try kind(of: path) else { continue }
                    plan.mounts.append(
                        .init(source: path, target: path, writable: writable, isFile: isFile))
                }
            }
        } catch {
            throw SandboxError(step: "compose-tree", error)
        }
        if let prefix {
            plan.mounts.append(
                .init(source: prefix, target: Self.prefix, writable: false, isFile: false))
        }
        // The scratch is not there yet when the tree is made; what lies in it is made at the start.
        plan.directories += mountPoints.filter { !contains("/tmp", $0) }
        return plan
    }

    /// Whether a host directory may appear at its own path: nil, or the reserved place it touches.
    public static func conflict(of path: String) -> String? {
        if path == "/" || path == "/tmp" || path == "/home" { return path }
        return reserved.first { contains($0, path) || contains(path, $0) }
    }

    /// Whether `path` is `directory` or lies in it, by whole components.
    public static func contains(_ directory: String, _ path: String) -> Bool {
        path == directory || path.hasPrefix(directory + "/")
    }

    /// Whether a path, its links followed, is a file; nil when it is not there.
    private static func kind(of path: String) throws(KernelError) -> Bool? {
        do throws(KernelError) {
            return try !Descriptor.openPath(path).status(of: path).isDirectory
        } catch  where error.isMissing {
            return nil
        }
    }

    /// Names for the one user there is; everything else that looks them up gets an answer.
    private static var files: [TreePlan.Entry] {
        let id = CORRAL_INNER_ID
        return [
            .init(
                path: "/etc/passwd",
                content: """
                    root:x:0:0:root:/root:/usr/sbin/nologin
                    tool:x:\(id):\(id):tool:\(home):/bin/sh
                    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin

                    """),
            .init(path: "/etc/group", content: "root:x:0:\ntool:x:\(id):\nnogroup:x:65534:\n"),
            .init(path: "/etc/hosts", content: "127.0.0.1 localhost\n::1 localhost\n"),
            .init(
                path: "/etc/nsswitch.conf",
                content: "passwd: files\ngroup: files\nhosts: files dns\n"),
        ]
    }
}
