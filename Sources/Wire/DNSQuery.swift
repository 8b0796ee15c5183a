/// A question as a program sends it.
public struct DNSQuery: Sendable, Equatable {
    /// The number that the answer repeats.
    public var id: UInt16
    /// Whether the asker wants the whole work done, as all programs do.
    public var wantsRecursion: Bool
    /// What is asked.
    public var question: DNSQuestion

    /// Describes a question.
    public init(id: UInt16, wantsRecursion: Bool = true, _ question: DNSQuestion) {
        self.id = id
        self.wantsRecursion = wantsRecursion
        self.question = question
    }

    /// Reads exactly one question; beside it only EDNS options may stand, which are ignored.
    public init(decoding bytes: [UInt8]) throws(Malformed) {
        var input = DNSReader(bytes)
        id = try input.short()
        let flags = try input.short()
        // No answer, an ordinary question, and not cut off.
        guard flags & 0xFA00 == 0 else { throw .header }
        wantsRecursion = flags & 0x0100 != 0
        guard try input.short() == 1, try input.short() == 0, try input.short() == 0 else {
            throw .header
        }
        let extra = try input.short()
        guard extra <= 1 else { throw .header }
        question = try input.question()
        if extra == 1 {
            guard case .other(.options) = try input.record().0.data else { throw .header }
        }
        guard input.isAtEnd else { throw .length }
    }

    /// The number of a message that is a question but could not be read; nil when no answer is due.
    public static func id(ofMalformed bytes: [UInt8]) -> UInt16? {
        guard bytes.count >= 12, bytes[2] & 0x80 == 0 else { return nil }
        return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    }

    /// The question as it is sent to a name server.
    public func encoded() -> [UInt8] {
        var out = DNSWriter()
        out.header(id: id, flags: wantsRecursion ? 0x0100 : 0, questions: 1, answers: 0)
        out.put(question)
        return out.bytes
    }
}

/// What a name server, or this program, answers.
public struct DNSResponse: Sendable, Equatable {
    /// The question's number.
    public var id: UInt16
    /// The question's own wish, repeated.
    public var wantsRecursion: Bool
    /// Whether more was left out.
    public var isTruncated: Bool
    /// How it ended; nil for one that RFC 1035 does not know.
    public var status: DNSStatus?
    /// The question, repeated; nil when it could not be read.
    public var question: DNSQuestion?
    /// The records.
    public var answers: [DNSRecord]

    /// Answers a question.
    public init(to query: DNSQuery, _ status: DNSStatus, _ answers: [DNSRecord] = []) {
        id = query.id
        wantsRecursion = query.wantsRecursion
        isTruncated = false
        self.status = status
        question = query.question
        self.answers = answers
    }

    /// Answers what could not be read.
    public init(toMalformed id: UInt16, _ status: DNSStatus = .malformed) {
        self.id = id
        wantsRecursion = false
        isTruncated = false
        self.status = status
        question = nil
        answers = []
    }

    /// Reads a name server's message with exactly one question; records of another class than the
    /// internet's and what follows the answers are left out.
    public init(decoding bytes: [UInt8]) throws(Malformed) {
        var input = DNSReader(bytes)
        id = try input.short()
        let flags = try input.short()
        guard flags & 0xF800 == 0x8000 else { throw .header }
        isTruncated = flags & 0x0200 != 0
        wantsRecursion = flags & 0x0100 != 0
        status = DNSStatus(rawValue: UInt8(flags & 0xF))
        guard try input.short() == 1 else { throw .header }
        let count = Int(try input.short())
        guard count <= Limit.records else { throw .value }
        _ = try input.long()
        question = try input.question()
        answers = []
        // What was cut off may end within a record; it is asked for again.
        guard !isTruncated else { return }
        for _ in 0..<count {
            let (record, recordClass) = try input.record()
            if recordClass == 1 { answers.append(record) }
        }
    }

    /// The message; when it is beyond `limit` bytes, without answers and marked as cut off.
    public func encoded(limit: Int) -> [UInt8] {
        var out = DNSWriter()
        var flags: UInt16 = 0x8080 | UInt16((status ?? .failed).rawValue)
        if wantsRecursion { flags |= 0x0100 }
        let written = answers.count { $0.data.isWritten }
        out.header(id: id, flags: flags, questions: question == nil ? 0 : 1, answers: written)
        if let question { out.put(question) }
        for answer in answers where answer.data.isWritten { out.put(answer) }
        guard out.bytes.count > limit else { return out.bytes }
        var cut = DNSWriter()
        cut.header(id: id, flags: flags | 0x0200, questions: question == nil ? 0 : 1, answers: 0)
        if let question { cut.put(question) }
        return cut.bytes
    }
}
