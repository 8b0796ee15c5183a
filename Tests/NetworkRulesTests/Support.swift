import NetworkRules
import Testing

/// Numbers that are the same at every run (SplitMix64).
struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

func address(_ text: String) throws -> IPAddress {
    try #require(IPAddress(text), "\(text)")
}

func name(_ text: String) throws -> HostName {
    try #require(HostName(text), "\(text)")
}

extension AddressSet {
    static func all(of address: IPAddress) -> Set<AddressSet> {
        Set(allCases.filter { $0.contains(address) })
    }
}

extension EgressRules {
    /// Rules with every set denied; an entry that ends in `!` allows private addresses.
    init(_ allow: [String], deny: [AddressSet] = AddressSet.allCases) throws {
        self.init(
            allow: try allow.enumerated().map { index, text in
                let text = text.hasSuffix("!") ? (String(text.dropLast()), true) : (text, false)
                return Allow(
                    destination: try Destination(text.0), allowsPrivate: text.1, text: text.0,
                    place: "p.yaml:\(index + 10)")
            },
            deny: deny.enumerated().map { Deny(set: $1, place: "p.yaml:\($0 + 1)") },
            limits: Limits(
                connections: 1, connectionsPerSecond: 1, bytesPerCall: nil, bytesPerDay: nil,
                idleMilliseconds: 1, lifeMilliseconds: nil),
            limitPlaces: ["network.allow": "p.yaml:9"])
    }

    func allows(
        _ text: String, _ port: UInt16, _ names: [String] = [], isHost: Bool = false
    ) throws -> Bool {
        let names = try names.map(name)
        let verdict = verdict(
            address: try address(text), port: port, names: names, isHost: isHost)
        if case .allowed = verdict { return true }
        return false
    }

    func reason(_ text: String, _ port: UInt16, isHost: Bool = false) throws -> String {
        switch verdict(address: try address(text), port: port, names: [], isHost: isHost) {
        case .allowed(let rule): "allowed by \(rule)"
        case .denied(let denial):
            "\(denial.set?.rawValue ?? "\(denial.reason)") \(denial.place)"
        }
    }
}
