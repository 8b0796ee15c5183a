/// One message, parsed strictly and completely: what is decided on, with everything else as ranges
/// of the bytes it came in, to be spliced untouched.
public struct Envelope: Sendable {
    /// What a message is by the members it has.
    public enum Kind: Sendable, Equatable {
        /// It has a method and an id.
        case request
        /// It has a method and no id.
        case notification
        /// It has a result or an error.
        case response
    }

    /// What it is.
    public fileprivate(set) var kind = Kind.notification
    /// Its id; nil in notifications and in errors that answer nothing in particular.
    public fileprivate(set) var id: RequestID?
    /// Its method; empty in a response.
    public fileprivate(set) var method = ""
    /// The members of `params`; nil when it has none.
    public fileprivate(set) var params: Members?
    /// The members of `params._meta`; nil when it has none.
    public fileprivate(set) var meta: Members?
    /// Where the result lies.
    public fileprivate(set) var result: Range<Int>?
    /// The members of a result that is an object.
    public fileprivate(set) var resultMembers: Members?
    /// The members of the error.
    public fileprivate(set) var error: Members?
    /// Where the line lies that it is.
    public fileprivate(set) var line = 0..<0
    /// Whether a carriage return stands in its whitespace, and so in ranges of it.
    public fileprivate(set) var hasReturns = false
    /// Whether any object in it has a member `uri`, so that a search for them is worth its time.
    public fileprivate(set) var namesURIs = false
}

/// Why a line is not a message, in the terms of JSON-RPC.
public struct EnvelopeError: Error, Sendable, Equatable {
    /// -32700, -32600 or -32602.
    public var code: Int
    /// The id of the request it came with, when that could be read.
    public var id: RequestID?
    /// The sentence for people.
    public var message: String
}

extension Envelope {
    /// Reads the message that a line is.
    ///
    /// Refused are: what is no JSON, batches, a name twice or differing only by case from a known
    /// one in the envelope, its params and their `_meta`, ids that servers would corrupt.
    public static func parse(
        _ bytes: [UInt8], in line: Range<Int>
    ) throws(EnvelopeError) -> Envelope {
        var reader = EnvelopeReader(bytes: bytes)
        do throws(JSONError) {
            try reader.read(bytes.span.extracting(first: line.upperBound), from: line.lowerBound)
        } catch {
            throw EnvelopeError(
                code: -32700, id: nil,
                message: "cannot read the message: \(error.reason.rawValue) at byte "
                    + "\(error.offset - line.lowerBound) (one JSON object a line)")
        }
        var envelope = try reader.finish()
        envelope.line = line
        return envelope
    }
}

/// Fills an envelope while the scanner passes its bytes once.
private struct EnvelopeReader {
    let bytes: [UInt8]
    private var envelope = Envelope()
    private var top = Members(at: 0)
    /// The first mistake that is not one of syntax; syntax counts before it.
    private var mistake: String?

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Passes the whole line.
    mutating func read(_ span: Span<UInt8>, from start: Int) throws(JSONError) {
        var cursor = Scanner.Cursor(at: start)
        let first = try Scanner.peek(span, &cursor)
        if first == UInt8(ascii: "{") {
            top = try object(span, &cursor, at: .envelope, depth: 1)
        } else {
            mistake =
                first == UInt8(ascii: "[")
                ? "batches are not part of MCP since 2025-06-18 (send one message a line)"
                : "it is not an object"
            try Scanner.value(span, &cursor)
        }
        try Scanner.end(span, &cursor)
        envelope.hasReturns = cursor.sawReturn
        envelope.namesURIs = cursor.sawURI
    }

