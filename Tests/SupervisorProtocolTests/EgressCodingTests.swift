import NetworkRules
import Testing

@testable import SupervisorProtocol

@Suite struct EgressCodingTests {
    static let rules = EgressRules(
        allow: [
            .init(
                destination: .init(host: .name(HostName("db.internal")!), ports: [5432...5432]),
                allowsPrivate: true, text: "db.internal:5432", place: "net.yaml:9"),
            .init(
                destination: .init(
                    host: .range(
                        AddressRange(IPAddress(v6: 0x2001_0db8 << 32, 0), prefixLength: 32)!),
                    ports: [80...80, 8000...8100]),
                allowsPrivate: false, text: "[2001:db8::/32]:80,8000-8100", place: "net.yaml:10"),
            .init(
                destination: .init(host: .hostAddresses, ports: [1...65535]), allowsPrivate: false,
                text: "host_addresses:1-65535", place: ""),
        ],
        deny: AddressSet.allCases.map { .init(set: $0, place: "net.yaml:7") },
        limits: .init(
            connections: 1, connectionsPerSecond: 2, bytesPerCall: 3, bytesPerDay: nil,
            idleMilliseconds: 4, lifeMilliseconds: 5),
        limitPlaces: ["network.connections": "net.yaml:12"])
    static let orders: [EgressOrder] = [
        .hello(version: Limit.version), .listener,
        .open(.init(sandbox: .max, owner: "run 1000", rules: rules)),
        .rules(serial: 1, sandbox: 2, rules), .close(sandbox: 3), .files,
    ]
    static let events: [EgressEvent] = [
        .decided(
            .init(
                number: 1, sandbox: 2, owner: "0b9d", time: 3, kind: .connect, name: "é",
                address: IPAddress(v4: 0xa9fe_a9fe), port: 80,
                denial: Denial(.deniedSet, set: .metadata, place: "default.yaml:21"), rule: "",
                place: "default.yaml:21")),
        .decided(
            .init(
                number: 4, sandbox: 2, owner: "", time: 3, kind: .resolve, name: "example.com",
                address: nil, port: 0, denial: nil, rule: "example.com:443", place: "a:1")),
        .ended(
            .init(
                number: 1, sandbox: 2, time: 3, sent: 4, received: 5, microseconds: 6,
                cause: .denied, errno: 7, denial: Denial(.revoked))),
        .lost(count: 8), .flushed(serial: 9),
        .moved(EgressProgress(number: 10, sandbox: 11, sent: 12, received: 13)),
    ]
    static let notices: [EgressNotice] = [
        .callBegan(sandbox: 1), .callEnded(sandbox: 2), .spent(sandbox: 3, bytes: 4),
        .measure(sandbox: 5, serial: 6),
        .flush(serial: 5),
    ]

    @Test(arguments: orders) func `an order survives the wire`(_ order: EgressOrder) throws {
        let whole = try #require(order.encoded())
        #expect(try EgressOrder(decoding: whole) == order)
        for length in 0..<whole.count {
            #expect(throws: DecodingError.self) {
                try EgressOrder(decoding: Array(whole[..<length]))
            }
        }
    }

    @Test(arguments: events) func `a gateway's event survives the wire`(
        _ event: EgressEvent
    ) throws {
        let whole = try #require(event.encoded())
        #expect(try EgressEvent(decoding: whole) == event)
        for length in 0..<whole.count {
            #expect(throws: DecodingError.self) {
                try EgressEvent(decoding: Array(whole[..<length]))
            }
        }
    }

    @Test(arguments: notices) func `a notice survives the wire`(_ notice: EgressNotice) throws {
        #expect(try EgressNotice(decoding: #require(notice.encoded())) == notice)
    }

    @Test(arguments: [EgressReply.hello(version: 5), .applied(serial: 1), .filesChanged])
    func `a reply survives the wire`(_ reply: EgressReply) throws {
        #expect(try EgressReply(decoding: #require(reply.encoded())) == reply)
    }
}
