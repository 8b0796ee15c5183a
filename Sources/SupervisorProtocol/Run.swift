extension Request {
    /// One command to run, in the sandbox of a policy.
    public struct Run: Sendable, Equatable {
        /// The broker's number for this request.
        public var id: UInt64
        /// The user it runs for; decides which host paths may be mounted.
        public var user: UInt32
        /// The policy's name.
        public var policy: String
        /// Where the user stands on the host: the command starts there when it sees the place.
        public var directory: String
        /// Host directories that the command is to see, at their own paths.
        public var mounts: [Mount]
        /// Destinations that it may connect to, as `network.allow` has them; empty for what its
        /// policy allows.
        public var allow: [String]
        /// The command's words.
        public var command: [String]
        /// Variables beside those that every sandbox has.
        public var environment: [Field]

        /// Describes one command to run.
        public init(
            id: UInt64, user: UInt32, policy: String, directory: String, mounts: [Mount],
            allow: [String] = [], command: [String], environment: [Field]
        ) {
            self.id = id
            self.user = user
            self.policy = policy
            self.directory = directory
            self.mounts = mounts
            self.allow = allow
            self.command = command
            self.environment = environment
        }
    }

    /// A host directory that appears in a sandbox at its own path.
    public struct Mount: Sendable, Equatable {
        /// Absolute, in its shortest form.
        public var path: String
        /// Whether it may be written.
        public var writable: Bool

        /// Names a directory.
        public init(path: String, writable: Bool) {
            self.path = path
            self.writable = writable
        }
    }

    /// Whether the other half will take it: no string, list or message is over its limit, and no
    /// text holds a NUL. What a person typed has to be asked, or the conversation would end.
    public var isSendable: Bool {
        guard let datagram = encoded() else { return false }
        do throws(DecodingError) {
            return try Request(decoding: datagram) == self
        } catch {
            return false
        }
    }
}

extension Request.Run {
    func write(to out: inout ByteWriter) {
        out.put(id)
        out.put(user)
        out.put(policy)
        out.put(directory)
        out.put(mounts) { out, mount in
            out.put(mount.path)
            out.put(mount.writable)
        }
        out.put(allow) { out, entry in out.put(entry) }
        out.put(command) { out, word in out.put(word) }
        out.put(environment) { out, field in
            out.put(field.name)
            out.put(field.value)
        }
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        id = try input.number()
        user = try input.number()
        policy = try input.string()
        directory = try input.string()
        mounts = try input.list { input throws(DecodingError) in
            Request.Mount(path: try input.string(), writable: try input.bool())
        }
        allow = try input.list { input throws(DecodingError) in try input.string() }
        command = try input.list { input throws(DecodingError) in try input.string() }
        environment = try input.list { input throws(DecodingError) in
            Request.Field(name: try input.string(), value: try input.string())
        }
    }
}

extension Ending {
    /// The limits that the sandbox met, as people read them: `memory_exceeded (128 MiB)`.
    public var limits: [String] {
        var limits: [String] = []
        if usage.memoryKills > 0 {
            limits.append("memory_exceeded (\(usage.memoryLimitBytes >> 20) MiB)")
        }
        if usage.processRefusals > 0 { limits.append("pids_exceeded (\(usage.processLimit))") }
        if signal == Self.cpuTime || cause == .cpuTime {
            limits.append("cpu_exceeded (limits.cpu_time)")
        }
        if signal == Self.fileSize { limits.append("file_size_exceeded (limits.file_size)") }
        if cause == .life { limits.append("life_exceeded (limits.life)") }
        return limits
    }

    /// SIGXCPU: RLIMIT_CPU was reached.
    private static var cpuTime: Int32 { 24 }
    /// SIGXFSZ: RLIMIT_FSIZE was reached.
    private static var fileSize: Int32 { 25 }
}
