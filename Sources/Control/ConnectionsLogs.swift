public import JSONRPC

/// `corral/connections/logs`: the last lines the server wrote to its standard error.
public enum ConnectionsLogs: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/logs"
    /// Lines answered when `lines` is absent.
    public static let linesStandard = 100
    /// Most lines that may be asked for.
    public static let linesMax = 10_000

    /// Which connection, and how much of its log.
    public struct Params: ControlValue {
        /// The connection's name.
        public var name: String
        /// How many lines at most, 1 to `linesMax`.
        public var lines: Int

        /// Makes params.
        public init(name: String, lines: Int = linesStandard) {
            self.name = name
            self.lines = lines
        }

        /// Reads params; `lines` outside its bounds is refused.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly(["name", "lines"])
            name = try fields.string("name")
            lines = try fields.optionalInteger("lines") ?? linesStandard
            guard (1...linesMax).contains(lines) else {
                throw fields.error("lines", "expected 1 to \(linesMax)")
            }
        }

        /// The params as they are sent.
        public var json: JSON { ["name": .string(name), "lines": .integer(lines)] }
    }

    /// A piece of the log.
    public struct Result: ControlValue {
        /// The lines, oldest first; text from outside.
        public var lines: [String]

        /// Makes an answer.
        public init(lines: [String]) {
            self.lines = lines
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            lines = try Fields(json, in: "result").strings("lines")
        }

        /// The answer as it is sent.
        public var json: JSON { ["lines": .array(lines.map(JSON.string))] }
    }
}
