import Kernel
import NetworkRules
import SupervisorProtocol
import Testing
import Wire

@testable import Egress

/// What decides without a socket.
@Suite struct PureTests {
    @Test func `a bucket gives a second's worth at once, and then by the second`() {
        var bucket = TokenBucket(perSecond: 5, at: 1000)
        var taken = (0..<10).filter { _ in bucket.take(at: 1000) }.count
        #expect(taken == 5)
        #expect(bucket.take(at: 200_999) == false)
        #expect(bucket.take(at: 201_000) == true)
        taken = (0..<10).filter { _ in bucket.take(at: 100_000_000) }.count
        #expect(taken == 5)
        // A clock that stands, or a rate of none, gives nothing.
        #expect(bucket.take(at: 0) == false)
        var none = TokenBucket(perSecond: 0, at: 0)
        #expect(none.take(at: 10_000_000) == false)
        var changed = TokenBucket(perSecond: 1000, at: 0)
        changed.change(perSecond: 1)
        taken = (0..<10).filter { _ in changed.take(at: 0) }.count
        #expect(taken == 1)
    }

    @Test func `calls that overlap share what each of them may use`() {
        var calls = CallBudget()
        calls.spend(500)
        #expect(calls.left(limit: 100) == nil)
        calls.began()
        calls.spend(60)
        #expect(calls.left(limit: 100) == 40)
        #expect(calls.left(limit: nil) == nil)
        calls.began()
        #expect(calls.left(limit: 100) == 140)
        calls.spend(200)
        #expect(calls.left(limit: 100) == 0)
        calls.ended(limit: 100)
        #expect(calls.left(limit: 100) == 0)
        calls.ended(limit: 100)
        calls.ended(limit: 100)
        calls.began()
        #expect(calls.left(limit: 100) == 100)
        #expect(calls.left(limit: .max) == .max)
    }

    @Test func `a day's bytes begin anew at midnight`() {
        let day = DayBudget(day: 3)
        day.spend(10, day: 3)
        day.add(5, day: 3)
        #expect(day.left(limit: 20, day: 3) == 5)
        #expect(day.left(limit: nil, day: 3) == nil)
        day.add(.max, day: 3)
        day.add(.max, day: 3)
        day.spend(1 << 30, day: 3)
        #expect(day.left(limit: .max, day: 3) != 0)
        #expect(day.left(limit: 20, day: 3) == 0)
        #expect(day.isUnused(on: 3) == false)
        #expect(day.isUnused(on: 4))
        #expect(day.left(limit: 20, day: 4) == 20)
    }

    @Test func `a direction takes only what it can give, and passes on the end`() {
        var flow = Flow()
        #expect(flow.next(mayPipe: true) == .wait)
        flow.isReadable = true
        #expect(flow.next(mayPipe: true) == .wait)
        flow.isWritable = true
        #expect(flow.next(mayPipe: true) == .receive)
        #expect(flow.took(.bytes(10), intoPipe: false) == true)
        #expect(flow.next(mayPipe: true) == .send)
        #expect(flow.gave(.bytes(4)) == true)
        #expect(flow.gave(.blocked) == true)
        #expect(flow.next(mayPipe: true) == .wait && flow.held == 6)
        flow.isWritable = true
        #expect(flow.gave(.bytes(6)) == true)
        #expect(flow.moved == 10)
        // The end goes through only after the last byte.
        #expect(flow.took(.bytes(1), intoPipe: false) == true)
        #expect(flow.took(.ended, intoPipe: false) == true)
        #expect(flow.next(mayPipe: true) == .send)
        #expect(flow.gave(.bytes(1)) == true)
        #expect(flow.next(mayPipe: true) == .finish)
        flow.finished()
        #expect(flow.next(mayPipe: true) == .done)
        #expect(flow.took(.failed(1), intoPipe: false) == false)
        #expect(flow.gave(.failed(1)) == false)
    }

    @Test func `a source that fills a chunk gets a pipe, and loses it when little comes`() {
        var flow = Flow()
        (flow.isReadable, flow.isWritable) = (true, true)
        #expect(flow.took(.bytes(Egress.Limit.chunkBytes), intoPipe: false) == true)
        #expect(flow.gave(.bytes(Egress.Limit.chunkBytes)) == true)
        #expect(flow.next(mayPipe: true) == .fill(Egress.Limit.pipeBytes))
        #expect(flow.next(mayPipe: false) == .receive)
        #expect(flow.took(.bytes(100), intoPipe: true) == true)
        #expect(flow.next(mayPipe: true) == .drain(100))
        #expect(flow.gave(.bytes(100)) == true)
        #expect(flow.next(mayPipe: true) == .receive)
        flow.isReleased = false
        #expect(flow.next(mayPipe: true) == .wait)
    }

