public import YAML

/// What `corrald.yaml` says: where things are and whom the programs run as.
public struct Settings: Sendable, Equatable {
    /// State that survives a restart: installed packages, the broker's store.
    public var state: String
    /// What does not: the control socket.
    public var runtime: String
    /// The directory of policies, `access.yaml` and `syscalls/`.
    public var policies: String
    /// The directory of run cards and their locks.
    public var runcards: String
    /// The user the broker runs as.
    public var brokerUser: String
    /// The user the gateway runs as.
    public var egressUser: String
    /// The group that may open the control socket.
    public var controlGroup: String
    /// The uids that sandboxes run as, and nobody else.
    public var sandboxUIDs: SandboxUIDs

    /// A range of uids; the gids are the same numbers.
    public struct SandboxUIDs: Sendable, Equatable {
        /// The first uid.
        public var first: UInt32
        /// How many there are.
        public var count: UInt32

        /// How many servers and commands of a daemon may have, the first of the range, who owns
        /// installed files, included.
        public var forServers: UInt32 { count - 2 - UInt32(alone.count) }

        /// The user of a broker without one of its own: the last.
        public var broker: UInt32 { first + count - 1 }

        /// The user of a gateway without one of its own: the last but one.
        public var egress: UInt32 { broker - 1 }

        /// Those of commands that root runs without a daemon, behind the daemon's.
        public var alone: Range<UInt32> {
            egress - min(max(count / 32, 1), 256)..<egress
        }
    }

    /// The control socket's path.
    public var controlSocket: String { runtime + "/control.sock" }

    /// The settings' usual place.
    public static let standardPath = "/etc/corral/corrald.yaml"

    /// Reads the file at `path`; throws every mistake at once.
    public static func load(_ path: String, _ trust: Trust) throws(Mistakes) -> Settings {
        let bytes: [UInt8]
        do throws(Mistake) {
            try TrustedFile.checkDirectory(directory(of: path), trust)
            bytes = try TrustedFile.read(path, trust)
        } catch {
            throw Mistakes([error])
        }
        return try read(bytes, file: path)
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Reads the bytes of `corrald.yaml`; `file` names it in messages.
    public static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> Settings {
        try schema.read(bytes, file: file).value
    }
}

extension Settings {
    /// The keys of `corrald.yaml`.
    public static var schema: Schema<Settings> {
        Schema(
            start: blank,
            [
                .version,
                Key(
                    "state", .path, .standard("/var/lib/corral"), \.state,
                    "What survives a restart: installed packages and the broker's store."),
                Key(
                    "runtime", .runtimePath, .standard("/run/corral"), \.runtime,
                    "What does not survive: the control socket, `control.sock`."),
                Key(
                    "policies", .path, .standard("/etc/corral/policies"), \.policies,
                    "The directory of policies, `access.yaml` and `syscalls/`."),
                Key(
                    "runcards", .path, .standard("/etc/corral/runcards"), \.runcards,
                    "The directory of run cards and their locks."),
                Key(
                    "broker_user", .account, .standard("corral"), \.brokerUser,
                    "The user the broker runs as."),
                Key(
                    "egress_user", .account, .standard("corral-egress"), \.egressUser,
                    "The user the gateway runs as: the only way out of a sandbox."),
                Key(
                    "control_group", .account, .standard("corral"), \.controlGroup,
                    "The group that may open the control socket."),
                Key(
                    "sandbox_uids", .record(SandboxUIDs.schema), .standard("{}"), \.sandboxUIDs,
                    "User and group numbers for sandboxes; nobody else may use them."),
            ])
    }

    private static var blank: Settings {
        Settings(
            state: "", runtime: "", policies: "", runcards: "", brokerUser: "", egressUser: "",
            controlGroup: "", sandboxUIDs: SandboxUIDs(first: 0, count: 0))
    }
}

extension Settings.SandboxUIDs {
    static var schema: Schema<Self> {
        Schema(
            start: Self(first: 0, count: 0),
            [
                Key(
                    // Below 100000 are people and services; the default is above the range that
                    // systemd's containers take (524288 to 1879048191).
                    "first", Kind<Int>.integer(100_000...4_294_000_000).map(UInt32.init),
                    .standard("2000000000"), \.first, "The first number."),
                Key(
                    "count", Kind<Int>.integer(16...900_000).map(UInt32.init), .standard("65536"),
                    \.count, "How many there are: a little more than sandboxes can run at once."),
            ])
    }
}

extension Kind where Value == String {
    /// A directory whose sockets' paths fit sockaddr_un's 108 bytes.
    fileprivate static var runtimePath: Kind {
        Kind.path.checked { path throws(Wrong) in
            guard path.utf8.count <= 80 else {
                throw Wrong("longer than 80 bytes: the control socket's path would not fit")
            }
        }
    }

    /// The name of a user or group.
    fileprivate static var account: Kind {
        Kind.text(limit: 32).named("account name").checked { name throws(Wrong) in
            let isFit = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_.".utf8.contains(byte)
                }
            }
            guard isFit, !name.isEmpty, name.first != "-" else {
                throw Wrong("write the name of a user or group")
            }
        }
    }
}
