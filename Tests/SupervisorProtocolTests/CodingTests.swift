import Testing

@testable import SupervisorProtocol

@Suite struct CodingTests {
    static let requests: [Request] = [
        .hello(version: Limit.version),
        .start(
            .init(
                id: .max, user: 1000, connection: "0b9d", card: "git",
                settings: [.init(name: "repository", values: ["/srv/ré"])],
                credentials: [.init(name: "token", value: "s3cret")])),
        .install(id: 3, card: "time"), .kill(sandbox: 4), .usage(id: 5, sandbox: 6),
        .posture(id: 7, sandbox: 8),
        .run(
            .init(
                id: 9, user: 1000, policy: "default", directory: "/home/é",
                mounts: [
                    .init(path: "/srv/a", writable: true), .init(path: "/b", writable: false),
                ],
                allow: ["example.com:443"], command: ["cat", ""],
                environment: [.init(name: "A", value: "")])),
        .signal(sandbox: 10, number: -2), .reload(id: 11),
    ]
    static let events: [Event] = [
        .hello(version: 1), .started(id: 1, sandbox: 2, meters: .init()),
        .started(id: 1, sandbox: 2, meters: .init(processor: .microseconds, peak: .ofGroup)),
        .refused(id: 3, .init(code: .launch, message: "cannot", step: "pivot", errno: 22)),
        .installing(id: 4), .installed(id: 5, fresh: true),
        .exited(
            sandbox: 6,
            .init(
                status: -1, signal: 9, requested: true, cause: .life,
                usage: .init(
                    cpuMicroseconds: 1, memoryPeakBytes: 2, memoryLimitBytes: 3,
                    memoryKills: 4, processRefusals: 5, processLimit: 6))),
        .usage(id: 7, .init()), .posture(id: 8, []), .egress,
        .reloaded(id: 10, mistakes: "default.yaml:3:1: unknown key"),
        .posture(
            id: 9,
            [
                .init(group: "limits", name: "pids.max", wanted: "128", found: "128", ok: true),
                .init(group: "mounts", name: "/usr", wanted: "ro", found: "rw é", ok: false),
            ]),
    ]

    @Test(arguments: requests) func `a request survives the wire`(_ request: Request) throws {
        #expect(try Request(decoding: #require(request.encoded())) == request)
    }

    @Test(arguments: events) func `an event survives the wire`(_ event: Event) throws {
        #expect(try Event(decoding: #require(event.encoded())) == event)
    }

    @Test(arguments: requests) func `a request cut anywhere is refused`(_ request: Request) throws {
        let whole = try #require(request.encoded())
        for length in 0..<whole.count {
            #expect(throws: DecodingError.self) { try Request(decoding: Array(whole[..<length])) }
        }
    }

    @Test(arguments: requests) func `a byte too many is refused`(_ request: Request) throws {
        let whole = try #require(request.encoded())
        #expect(throws: DecodingError.wrongLength) { try Request(decoding: whole + [0]) }
    }

    @Test func `a length that lies about a string or list is refused`() throws {
        var whole = try #require(Request.install(id: 1, card: "time").encoded())
        whole[13] = 0xff  // the card's length: past the end
        #expect(throws: DecodingError.cutShort) { try Request(decoding: whole) }
        whole[16] = 0xff  // and past the limit
        #expect(throws: DecodingError.tooLong) { try Request(decoding: whole) }
    }

    @Test func `text that is not UTF-8 or holds a NUL is refused`() throws {
        let whole = try #require(Request.install(id: 1, card: "time").encoded())
        for bad: UInt8 in [0, 0xff] {
            var changed = whole
            changed[whole.count - 1] = bad
            #expect(throws: DecodingError.badText) { try Request(decoding: changed) }
        }
    }

    @Test func `an unknown tag, code or Boolean is refused`() throws {
        var request = try #require(Request.hello(version: 1).encoded())
        request[4] = 99
        #expect(throws: DecodingError.unknownTag) { try Request(decoding: request) }
        var event = try #require(Event.installed(id: 1, fresh: true).encoded())
        event[event.count - 1] = 2
        #expect(throws: DecodingError.badValue) { try Event(decoding: event) }
        var started = try #require(Event.started(id: 1, sandbox: 2, meters: .init()).encoded())
        started[started.count - 1] = 4
        #expect(throws: DecodingError.badValue) { try Event(decoding: started) }
    }

    @Test func `a message beyond the limit is not made`() {
        let word = String(repeating: "x", count: Limit.stringBytes)
        let start = Request.Start(
            id: 1, user: 0, connection: "", card: "custom",
            settings: [.init(name: "command", values: [word, word, word])], credentials: [])
        #expect(Request.start(start).encoded() == nil)
    }

    @Test(arguments: [
        (["x"], true), ([String(repeating: "x", count: Limit.stringBytes)], true),
        (Array(repeating: "x", count: Limit.listCount), true), (["a\u{0}b"], false),
        (Array(repeating: "x", count: Limit.listCount + 1), false),
        ([String(repeating: "x", count: Limit.stringBytes + 1)], false),
        (Array(repeating: String(repeating: "x", count: 1 << 15), count: 5), false),
    ])
    func `what the other half would refuse is known before`(words: [String], isSendable: Bool) {
        let run = Request.Run(
            id: 1, user: 0, policy: "p", directory: "", mounts: [], command: words, environment: [])
        #expect(Request.run(run).isSendable == isSendable)
    }

    @Test func `an ending names the limits that were met`() {
        let met = Usage(
            memoryLimitBytes: 128 << 20, memoryKills: 1, processRefusals: 2, processLimit: 12)
        let none = Usage(memoryLimitBytes: 1, processLimit: 1)
        func limits(_ signal: Int32, _ usage: Usage) -> [String] {
            Ending(status: -1, signal: signal, requested: false, usage: usage).limits
        }
        #expect(limits(9, met) == ["memory_exceeded (128 MiB)", "pids_exceeded (12)"])
        #expect(limits(24, none) == ["cpu_exceeded (limits.cpu_time)"])
        #expect(limits(25, none) == ["file_size_exceeded (limits.file_size)"])
        #expect(limits(9, none).isEmpty)
    }

    @Test func `random bytes never do more than fail`() {
        var generator = SystemRandomNumberGenerator()
        var refused = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<96, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if bytes.count >= 5 {
                let length = UInt32(bytes.count - 4)
                for index in 0..<4 {
                    bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * index))
                }
                bytes[4] = UInt8.random(in: 1...8, using: &generator)
            }
            do { _ = try Request(decoding: bytes) } catch { refused += 1 }
        }
        #expect(refused > 0)
    }
}
