/// Builds lines: envelopes written anew from known members, values spliced from where they arrived.
///
/// One writer serves a whole peer; its room is kept between flushes.
public struct LineWriter: Sendable {
    /// The lines so far.
    public private(set) var bytes: [UInt8] = []

    /// Makes an empty writer.
    public init() {}

    /// Whether there is nothing to send.
    public var isEmpty: Bool { bytes.isEmpty }

    /// Forgets what was sent and keeps the room, unless one giant line has blown it up.
    public mutating func clear() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= Limit.keptBytes)
    }

    /// Appends text as it is.
    public mutating func text(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends a number.
    public mutating func integer(_ value: Int) {
        guard value >= 0, value < 10 else { return text(String(value)) }
        bytes.append(UInt8(ascii: "0") + UInt8(value))
    }

    /// Appends a string with its quotes and escapes.
    public mutating func string(_ string: String) { JSON.serialize(string, into: &bytes) }

    /// Appends a value.
    public mutating func json(_ json: JSON) { json.serialize(into: &bytes) }

    /// Appends an id; nil becomes `null`.
    public mutating func id(_ id: RequestID?) {
        switch id {
        case .integer(let value): integer(value)
        case .string(let value): string(value)
        case nil: text("null")
        }
    }

    /// Splices a part of a message that was parsed; `hasReturns` is the envelope's, carriage
    /// returns become spaces.
    public mutating func splice(
        _ source: [UInt8], _ range: Range<Int>, hasReturns: Bool
    ) {
        let start = bytes.count
        bytes.append(contentsOf: source[range])
        guard hasReturns else { return }
        for index in start..<bytes.count where bytes[index] == 0x0D { bytes[index] = 0x20 }
    }

    /// Splices a member, its name as it was written.
    public mutating func member(
        _ source: [UInt8], _ member: Members.Member, hasReturns: Bool
    ) {
        text("\"")
        bytes.append(contentsOf: source[member.name])
        text("\":")
        splice(source, member.value, hasReturns: hasReturns)
    }

    /// Appends lines that another writer built.
    public mutating func lines(_ lines: [UInt8]) { bytes.append(contentsOf: lines) }

    /// Ends a line.
    public mutating func endLine() { bytes.append(0x0A) }
}

extension LineWriter {
    /// Begins a response; a result's value and `endResponse` must follow.
    public mutating func beginResult(_ id: RequestID) {
        text("{\"jsonrpc\":\"2.0\",\"id\":")
        self.id(id)
        text(",\"result\":")
    }

    /// Ends a response.
    public mutating func endResponse() {
        text("}\n")
    }

    /// Writes a whole response.
    public mutating func result(_ id: RequestID, _ result: JSON) {
        beginResult(id)
        json(result)
        endResponse()
    }

    /// Writes a whole error.
    public mutating func error(_ id: RequestID?, code: Int, message: String, data: JSON? = nil) {
        text("{\"jsonrpc\":\"2.0\",\"id\":")
        self.id(id)
        text(",\"error\":{\"code\":")
        integer(code)
        text(",\"message\":")
        string(message)
        if let data {
            text(",\"data\":")
            json(data)
        }
        text("}}\n")
    }

    /// Writes a whole notification.
    public mutating func notification(_ method: String, _ params: JSON? = nil) {
        text("{\"jsonrpc\":\"2.0\",\"method\":")
        string(method)
        if let params {
            text(",\"params\":")
            json(params)
        }
        text("}\n")
    }

    /// Writes a whole request.
    public mutating func request(_ id: RequestID, _ method: String, _ params: JSON? = nil) {
        text("{\"jsonrpc\":\"2.0\",\"id\":")
        self.id(id)
        text(",\"method\":")
        string(method)
        if let params {
            text(",\"params\":")
            json(params)
        }
        text("}\n")
    }
}
