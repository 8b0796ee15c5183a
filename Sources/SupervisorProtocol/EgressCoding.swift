internal import NetworkRules

extension EgressOrder {
    private enum Tag: UInt8 {
        case hello = 1
        case listener = 2
        case open = 3
        case rules = 4
        case close = 5
        case files = 6
    }

    /// The datagram of this order; nil when it is beyond `Limit.messageBytes`.
    public func encoded() -> [UInt8]? {
        var out = ByteWriter()
        switch self {
        case .hello(let version):
            out.put(Tag.hello.rawValue)
            out.put(version)
        case .listener: out.put(Tag.listener.rawValue)
        case .open(let opening):
            out.put(Tag.open.rawValue)
            out.put(opening.sandbox)
            out.put(opening.owner)
            opening.rules.write(to: &out)
        case .rules(let serial, let sandbox, let rules):
            out.put(Tag.rules.rawValue)
            out.put(serial)
            out.put(sandbox)
            rules.write(to: &out)
        case .close(let sandbox):
            out.put(Tag.close.rawValue)
            out.put(sandbox)
        case .files: out.put(Tag.files.rawValue)
        }
        return out.finish()
    }

    /// Reads one datagram; anything but a whole, exact message is refused.
    public init(decoding datagram: [UInt8]) throws(DecodingError) {
        var input = try ByteReader(datagram)
        guard let tag = Tag(rawValue: try input.number()) else { throw .unknownTag }
        switch tag {
        case .hello: self = .hello(version: try input.number())
        case .listener: self = .listener
        case .open:
            self = .open(
                EgressSandbox(
                    sandbox: try input.number(), owner: try input.string(),
                    rules: try EgressRules(from: &input)))
        case .rules:
            self = .rules(
                serial: try input.number(), sandbox: try input.number(),
                try EgressRules(from: &input))
        case .close: self = .close(sandbox: try input.number())
        case .files: self = .files
        }
        try input.end()
    }
}

extension EgressReply {
    private enum Tag: UInt8 {
        case hello = 1
        case applied = 2
        case filesChanged = 3
    }

    /// The datagram of this reply.
    public func encoded() -> [UInt8]? {
        var out = ByteWriter()
        switch self {
        case .hello(let version):
            out.put(Tag.hello.rawValue)
            out.put(version)
        case .applied(let serial):
            out.put(Tag.applied.rawValue)
            out.put(serial)
        case .filesChanged: out.put(Tag.filesChanged.rawValue)
        }
        return out.finish()
    }

    /// Reads one datagram; anything but a whole, exact message is refused.
    public init(decoding datagram: [UInt8]) throws(DecodingError) {
        var input = try ByteReader(datagram)
        guard let tag = Tag(rawValue: try input.number()) else { throw .unknownTag }
        switch tag {
        case .hello: self = .hello(version: try input.number())
        case .applied: self = .applied(serial: try input.number())
        case .filesChanged: self = .filesChanged
        }
        try input.end()
    }
}

extension EgressNotice {
    private enum Tag: UInt8 {
        case callBegan = 1
        case callEnded = 2
        case spent = 3
        case flush = 4
        case measure = 5
    }

    /// The datagram of this notice.
    public func encoded() -> [UInt8]? {
        var out = ByteWriter()
        switch self {
        case .callBegan(let sandbox):
            out.put(Tag.callBegan.rawValue)
            out.put(sandbox)
        case .callEnded(let sandbox):
            out.put(Tag.callEnded.rawValue)
            out.put(sandbox)
        case .spent(let sandbox, let bytes):
            out.put(Tag.spent.rawValue)
            out.put(sandbox)
            out.put(bytes)
        case .flush(let serial):
            out.put(Tag.flush.rawValue)
            out.put(serial)
        case .measure(let sandbox, let serial):
            out.put(Tag.measure.rawValue)
            out.put(sandbox)
            out.put(serial)
        }
        return out.finish()
    }

