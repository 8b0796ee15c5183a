public import JSONRPC

/// `corral/connections/posture`: what the kernel says of a running server, beside what its policy
/// wants. Starts nothing.
public enum ConnectionsPosture: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/posture"
    /// Which connection.
    public typealias Params = NameParams

    /// One comparison.
    public struct Row: ControlValue {
        /// What it belongs to: `namespaces`, `cgroup`, `mounts`, …
        public var group: String
        /// What it is.
        public var name: String
        /// What the policy wants; empty when it wants nothing.
        public var wanted: String
        /// What the kernel says; text from outside.
        public var found: String
        /// Whether the two agree.
        public var ok: Bool

        /// Makes a row.
        public init(group: String, name: String, wanted: String, found: String, ok: Bool) {
            self.group = group
            self.name = name
            self.wanted = wanted
            self.found = found
            self.ok = ok
        }

        /// Reads a row.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "row")
            self.init(
                group: try fields.string("group"), name: try fields.string("name"),
                wanted: try fields.string("wanted"), found: try fields.string("found"),
                ok: try fields.bool("ok"))
        }

        /// The row as it is sent.
        public var json: JSON {
            [
                "group": .string(group), "name": .string(name), "wanted": .string(wanted),
                "found": .string(found), "ok": .bool(ok),
            ]
        }
    }

    /// All comparisons.
    public struct Result: ControlValue {
        /// The rows, group by group.
        public var rows: [Row]

        /// Makes an answer.
        public init(rows: [Row]) {
            self.rows = rows
        }

        /// Whether nothing differs.
        public var holds: Bool { rows.allSatisfy(\.ok) }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            rows = try Fields(json, in: "result").values("rows", as: Row.self)
        }

        /// The answer as it is sent.
        public var json: JSON { ["holds": .bool(holds), "rows": .array(rows.map(\.json))] }
    }
}
