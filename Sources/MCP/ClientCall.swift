public import JSONRPC

/// One request of a client that a server answers: what is decided on, and where the rest lies.
public struct ClientCall: Sendable {
    /// What is asked of the server.
    public enum Kind: String, Sendable, Equatable {
        /// A tool is called.
        case tool = "tools/call"
        /// A prompt is filled in.
        case prompt = "prompts/get"
        /// A resource is read.
        case resource = "resources/read"
        /// An argument of a prompt or a resource template is completed.
        case completion = "completion/complete"

        /// The method, the same in both eras.
        public var method: String { rawValue }

        /// The member that every result has.
        var content: Key {
            switch self {
            case .tool: .content
            case .prompt: .messages
            case .resource: .contents
            case .completion: .completion
            }
        }
    }

    /// What a completion is for.
    public enum Reference: String, Sendable, Equatable {
        /// An argument of a prompt.
        case prompt = "ref/prompt"
        /// A variable of a resource template.
        case resource = "ref/resource"
    }

    /// What is asked.
    public var kind = Kind.tool
    /// The client's id for it.
    public var id: RequestID
    /// The era it was asked in, and must be answered in.
    public var era: Era
    /// The name, or the URI, as the client wrote it.
    public var name: String
    /// What a completion is for; nil for every other kind.
    public var reference: Reference?
    /// What the client wants progress reported under.
    public var progressToken: RequestID?
    /// From which level on the client wants to see what the server logs meanwhile; modern era only.
    public var logLevel: LogLevel?
    /// What the client says that it can be asked for meanwhile.
    public var asks: Set<Ask.Kind> = []
    /// What an earlier answer said must come with this call; modern era only.
    public var state: String?
    /// What an earlier answer asked for, an object by its keys; modern era only.
    var inputs: [UInt8]?
    /// The bytes that the ranges below lie in.
    var source: [UInt8]
    /// The arguments, an object; the argument of a completion. Nil when it has none.
    var arguments: Range<Int>?
    /// The context of a completion, an object.
    var context: Range<Int>?
    /// Members of `_meta` that are nobody's but the client's and the server's.
    var meta: [Members.Member]
    /// Whether carriage returns in these ranges have to be replaced.
    var hasReturns: Bool

    /// A copy that holds its own bytes only, to be kept until a server has started.
    public func detached() -> ClientCall {
        var copy = self
        var bytes: [UInt8] = []
        func move(_ range: Range<Int>) -> Range<Int> {
            let start = bytes.count
            bytes.append(contentsOf: source[range])
            return start..<bytes.count
        }
        copy.arguments = arguments.map(move)
        copy.context = context.map(move)
        copy.meta = meta.map { $0.moved(name: move($0.name), value: move($0.value)) }
        copy.source = bytes
        return copy
    }

    /// How many bytes it keeps while it waits.
    public var waitingBytes: Int {
        (arguments?.count ?? 0) + (context?.count ?? 0) + (inputs?.count ?? 0)
            + (state?.utf8.count ?? 0)
            + meta.reduce(0) { $0 + $1.name.count + $1.value.count }
    }
}

extension ClientCall {
    /// Writes the members that a server is asked by, under its own name or URI for what is meant.
    func writeTarget(_ own: String, into out: inout LineWriter) {
        switch kind {
        case .tool, .prompt:
            out.text("\"name\":")
            out.string(own)
            write("arguments", arguments, into: &out)
        case .resource:
            out.text("\"uri\":")
            out.string(own)
        case .completion:
            let isPrompt = reference == .prompt
            out.text("\"ref\":{\"type\":\"\(reference?.rawValue ?? "")\",")
            out.text(isPrompt ? "\"name\":" : "\"uri\":")
            out.string(own)
            out.text("}")
            write("argument", arguments, into: &out)
            write("context", context, into: &out)
        }
    }

    /// Writes what an earlier answer asked for.
    func writeRound(into out: inout LineWriter) {
        if let inputs {
            out.text(",\"inputResponses\":")
            out.lines(inputs)
        }
        if let state {
            out.text(",\"requestState\":")
            out.string(state)
        }
    }

    /// What the client answers under a key; nil when it does not.
    public func input(_ key: String) -> [UInt8]? {
        guard let inputs, let range = Parts.member(key, inputs, 0..<inputs.count),
            inputs[range.lowerBound] == UInt8(ascii: "{")
        else { return nil }
        return Array(inputs[range])
    }

    /// The same call with answers to what the server asked for, each an object.
    public func answering(
        _ answers: [(key: String, bytes: [UInt8])], state: String?
    ) -> ClientCall {
        var call = self
        call.state = state
        var out = LineWriter()
        out.text("{")
        for (index, answer) in answers.enumerated() {
            if index > 0 { out.text(",") }
            out.string(answer.key)
            out.text(":")
            out.splice(answer.bytes, 0..<answer.bytes.count, hasReturns: true)
        }
        out.text("}")
        call.inputs = answers.isEmpty ? nil : out.bytes
        return call
    }

    private func write(_ name: String, _ range: Range<Int>?, into out: inout LineWriter) {
        guard let range else { return }
        out.text(",\"\(name)\":")
        out.splice(source, range, hasReturns: hasReturns)
    }
}
