public import YAML

extension Policy {
    /// Reads a policy file's bytes; `file` names it in messages.
    ///
    /// Throws every mistake at once.
    public static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> Policy {
        let document = try schema.read(bytes, file: file)
        var policy = document.value
        policy.file = file
        policy.places = document.places
        return policy
    }

    /// The keys of a policy file.
    public static var schema: Schema<Policy> {
        Schema(
            start: .blank,
            [
                .version,
                Key(
                    "name", .name(), .required, \.name,
                    "The name that run cards refer to it by."),
                Key(
                    "limits", .record(Limits.schema), .standard("{}"), \.limits,
                    "What one sandbox may use."),
                Key(
                    "filesystem", .record(Filesystem.schema), .standard("{}"), \.filesystem,
                    "Host trees that a tool can see."),
                Key(
                    "network", .record(Network.schema), .standard("{}"), \.network,
                    "Where a tool may connect to."),
                Key(
                    "syscalls", .name(), .standard("default"), \.syscalls,
                    "The system call profile, by the name it has in `syscalls/`."
                ),
                Key(
                    "landlock", .choice, .standard("enforce"), \.landlock,
                    "The second wall behind the mounts; `off` only for a kernel without Landlock."
                ),
                Key(
                    "time_namespace", .choice, .standard("enforce"), \.timeNamespace,
                    "Clocks of the tool's own; `off` only for a host without CAP_SYS_TIME."),
                Key(
                    "warm", .integer(0...8), .standard("1"), \.warm,
                    "Sandboxes of each kind that wait, confined; none for mounted directories."
                ),
                Key(
                    "install", .record(installSchema), .standard("{}"), \.install,
                    "The phase that installs a card's packages, in a sandbox of its own."),
            ])
    }
}

extension Policy.Limits {
    static var schema: Schema<Policy.Limits> {
        Schema(
            start: .blank,
            [
                Key(
                    "memory", .bounded(.size(16 << 20...1 << 40)),
                    .standard("{default: 128MiB, max: 512MiB}"), \.memory,
                    "Memory of the whole sandbox, without swap; beyond it the kernel kills."
                ),
                Key(
                    "cpu", .cores(10...1_024_000), .standard("1.0"), \.cpuMillicores,
                    "Cores that the sandbox may keep busy."),
                Key(
                    "cpu_time", .duration(.seconds(1)...days(365), step: .seconds(1)),
                    .standard("10m"), \.cpuTime,
                    "CPU time that all processes together may use in the sandbox's life."),
                Key(
                    "processes", .integer(2...65_536), .standard("128"), \.processes,
                    "Processes and threads in the sandbox; node needs 7 before it does anything."),
                Key(
                    "open_files", .integer(16...1_048_576), .standard("256"), \.openFiles,
                    "Descriptors that each process may have open."),
                Key(
                    optional: "io", .record(Policy.IO.schema), \.io,
                    "How fast disks may be read and written; needs a controller of the kernel's."),
                Key(
                    "file_size", .size(4 << 10...1 << 40), .standard("64MiB"), \.fileSize,
                    "The largest file a tool may write."),
                Key(
                    optional: "address_space", .size(64 << 20...1 << 46), \.addressSpace,
                    "Addresses that each process may have; breaks runtimes that reserve many."),
                Key(
                    "scratch", .size(1 << 20...1 << 36), .standard("64MiB"), \.scratch,
                    "The private `/tmp`, home and `/dev/shm` together; their content is memory."
                ),
                Key(
                    "call_timeout", .bounded(.duration(.milliseconds(100)...days(1))),
                    .standard("{default: 30s, max: 10m}"), \.callTimeout,
                    "How long one tool call may take."),
                Key(
                    "start_timeout", .duration(.seconds(1)...minutes(10)), .standard("60s"),
                    \.startTimeout, "How long a server may take until its first answer."),
                Key(
                    "idle_timeout", .duration(.seconds(1)...days(30)), .standard("5m"),
                    \.idleTimeout,
                    "A server unused for so long is stopped; the next call starts it again."),
                Key(
                    optional: "life", .duration(.seconds(1)...days(365), step: .seconds(1)),
                    \.life,
                    "A server that has run for so long is ended, in a call or between two."),
                Key(
                    // An answer and its envelope must fit the control socket's 10 MiB line.
                    "response", .size(1 << 10...9 << 20), .standard("8MiB"), \.response,
                    "The largest answer to one call."),
            ])
    }
}

