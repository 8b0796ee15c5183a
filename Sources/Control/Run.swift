public import JSONRPC

/// `corral/run`: runs a command of the caller's own in the sandbox of a policy.
///
/// The answer comes when the command has been started, with three descriptors beside its line
/// (SCM_RIGHTS): where to write the command's standard input, where to read its standard output and
/// its standard error. Its end is told by `RunEnded`; the end of the client's connection ends it.
public enum Run: ControlMethod {
    /// The method's name.
    public static let method = "corral/run"

    /// A host directory that the command is to see, at its own path.
    public struct Mount: ControlValue {
        /// Absolute, in its shortest form.
        public var path: String
        /// Whether it may be written.
        public var writable: Bool

        /// Names a directory.
        public init(path: String, writable: Bool) {
            self.path = path
            self.writable = writable
        }

        /// Reads a directory.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "mount")
            try fields.allowOnly(["path", "writable"])
            self.init(path: try fields.string("path"), writable: try fields.bool("writable"))
        }

        /// The directory as it is sent.
        public var json: JSON { ["path": .string(path), "writable": .bool(writable)] }
    }

    /// A variable of the command's environment.
    public struct Variable: ControlValue {
        /// Its name.
        public var name: String
        /// Its value.
        public var value: String

        /// Pairs a name with a value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }

        /// Reads a variable.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "variable")
            try fields.allowOnly(["name", "value"])
            self.init(name: try fields.string("name"), value: try fields.string("value"))
        }

        /// The variable as it is sent.
        public var json: JSON { ["name": .string(name), "value": .string(value)] }
    }

    /// What to run, and in which sandbox.
    public struct Params: ControlValue {
        /// The policy's name.
        public var policy: String
        /// The command's words.
        public var command: [String]
        /// Host directories that it is to see.
        public var mounts: [Mount]
        /// Variables beside those that every sandbox has.
        public var environment: [Variable]
        /// Destinations that it may connect to, as `network.allow` has them; empty for what the
        /// policy allows.
        public var allow: [String]
        /// Where it starts, when it sees the place; empty for its own home.
        public var directory: String

        /// Makes params.
        public init(
            policy: String, command: [String], mounts: [Mount] = [], environment: [Variable] = [],
            allow: [String] = [], directory: String = ""
        ) {
            self.policy = policy
            self.command = command
            self.mounts = mounts
            self.environment = environment
            self.allow = allow
            self.directory = directory
        }

        /// Reads params.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly([
                "policy", "command", "mounts", "environment", "allow", "directory",
            ])
            policy = try fields.string("policy")
            command = try fields.strings("command")
            mounts = try fields.optionalValues("mounts", as: Mount.self)
            environment = try fields.optionalValues("environment", as: Variable.self)
            allow = try fields.optionalStrings("allow")
            directory = try fields.optionalString("directory") ?? ""
        }

        /// The params as they are sent.
        public var json: JSON {
            [
                "policy": .string(policy), "command": .array(command.map(JSON.string)),
                "mounts": .array(mounts.map(\.json)),
                "environment": .array(environment.map(\.json)),
                "allow": .array(allow.map(JSON.string)), "directory": .string(directory),
            ]
        }
    }

    /// The command runs.
    public struct Result: ControlValue {
        /// Its number, for signals and its end.
        public var run: Int

        /// Makes an answer.
        public init(run: Int) {
            self.run = run
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            run = try Fields(json, in: "result").integer("run")
        }

        /// The answer as it is sent.
        public var json: JSON { ["run": .integer(run)] }
    }
}

/// `corral/run/signal`: passes a signal on to a command of this client.
public enum RunSignal: ControlMethod {
    /// The method's name.
    public static let method = "corral/run/signal"
    /// Nothing is left to tell; a command that has ended meanwhile is no error.
    public typealias Result = Empty

    /// Which command, and what to send it.
    public struct Params: ControlValue {
        /// The command's number.
        public var run: Int
        /// The signal's number: of HUP, INT, QUIT, KILL, USR1, USR2, TERM, CONT, TSTP or WINCH.
        public var signal: Int

        /// Makes params.
        public init(run: Int, signal: Int) {
            self.run = run
            self.signal = signal
        }

        /// Reads params.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly(["run", "signal"])
            run = try fields.integer("run")
            signal = try fields.integer("signal")
        }

        /// The params as they are sent.
        public var json: JSON { ["run": .integer(run), "signal": .integer(signal)] }
    }
}

/// `notifications/corral/run_ended`: a command of this client has ended, and all in its sandbox.
public struct RunEnded: ControlValue {
    /// The notification's name.
    public static let method = "notifications/corral/run_ended"

    /// The command's number.
    public var run: Int
    /// Its exit status, or -1 when a signal ended it.
    public var status: Int
    /// The signal that ended it, or 0.
    public var signal: Int
    /// The limits that its sandbox met: `memory_exceeded (128 MiB)`.
    public var limits: [String]
    /// What the network refused it, a line each, as errors of calls have them.
    public var network: [String]
    /// The processor time it took, in microseconds.
    public var cpuMicroseconds: Int
    /// The most memory it held at once, in bytes.
    public var memoryPeakBytes: Int

    /// Describes an end.
    public init(
        run: Int, status: Int, signal: Int, limits: [String], network: [String] = [],
        cpuMicroseconds: Int = 0, memoryPeakBytes: Int = 0
    ) {
        self.run = run
        self.status = status
        self.signal = signal
        self.limits = limits
        self.network = network
        self.cpuMicroseconds = cpuMicroseconds
        self.memoryPeakBytes = memoryPeakBytes
    }

    /// Reads the notification's params.
    public init(json: JSON) throws(ControlError) {
        let fields = try Fields(json, in: "params")
        self.init(
            run: try fields.integer("run"), status: try fields.integer("status"),
            signal: try fields.integer("signal"), limits: try fields.strings("limits"),
            network: try fields.optionalStrings("network"),
            cpuMicroseconds: try fields.integer("cpuMicroseconds"),
            memoryPeakBytes: try fields.integer("memoryPeakBytes"))
    }

    /// The params as they are sent.
    public var json: JSON {
        [
            "run": .integer(run), "status": .integer(status), "signal": .integer(signal),
            "limits": .array(limits.map(JSON.string)),
            "network": .array(network.map(JSON.string)),
            "cpuMicroseconds": .integer(cpuMicroseconds),
            "memoryPeakBytes": .integer(memoryPeakBytes),
        ]
    }
}
