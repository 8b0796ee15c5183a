extension Request {
    private enum Tag: UInt8 {
        case hello = 1
        case start = 2
        case install = 3
        case kill = 4
        case usage = 5
        case posture = 6
        case run = 7
        case signal = 8
        case reload = 9
    }

    /// The datagram of this request; nil when it is beyond `Limit.messageBytes`.
    public func encoded() -> [UInt8]? {
        var out = ByteWriter()
        switch self {
        case .hello(let version):
            out.put(Tag.hello.rawValue)
            out.put(version)
        case .start(let start):
            out.put(Tag.start.rawValue)
            start.write(to: &out)
        case .install(let id, let card):
            out.put(Tag.install.rawValue)
            out.put(id)
            out.put(card)
        case .kill(let sandbox):
            out.put(Tag.kill.rawValue)
            out.put(sandbox)
        case .usage(let id, let sandbox):
            out.put(Tag.usage.rawValue)
            out.put(id)
            out.put(sandbox)
        case .posture(let id, let sandbox):
            out.put(Tag.posture.rawValue)
            out.put(id)
            out.put(sandbox)
        case .run(let run):
            out.put(Tag.run.rawValue)
            run.write(to: &out)
        case .signal(let sandbox, let number):
            out.put(Tag.signal.rawValue)
            out.put(sandbox)
            out.put(number)
        case .reload(let id):
            out.put(Tag.reload.rawValue)
            out.put(id)
        }
        return out.finish()
    }

    /// Reads one datagram; anything but a whole, exact message is refused.
    public init(decoding datagram: [UInt8]) throws(DecodingError) {
        var input = try ByteReader(datagram)
        guard let tag = Tag(rawValue: try input.number()) else { throw .unknownTag }
        switch tag {
        case .hello: self = .hello(version: try input.number())
        case .start: self = .start(try Start(from: &input))
        case .install: self = .install(id: try input.number(), card: try input.string())
        case .kill: self = .kill(sandbox: try input.number())
        case .usage: self = .usage(id: try input.number(), sandbox: try input.number())
        case .posture: self = .posture(id: try input.number(), sandbox: try input.number())
        case .run: self = .run(try Run(from: &input))
        case .signal: self = .signal(sandbox: try input.number(), number: try input.number())
        case .reload: self = .reload(id: try input.number())
        }
        try input.end()
    }
}

extension Request.Start {
    func write(to out: inout ByteWriter) {
        out.put(id)
        out.put(user)
        out.put(connection)
        out.put(card)
        out.put(settings) { out, setting in
            out.put(setting.name)
            out.put(setting.values) { out, value in out.put(value) }
        }
        out.put(credentials) { out, field in
            out.put(field.name)
            out.put(field.value)
        }
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        id = try input.number()
        user = try input.number()
        connection = try input.string()
        card = try input.string()
        settings = try input.list { input throws(DecodingError) in
            Request.Setting(
                name: try input.string(),
                values: try input.list { input throws(DecodingError) in try input.string() })
        }
        credentials = try input.list { input throws(DecodingError) in
            Request.Field(name: try input.string(), value: try input.string())
        }
    }
}

extension Event {
    private enum Tag: UInt8 {
        case hello = 1
        case started = 2
        case refused = 3
        case installing = 4
        case installed = 5
        case exited = 6
        case usage = 7
        case posture = 8
        case reloaded = 9
        case egress = 10
    }