extension Policy.IO {
    /// The keys of `limits.io`, in policies and run cards.
    public static var schema: Schema<Policy.IO> {
        // Slower than these, what waits for a disk holds up its own end for too long.
        let bytes = Kind.size(1 << 20...1 << 40)
        let requests = Kind.integer(10...1_000_000)
        return Schema(
            start: Policy.IO(),
            [
                Key(
                    optional: "read", bytes, \.read,
                    "Bytes that a sandbox may read from each disk in a second."),
                Key(
                    optional: "write", bytes, \.write,
                    "Bytes that a sandbox may write to each disk in a second."),
                Key(
                    optional: "reads", requests, \.reads,
                    "Times that a sandbox may read from each disk in a second."),
                Key(
                    optional: "writes", requests, \.writes,
                    "Times that a sandbox may write to each disk in a second."),
            ],
            check: { record, node, reader in
                guard record == Policy.IO() else { return }
                reader.report(node.place, "needs one of read, write, reads and writes")
            })
    }
}

extension Policy.Filesystem {
    static var schema: Schema<Policy.Filesystem> {
        Schema(
            start: .init(read: [], write: []),
            [
                Key(
                    "read", .list(of: .hostTree),
                    .standard(
                        "[/usr, /etc/alternatives, /etc/ld.so.cache, /etc/ssl, /etc/resolv.conf]"),
                    \.read,
                    "Host files and trees mounted read-only, beside the card's packages."),
                Key(
                    "write", .list(of: .hostTree), .standard("[]"), \.write,
                    "Host trees mounted writable, for every user of the policy."),
            ],
            check: { record, node, reader in
                for (index, path) in record.write.enumerated() where record.read.contains(path) {
                    let place = node["write"]?.items[index].place ?? node.place
                    reader.report(place, "'\(path)' is in 'read' as well; it can only be in one")
                }
            })
    }
}

extension Policy {
    private static var installSchema: Schema<Install> {
        Schema(
            start: Install(
                registries: .init(pypi: ""), network: .init(), memory: 0, timeout: .zero),
            [
                Key(
                    "registries", .record(Registries.schema), .standard("{}"), \.registries,
                    "Package registries that packages are looked up at."),
                Key(
                    "network", .record(Network.installSchema), .standard("{}"), \.network,
                    "Where an installation may connect to."),
                Key(
                    "memory", .size(64 << 20...1 << 40), .standard("512MiB"), \.memory,
                    "Memory of the install sandbox."),
                Key(
                    "timeout", .duration(.seconds(1)...minutes(120)), .standard("5m"), \.timeout,
                    "How long an installation may take."),
            ])
    }

    /// What `install:` says, before it is spread over `limits` and `registries`.
    struct Install: Sendable {
        var registries: Registries
        var network: Network
        var memory: Int
        var timeout: Duration
    }

    fileprivate var install: Install {
        get {
            Install(
                registries: registries, network: installNetwork, memory: limits.installMemory,
                timeout: limits.installTimeout)
        }
        set {
            registries = newValue.registries
            installNetwork = newValue.network
            limits.installMemory = newValue.memory
            limits.installTimeout = newValue.timeout
        }
    }

    /// What the reader fills: every field is a key with a default or a required one.
    fileprivate static var blank: Policy {
        Policy(
            name: "", limits: .blank, filesystem: .init(read: [], write: []),
            network: .init(), syscalls: "", landlock: .enforce,
            timeNamespace: .enforce, warm: 0, registries: .init(pypi: ""), installNetwork: .init(),
            file: "", places: [:])
    }
}

extension Policy.Registries {
    static var schema: Schema<Policy.Registries> {
        Schema(
            start: .init(pypi: ""),
            [
                Key(
                    "pypi", .indexURL, .standard("https://pypi.org/simple"), \.pypi,
                    "The index that pip installs from.")
            ])
    }
}

extension Policy.Limits {
    fileprivate static var blank: Self {
        Self(
            memory: .init(standard: 0, max: 0), cpuMillicores: 0, cpuTime: .zero, processes: 0,
            openFiles: 0, io: nil, fileSize: 0, scratch: 0,
            callTimeout: .init(standard: .zero, max: .zero), startTimeout: .zero,
            addressSpace: nil, life: nil, idleTimeout: .zero, response: 0, installMemory: 0,
            installTimeout: .zero)
    }
}

private func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
private func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
