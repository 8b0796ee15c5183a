public import JSONRPC

/// `corral/why`: the story of one decision about the network.
public enum Why: ControlMethod {
    /// The method's name.
    public static let method = "corral/why"

    /// Which decision.
    public struct Params: ControlValue {
        /// Its id, or as much of the beginning as no other of the caller's has.
        public var id: String

        /// Names a decision.
        public init(id: String) {
            self.id = id
        }

        /// Reads `{id}`.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "params")
            try fields.allowOnly(["id"])
            id = try fields.string("id")
        }

        /// The params as they are sent.
        public var json: JSON { ["id": .string(id)] }
    }

    /// The story.
    public struct Result: ControlValue {
        /// The decision.
        public var decision: NetworkDecision
        /// Where `network.allow` of its policy stands at present, `FILE:LINE`; empty when there is
        /// no such policy any more.
        public var allowPlace: String

        /// Makes an answer.
        public init(decision: NetworkDecision, allowPlace: String) {
            self.decision = decision
            self.allowPlace = allowPlace
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            let fields = try Fields(json, in: "result")
            self.init(
                decision: try fields.value("decision", as: NetworkDecision.self),
                allowPlace: try fields.string("allowPlace"))
        }

        /// The answer as it is sent.
        public var json: JSON {
            ["decision": decision.json, "allowPlace": .string(allowPlace)]
        }
    }
}

/// `corral/reload`: reads policies, cards and access rules anew; for root alone.
public enum Reload: ControlMethod {
    /// The method's name.
    public static let method = "corral/reload"
    /// Nothing is asked.
    public typealias Params = Empty

    /// Whether they hold now.
    public struct Result: ControlValue {
        /// Every mistake as `file:line:column: message`; with any, nothing has changed.
        public var mistakes: [String]

        /// Makes an answer.
        public init(mistakes: [String]) {
            self.mistakes = mistakes
        }

        /// Reads an answer.
        public init(json: JSON) throws(ControlError) {
            mistakes = try Fields(json, in: "result").strings("mistakes")
        }

        /// The answer as it is sent.
        public var json: JSON { ["mistakes": .array(mistakes.map(JSON.string))] }
    }
}