    /// Reads one datagram; anything but a whole, exact message is refused.
    public init(decoding datagram: [UInt8]) throws(DecodingError) {
        var input = try ByteReader(datagram)
        guard let tag = Tag(rawValue: try input.number()) else { throw .unknownTag }
        switch tag {
        case .callBegan: self = .callBegan(sandbox: try input.number())
        case .callEnded: self = .callEnded(sandbox: try input.number())
        case .spent: self = .spent(sandbox: try input.number(), bytes: try input.number())
        case .flush: self = .flush(serial: try input.number())
        case .measure: self = .measure(sandbox: try input.number(), serial: try input.number())
        }
        try input.end()
    }
}

extension EgressEvent {
    private enum Tag: UInt8 {
        case decided = 1
        case ended = 2
        case lost = 3
        case flushed = 4
        case moved = 5
    }

    /// The datagram of this event; nil when it is beyond `Limit.messageBytes`.
    public func encoded() -> [UInt8]? {
        var out = ByteWriter()
        switch self {
        case .decided(let decision):
            out.put(Tag.decided.rawValue)
            decision.write(to: &out)
        case .ended(let ending):
            out.put(Tag.ended.rawValue)
            ending.write(to: &out)
        case .lost(let count):
            out.put(Tag.lost.rawValue)
            out.put(count)
        case .flushed(let serial):
            out.put(Tag.flushed.rawValue)
            out.put(serial)
        case .moved(let progress):
            out.put(Tag.moved.rawValue)
            out.put(progress.number)
            out.put(progress.sandbox)
            out.put(progress.sent)
            out.put(progress.received)
        }
        return out.finish()
    }

    /// Reads one datagram; anything but a whole, exact message is refused.
    public init(decoding datagram: [UInt8]) throws(DecodingError) {
        var input = try ByteReader(datagram)
        guard let tag = Tag(rawValue: try input.number()) else { throw .unknownTag }
        switch tag {
        case .decided: self = .decided(try EgressDecision(from: &input))
        case .ended: self = .ended(try EgressEnding(from: &input))
        case .lost: self = .lost(count: try input.number())
        case .flushed: self = .flushed(serial: try input.number())
        case .moved:
            self = .moved(
                EgressProgress(
                    number: try input.number(), sandbox: try input.number(),
                    sent: try input.number(), received: try input.number()))
        }
        try input.end()
    }
}

extension EgressDecision {
    func write(to out: inout ByteWriter) {
        out.put(number)
        out.put(sandbox)
        out.put(owner)
        out.put(time)
        out.put(kind.rawValue)
        out.put(name)
        out.putOptional(address) { out, address in address.write(to: &out) }
        out.put(port)
        out.putOptional(denial) { out, denial in denial.write(to: &out) }
        out.put(rule)
        out.put(place)
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        number = try input.number()
        sandbox = try input.number()
        owner = try input.string()
        time = try input.number()
        guard let kind = Kind(rawValue: try input.number()) else { throw .badValue }
        self.kind = kind
        name = try input.string()
        address = try input.optional { input throws(DecodingError) in try IPAddress(from: &input) }
        port = try input.number()
        denial = try input.optional { input throws(DecodingError) in try Denial(from: &input) }
        rule = try input.string()
        place = try input.string()
    }
}

extension EgressEnding {
    func write(to out: inout ByteWriter) {
        out.put(number)
        out.put(sandbox)
        out.put(time)
        out.put(sent)
        out.put(received)
        out.put(microseconds)
        out.put(cause.rawValue)
        out.put(errno)
        out.putOptional(denial) { out, denial in denial.write(to: &out) }
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        number = try input.number()
        sandbox = try input.number()
        time = try input.number()
        sent = try input.number()
        received = try input.number()
        microseconds = try input.number()
        guard let cause = Cause(rawValue: try input.number()) else { throw .badValue }
        self.cause = cause
        errno = try input.number()
        denial = try input.optional { input throws(DecodingError) in try Denial(from: &input) }
    }
}
