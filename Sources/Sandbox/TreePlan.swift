import CLaunch

/// What a sandbox's root is made of; the same for every sandbox of one policy and card.
public struct TreePlan: Sendable, Hashable {
    /// A host file or directory that appears in the tree.
    public struct Mount: Sendable, Hashable {
        /// Absolute, on the host.
        public var source: String
        /// Absolute, in the sandbox.
        public var target: String
        /// Whether it may be written.
        public var writable: Bool
        /// Whether it is a file; else a directory.
        public var isFile: Bool

        /// Describes one mount.
        public init(source: String, target: String, writable: Bool, isFile: Bool) {
            self.source = source
            self.target = target
            self.writable = writable
            self.isFile = isFile
        }
    }

    /// A link or a small file of the tree's own.
    public struct Entry: Sendable, Hashable {
        /// Absolute, in the sandbox.
        public var path: String
        /// The link's target, or the file's text.
        public var content: String
    }

    /// Directories that exist even when nothing is mounted there.
    public var directories: [String]
    /// Symbolic links, such as /bin → usr/bin.
    public var links: [Entry]
    /// Files of the tree's own, such as /etc/passwd.
    public var files: [Entry]
    /// What of the host is seen.
    public var mounts: [Mount]

    /// Paths in a plan are relative to the tree's root.
    private static func relative(_ path: String) -> String { String(path.drop { $0 == "/" }) }

    /// The datagram that makes corral-launch build the tree on the empty host directory `root`
    /// and keep `filter` for every sandbox; nil when it is beyond the launcher's limits.
    func datagram(root: String, filter: SystemCallFilter) -> [UInt8]? {
        let texts =
            [root] + directories + links.flatMap { [$0.path, $0.content] }
            + files.flatMap { [$0.path, $0.content] } + mounts.flatMap { [$0.source, $0.target] }
        return PlanWriter.datagram(texts) { out in
            out.put(UInt64(CORRAL_PLAN_TEMPLATE))
            out.put(root)
            out.put(directories.map(Self.relative))
            for entries in [links, files] {
                out.put(entries.count)
                for entry in entries {
                    out.put(Self.relative(entry.path))
                    out.put(entry.content)
                }
            }
            out.put(mounts.count)
            for mount in mounts {
                out.put(mount.source)
                out.put(mount.target)
                out.put((mount.writable ? 1 : 0) | (mount.isFile ? 2 : 0))
            }
            for part in [filter.ahead, filter.rest] {
                out.put(part.count)
                for instruction in part { out.put(instruction) }
            }
        }
    }
}
