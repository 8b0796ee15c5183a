internal import JSONRPC

extension ClientCall {
    /// Reads a request that a server answers.
    static func read(
        _ kind: Kind, _ message: Envelope, _ bytes: [UInt8], _ id: RequestID, _ era: Era
    ) -> ClientRequest {
        var call = ClientCall(
            kind: kind, id: id, era: era, name: "", progressToken: nil, source: bytes,
            arguments: nil, meta: [], hasReturns: message.hasReturns)
        if let range = message.meta?[.progressToken], !Value.isNull(bytes, range) {
            guard let token = RequestID(message: bytes, range) else {
                return .invalidParams(id, "the progressToken must be a string or an integer")
            }
            call.progressToken = token
        }
        if let range = message.meta?[.metaLogLevel], era == .modern {
            guard let level = Value.string(bytes, range).flatMap(LogLevel.init) else {
                return .invalidParams(id, "the logLevel is none that there is")
            }
            call.logLevel = level
        }
        if era == .modern {
            if let cause = call.readRound(message, bytes) { return .invalidParams(id, cause) }
        }
        call.meta = message.meta.map { $0.list.filter { $0.key == nil } } ?? []
        let cause =
            kind == .completion
            ? call.readCompletion(message, bytes) : call.readTarget(message, bytes)
        if let cause { return .invalidParams(id, cause) }
        return .call(call)
    }

    /// Reads what the client can be asked for, and what it was asked before.
    private mutating func readRound(_ message: Envelope, _ bytes: [UInt8]) -> String? {
        // Most clients declare nothing, which is written in two bytes.
        if let range = message.meta?[.metaClientCapabilities], range.count > 2 {
            asks = ClientCapabilities(Value.tree(bytes, range)).asks
        }
        guard kind != .completion else { return nil }
        if let range = message.params?[.inputResponses], !Value.isNull(bytes, range) {
            guard bytes[range.lowerBound] == UInt8(ascii: "{") else {
                return "the inputResponses must be an object"
            }
            inputs = bytes[range].map { $0 == 0x0D ? 0x20 : $0 }
        }
        if let range = message.params?[.requestState], !Value.isNull(bytes, range) {
            guard let text = Value.string(bytes, range) else {
                return "the requestState must be a string"
            }
            state = text
        }
        return nil
    }

    /// Reads a name or URI and the arguments; the cause when they cannot be used.
    private mutating func readTarget(_ message: Envelope, _ bytes: [UInt8]) -> String? {
        let key = kind == .resource ? Key.uri : .name
        guard let name = message.params?[key].flatMap({ Value.string(bytes, $0) }) else {
            return "\(kind.method) lacks \(key.spelling), a string"
        }
        self.name = name
        guard kind != .resource, let range = message.params?[.arguments],
            !Value.isNull(bytes, range)
        else { return nil }
        guard bytes[range.lowerBound] == UInt8(ascii: "{") else {
            return "the arguments must be an object"
        }
        arguments = range
        return nil
    }

    /// Reads what is to be completed; the cause when it cannot be used.
    private mutating func readCompletion(_ message: Envelope, _ bytes: [UInt8]) -> String? {
        guard let range = message.params?[.ref], let ref = Value.tree(bytes, range),
            let type = ref["type"]?.stringValue, let reference = Reference(rawValue: type),
            let name = ref[reference == .prompt ? "name" : "uri"]?.stringValue
        else { return "\(kind.method) lacks ref, a reference to a prompt or a resource" }
        self.reference = reference
        self.name = name
        guard let argument = message.params?[.argument],
            bytes[argument.lowerBound] == UInt8(ascii: "{")
        else { return "\(kind.method) lacks argument, an object" }
        arguments = argument
        if let range = message.params?[.context], !Value.isNull(bytes, range) {
            guard bytes[range.lowerBound] == UInt8(ascii: "{") else {
                return "the context must be an object"
            }
            context = range
        }
        return nil
    }
}