    @Test func `an address stands for its names until they are over`() throws {
        let (a, b) = (try #require(HostName("a.example")), try #require(HostName("b.example")))
        let address = IPAddress(v4: 1)
        var leases = Leases()
        leases.note(address, for: a, until: 100, now: 0)
        leases.note(address, for: b, until: 50, now: 0)
        leases.note(address, for: a, until: 80, now: 0)
        #expect(leases.names(of: address, now: 49) == [a, b])
        #expect(leases.names(of: address, now: 99) == [a])
        #expect(leases.names(of: address, now: 100).isEmpty)
        #expect(leases.names(of: IPAddress(v4: 2), now: 0).isEmpty)
    }

    @Test func `leases are bounded, and what ends first goes first`() throws {
        let name = try #require(HostName("a.example"))
        var leases = Leases()
        for number in 0..<UInt32(Egress.Limit.leases + 100) {
            leases.note(IPAddress(v4: number), for: name, until: 1000 + UInt64(number), now: 0)
        }
        #expect(leases.count == Egress.Limit.leases)
        #expect(leases.names(of: IPAddress(v4: 99), now: 0).isEmpty)
        #expect(leases.names(of: IPAddress(v4: 100), now: 0) == [name])
        for number in 0..<100 {
            let other = try #require(HostName("n\(number).example"))
            leases.note(IPAddress(v4: 200), for: other, until: 5000, now: 0)
        }
        #expect(
            leases.names(of: IPAddress(v4: 200), now: 0).count == Egress.Limit.namesOfAddress)
    }

    @Test func `an answer is what the question asked for, and nothing beside it`() throws {
        let www = try #require(DNSName("www.example"))
        let real = try #require(DNSName("real.example"))
        let other = try #require(DNSName("other.example"))
        let all = [
            DNSRecord(real, secondsToLive: 0, .address([10, 0, 0, 1])),
            DNSRecord(www, secondsToLive: 90, .cname(real)),
            DNSRecord(other, secondsToLive: 1, .address([1, 1, 1, 1])),
            DNSRecord(real, secondsToLive: 70, .address([8, 8, 8, 8])),
            DNSRecord(real, secondsToLive: 5, .txt([0])),
            DNSRecord(real, secondsToLive: 5, .address([UInt8](repeating: 0, count: 16))),
        ]
        let inside = IPAddress(v4: 0x0A00_0001)
        let answer = Answer(to: DNSQuestion(www, .a), from: all) { $0 != inside }
        #expect(answer.records.map(\.owner) == [www, real])
        #expect(answer.given == [IPAddress(v4: 0x0808_0808)] && answer.dropped == [inside])
        #expect(answer.secondsToLive == 70 && answer.leaseSeconds == 70)
        #expect(answer.records.allSatisfy { $0.secondsToLive == 70 })
        let loop = [DNSRecord(www, secondsToLive: 1, .cname(www))]
        #expect(Answer(to: DNSQuestion(www, .a), from: loop) { _ in true }.given.isEmpty)
        let none = Answer(to: DNSQuestion(www, .aaaa), from: []) { _ in true }
        #expect(none.records.isEmpty && none.leaseSeconds <= Egress.Limit.leaseSecondsMax)
    }

    @Test func `an IPv4 address in an answer of IPv6 is judged as what it is`() throws {
        let www = try #require(DNSName("www.example"))
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 10, 0, 0, 1]
        var judged: [IPAddress] = []
        _ = Answer(
            to: DNSQuestion(www, .aaaa),
            from: [DNSRecord(www, secondsToLive: 1, .address(mapped))]
        ) {
            judged.append($0)
            return false
        }
        #expect(judged == [IPAddress(v4: 0x0A00_0001)])
    }

    @Test func `the host's resolver files are read as the host reads them`() {
        let settings = ResolverSettings(
            resolvConf: """
                # a comment
                nameserver 192.0.2.1 ; more
                nameserver nonsense
                search example.com
                nameserver	2001:db8::1
                nameserver 192.0.2.2
                nameserver 192.0.2.3
                options timeout:99 attempts:0 rotate timeout:x
                """,
            hosts: "127.0.0.1 localhost\n::1 localhost\n1.2.3.4 A.Example a # b\nbad c\n")
        #expect(
            settings.servers == [
                Endpoint(v4: 0xC000_0201, port: 53), Endpoint(v6: 0x2001_0DB8 << 32, 1, port: 53),
                Endpoint(v4: 0xC000_0202, port: 53),
            ])
        #expect(settings.timeout == 30_000_000 && settings.attempts == 1)
        #expect(settings.hosts["a.example"] == [IPAddress(v4: 0x0102_0304)])
        #expect(settings.hosts["localhost"]?.count == 2 && settings.hosts["c"] == nil)
        #expect(
            ResolverSettings(resolvConf: "", hosts: "").servers == [
                Endpoint(v4: 0x7F00_0001, port: 53)
            ])
    }

    @Test func `events beyond the bound are counted where they are missing`() throws {
        var outbox = Outbox()
        for number in 0..<(Egress.Limit.events + 3) {
            outbox.add(.flushed(serial: UInt64(number)))
        }
        outbox.add(.flushed(serial: 1_000_000), isAnswer: true)
        var told: [EgressEvent] = []
        while let next = outbox.next {
            told.append(try EgressEvent(decoding: next))
            outbox.sent()
        }
        #expect(told.count == Egress.Limit.events + 2)
        #expect(told.suffix(2) == [.lost(count: 3), .flushed(serial: 1_000_000)])
    }

    @Test func `a place of the table that was used again is not the one before`() {
        var table = Table()
        let (first, second) = (Source(), Source())
        table.insert(first)
        let token = first.token
        #expect(table.find(token) === first)
        table.remove(first)
        table.insert(second)
        #expect(second.place == first.place)
        #expect(table.find(token) == nil && table.find(second.token) === second)
        #expect(table.find(99 << 1) == nil)
    }
}