    /// The datagram of this event; nil when it is beyond `Limit.messageBytes`.
    public func encoded() -> [UInt8]? {
        var out = ByteWriter()
        switch self {
        case .hello(let version):
            out.put(Tag.hello.rawValue)
            out.put(version)
        case .started(let id, let sandbox, let meters):
            out.put(Tag.started.rawValue)
            out.put(id)
            out.put(sandbox)
            out.put(meters.processor.rawValue)
            out.put(meters.peak.rawValue)
        case .refused(let id, let refusal):
            out.put(Tag.refused.rawValue)
            out.put(id)
            refusal.write(to: &out)
        case .installing(let id):
            out.put(Tag.installing.rawValue)
            out.put(id)
        case .installed(let id, let fresh):
            out.put(Tag.installed.rawValue)
            out.put(id)
            out.put(fresh)
        case .exited(let sandbox, let ending):
            out.put(Tag.exited.rawValue)
            out.put(sandbox)
            ending.write(to: &out)
        case .usage(let id, let usage):
            out.put(Tag.usage.rawValue)
            out.put(id)
            usage.write(to: &out)
        case .posture(let id, let rows):
            out.put(Tag.posture.rawValue)
            out.put(id)
            out.put(rows) { out, row in row.write(to: &out) }
        case .reloaded(let id, let mistakes):
            out.put(Tag.reloaded.rawValue)
            out.put(id)
            out.put(mistakes)
        case .egress: out.put(Tag.egress.rawValue)
        }
        return out.finish()
    }

    /// Reads one datagram; anything but a whole, exact message is refused.
    public init(decoding datagram: [UInt8]) throws(DecodingError) {
        var input = try ByteReader(datagram)
        guard let tag = Tag(rawValue: try input.number()) else { throw .unknownTag }
        switch tag {
        case .hello: self = .hello(version: try input.number())
        case .started:
            self = .started(
                id: try input.number(), sandbox: try input.number(),
                meters: try Meters(from: &input))
        case .refused: self = .refused(id: try input.number(), try Refusal(from: &input))
        case .installing: self = .installing(id: try input.number())
        case .installed: self = .installed(id: try input.number(), fresh: try input.bool())
        case .exited: self = .exited(sandbox: try input.number(), try Ending(from: &input))
        case .usage: self = .usage(id: try input.number(), try Usage(from: &input))
        case .posture:
            self = .posture(
                id: try input.number(),
                try input.list { input throws(DecodingError) in try PostureRow(from: &input) })
        case .reloaded:
            self = .reloaded(id: try input.number(), mistakes: try input.string())
        case .egress: self = .egress
        }
        try input.end()
    }
}

extension Refusal {
    func write(to out: inout ByteWriter) {
        out.put(code.rawValue)
        out.put(message)
        out.put(step)
        out.put(errno)
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        guard let code = Code(rawValue: try input.number()) else { throw .badValue }
        self.code = code
        message = try input.string()
        step = try input.string()
        errno = try input.number()
    }
}

extension Ending {
    func write(to out: inout ByteWriter) {
        out.put(status)
        out.put(signal)
        out.put(requested)
        out.put(cause.rawValue)
        usage.write(to: &out)
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        status = try input.number()
        signal = try input.number()
        requested = try input.bool()
        guard let cause = Cause(rawValue: try input.number()) else { throw .badValue }
        self.cause = cause
        usage = try Usage(from: &input)
    }
}

extension Usage {
    func write(to out: inout ByteWriter) {
        out.put(cpuMicroseconds)
        out.put(memoryPeakBytes)
        out.put(memoryLimitBytes)
        out.put(memoryKills)
        out.put(processRefusals)
        out.put(processLimit)
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        cpuMicroseconds = try input.number()
        memoryPeakBytes = try input.number()
        memoryLimitBytes = try input.number()
        memoryKills = try input.number()
        processRefusals = try input.number()
        processLimit = try input.number()
    }
}

extension Meters {
    init(from input: inout ByteReader) throws(DecodingError) {
        guard let processor = Processor(rawValue: try input.number()),
            let peak = Peak(rawValue: try input.number())
        else { throw .badValue }
        self.init(processor: processor, peak: peak)
    }
}

extension PostureRow {
    func write(to out: inout ByteWriter) {
        out.put(group)
        out.put(name)
        out.put(wanted)
        out.put(found)
        out.put(ok)
    }

    init(from input: inout ByteReader) throws(DecodingError) {
        group = try input.string()
        name = try input.string()
        wanted = try input.string()
        found = try input.string()
        ok = try input.bool()
    }
}
