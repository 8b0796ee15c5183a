public import JSONRPC

/// `corral/connections/logs`: the last lines the server wrote to its standard error, or those after
/// a number. When there are none yet, the answer waits for some, at most 20 seconds.
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
        /// The number of the first line wanted, the `next` of an earlier answer; nil for the last.
        public var after: Int?

        /// Makes params.
        public init(name: String, lines: Int = linesStandard, after: Int? = nil) {
            self.name = name
            self.lines = lines
            self.after = after
        }

        /// Reads params; numbers outside their bounds are refused.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly(["name", "lines", "after"])
            name = try fields.string("name")
            lines = try fields.optionalInteger("lines") ?? linesStandard
            guard (1...linesMax).contains(lines) else {
                throw fields.error("lines", "expected 1 to \(linesMax)")
            }
            after = try fields.optionalInteger("after")
            guard (after ?? 0) >= 0 else { throw fields.error("after", "expected 0 or more") }
        }

        /// The params as they are sent.
        public var json: JSON {
            var object: JSONObject = ["name": .string(name), "lines": .integer(lines)]
            object["after"] = after.map(JSON.integer)
            return .object(object)
        }
    }

    /// A piece of the log.
    public struct Result: ControlValue {
        /// The lines, oldest first; text from outside.
        public var lines: [String]
        /// The number of the line after these.
        public var next: Int
        /// Lines between `after` and these that are kept no more.
        public var missed: Int

        /// Makes an answer.
        public init(lines: [String], next: Int, missed: Int = 0) {
            self.lines = lines
            self.next = next
            self.missed = missed
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "result")
            self.init(
                lines: try fields.strings("lines"), next: try fields.integer("next"),
                missed: try fields.integer("missed"))
        }

        /// The answer as it is sent.
        public var json: JSON {
            [
                "lines": .array(lines.map(JSON.string)), "next": .integer(next),
                "missed": .integer(missed),
            ]
        }
    }
}