    /// Passes the object at the cursor and gives its members.
    private mutating func object(
        _ span: Span<UInt8>, _ cursor: inout Scanner.Cursor, at level: Level, depth: Int
    ) throws(JSONError) -> Members {
        var members = Members(at: cursor.at)
        cursor.at += 1
        var byte = try Scanner.peek(span, &cursor)
        while byte != UInt8(ascii: "}") {
            let name = try Scanner.name(span, &cursor)
            let (key, problem) = members.check(name, in: bytes, at: level)
            if let problem { note(problem) }
            let first = try Scanner.peek(span, &cursor)
            let start = cursor.at
            if first == UInt8(ascii: "{"), let key, let inner = level.inner(key) {
                keep(try object(span, &cursor, at: inner, depth: depth + 1), of: key)
            } else {
                try Scanner.value(span, &cursor, depth: depth)
            }
            if problem == nil { members.append(key: key, name: name, value: start..<cursor.at) }
            byte = try Scanner.peek(span, &cursor)
            guard byte == UInt8(ascii: ",") else { break }
            cursor.at += 1
            byte = try Scanner.peek(span, &cursor)
            // A comma must be followed by another member.
            guard byte == UInt8(ascii: "\"") else {
                throw JSONError(.unexpectedByte, at: cursor.at)
            }
        }
        try Scanner.expect(UInt8(ascii: "}"), span, &cursor)
        members.close(at: cursor.at)
        return members
    }

    private mutating func keep(_ members: Members, of key: Key) {
        switch key {
        case .params: envelope.params = members
        case .meta: envelope.meta = members
        case .result: envelope.resultMembers = members
        case .error: envelope.error = members
        default: break
        }
    }

    private mutating func note(_ problem: Members.Problem) {
        guard mistake == nil else { return }
        switch problem {
        case .duplicate(let name): mistake = "the name '\(name)' occurs twice"
        case .caseVariant(let name, let known):
            mistake = "the name '\(name)' differs only by case from '\(known)'"
        case .tooMany: mistake = "an object has more than \(Limit.members) members"
        }
    }

    /// Decides what was read.
    func finish() throws(EnvelopeError) -> Envelope {
        var envelope = envelope
        let badID = !readID(into: &envelope)
        if let mistake { throw refusal(mistake, envelope) }
        guard let version = top[.jsonrpc], isText("\"2.0\"", version) else {
            throw refusal("it lacks \"jsonrpc\":\"2.0\"", envelope)
        }
        guard !badID else {
            throw refusal(
                "the id is neither a string of at most \(Limit.idBytes) bytes nor an integer "
                    + "within ±2^53", envelope)
        }
        try classify(&envelope)
        return envelope
    }

    /// Reads the id; false when there is one that is none.
    private func readID(into envelope: inout Envelope) -> Bool {
        guard let range = top[.id] else { return true }
        if let id = RequestID(message: bytes, range) {
            envelope.id = id
            return true
        }
        // An error that answers an unreadable message has no better id than null.
        return isText("null", range) && top[.method] == nil
    }

    private func classify(_ envelope: inout Envelope) throws(EnvelopeError) {
        let hasError = top[.error].map { !isText("null", $0) } ?? false
        if let method = top[.method] {
            guard top[.result] == nil, !hasError else {
                throw refusal("it is a request and a response at once", envelope)
            }
            envelope.method = try text(method, envelope)
            envelope.kind = envelope.id == nil ? .notification : .request
            if let params = top[.params], envelope.params == nil, !isText("null", params) {
                throw EnvelopeError(
                    code: -32602, id: envelope.id, message: "params must be an object")
            }
            return
        }
        envelope.kind = .response
        envelope.result = top[.result]
        if !hasError { envelope.error = nil }
        guard (envelope.result != nil) != hasError, !hasError || envelope.error != nil else {
            throw refusal("it has neither a method, a result nor an error", envelope)
        }
    }

    /// The method's name.
    private func text(
        _ range: Range<Int>, _ envelope: Envelope
    ) throws(EnvelopeError) -> String {
        do throws(JSONError) {
            if range.count <= Limit.methodBytes + 2,
                case .string(let text) = try JSON.parse(bytes, in: range)
            {
                return text
            }
        } catch { /* The scanner has passed these bytes before; it is no string. */  }
        throw refusal(
            "the method is no string of at most \(Limit.methodBytes) bytes", envelope)
    }

    private func refusal(_ cause: String, _ envelope: Envelope) -> EnvelopeError {
        EnvelopeError(
            code: -32600, id: envelope.id, message: "cannot accept the message: \(cause)")
    }

    private func isText(_ text: String, _ range: Range<Int>) -> Bool {
        bytes[range].elementsEqual(text.utf8)
    }
}

extension Level {
    /// The level of a member that is an object with known names of its own.
    func inner(_ key: Key) -> Level? {
        switch key {
        case .params: .params
        case .result: .result
        case .error: .error
        case .meta: refusesCaseVariants ? .meta : nil
        default: nil
        }
    }
}
