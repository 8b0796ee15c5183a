public import JSONRPC

/// `corral/connections/test`: the connection's health now, step by step.
public enum ConnectionsTest: ControlMethod {
    /// The method's name.
    public static let method = "corral/connections/test"
    /// Which connection.
    public typealias Params = NameParams

    /// One thing that was tried.
    public struct Step: ControlValue {
        /// How a step ended.
        public enum Outcome: String, Sendable, Equatable, CaseIterable {
            /// As it should.
            case passed
            /// Not as it should; `detail` says why.
            case failed
            /// Not tried, because a step before it failed or it does not apply.
            case skipped
        }
        /// What was tried: `start`, `handshake`, `list tools`.
        public var name: String
        /// How it ended.
        public var outcome: Outcome
        /// What was found, in one line; text from outside.
        public var detail: String
        /// How long it took, in milliseconds.
        public var milliseconds: Int

        /// Makes a step.
        public init(name: String, outcome: Outcome, detail: String, milliseconds: Int) {
            self.name = name
            self.outcome = outcome
            self.detail = detail
            self.milliseconds = milliseconds
        }

        /// Reads a step.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "step")
            self.init(
                name: try fields.string("name"),
                outcome: try fields.choice("outcome", of: Outcome.self),
                detail: try fields.string("detail"),
                milliseconds: try fields.integer("milliseconds"))
        }

        /// The step as it is sent.
        public var json: JSON {
            [
                "name": .string(name), "outcome": .string(outcome.rawValue),
                "detail": .string(detail), "milliseconds": .integer(milliseconds),
            ]
        }
    }

    /// The steps in the order they were tried.
    public struct Result: ControlValue {
        /// The steps; the connection is well when none failed.
        public var steps: [Step]
        /// Why it is not well; nil when it is.
        public var failure: Failure?

        /// Makes an answer.
        public init(steps: [Step], failure: Failure? = nil) {
            self.steps = steps
            self.failure = failure
        }

        /// Whether no step failed.
        public var passed: Bool { failure == nil && !steps.contains { $0.outcome == .failed } }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "result")
            steps = try fields.values("steps", as: Step.self)
            if let error = json["failure"] { failure = try Failure(json: error) }
        }

        /// The answer as it is sent.
        public var json: JSON {
            var object: JSONObject = [
                "passed": .bool(passed), "steps": .array(steps.map(\.json)),
            ]
            object["failure"] = failure?.json
            return .object(object)
        }
    }
}
